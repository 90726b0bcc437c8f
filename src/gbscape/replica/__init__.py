"""Atomic energies of a model of any size from those of a few of its atoms in small cells (Tamura et al. 2020)."""
