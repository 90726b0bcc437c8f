"""Grain boundaries, from a lattice to published figures."""

__version__ = "0.1.0"
