"""Sweeps: configurations that stand for several runs, what these share, and where their files are."""
