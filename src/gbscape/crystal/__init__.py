"""Crystals recognised box by box."""
