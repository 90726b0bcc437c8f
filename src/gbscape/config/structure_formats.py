"""Formats of structure files that are read."""

from typing import Literal

# Left out are those of ASE that reach for data bases (`db`, `mysql`, ...), unpickle (old trajectories), look into other
# files, start a program, or are containers (HDF5, NetCDF, JSON with types).
StructureFormat = Literal[
    "extxyz",
    "xyz",
    "cif",
    "vasp",
    "vasp-xdatcar",
    "vasp-out",
    "aims",
    "aims-output",
    "lammps-data",
    "lammps-dump-text",
    "traj",
    "cfg",
    "cube",
    "espresso-in",
    "espresso-out",
    "gen",
    "gpaw-out",
    "gromacs",
    "proteindatabank",
    "res",
    "rmc6f",
    "struct",
    "turbomole",
    "v-sim",
    "xsf",
]
"""ASE's names."""
