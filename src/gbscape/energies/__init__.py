"""Energies of single atoms in small periodic cells, by interchangeable backends: an EAM, DFT (GPAW), tight binding."""
