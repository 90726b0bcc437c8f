"""Runs that were killed or went wrong: who works on a run, what it left behind, and how it goes on."""
