"""The slab of four grains that stands for elemental polycrystals (Leitherer, PhD thesis 2021, section 6.2, figure 6.2):
fcc, hcp, diamond and bcc, of one species, so that structure alone tells them apart."""

from typing import Literal

import numpy as np
from ase import Atoms
from ase.build import bulk

from gbscape.structure.polycrystal import Grain, random_rotation, voronoi_polycrystal

GrainLattice = Literal["fcc", "hcp", "diamond", "bcc"]

GRAIN_LATTICES: tuple[GrainLattice, ...] = ("fcc", "hcp", "diamond", "bcc")
"""Lattice of each grain, by the number in the array `grain`."""

# Lattice parameters and seeds in Angstrom of the published structure, from the script of its authors
# (angeloziletti/ai4materials, scripts/generate_polycrystals.py); its grains are the whole tiles of the periodic pattern.
_EDGE, _THICKNESS = 80.0, 15.0
_CRYSTALS: dict[GrainLattice, tuple[float, float | None]] = {
    "fcc": (4.046, None),
    "hcp": (2.507, 4.067),
    "diamond": (3.571, None),
    "bcc": (2.856, None),
}
_SEEDS: dict[GrainLattice, tuple[float, float]] = {
    "fcc": (40.0, 40.0),
    "hcp": (0.45, 2.15),
    "diamond": (10.3, 18.1),
    "bcc": (18.2, 5.21),
}


def four_grains(
    species: str = "Fe", edge_angstrom: float = _EDGE, thickness_angstrom: float = _THICKNESS, orientation_seed: int = 0
) -> Atoms:
    """Slab of four whole grains with free surfaces all around, in the published arrangement.

    Seeds and lattice parameters are the published ones. Orientations are our own, and atoms that grains put closer than
    0.7 nearest-neighbour distances are thinned out, which the published structure leaves in.

    Args:
        species: of all atoms.
        edge_angstrom: period of the pattern in x and y; the seeds scale with it.
        thickness_angstrom: along z; the published file has 15.
        orientation_seed: of the random rotations of the grains.

    Returns:
        atoms without periodicity, with the arrays `grain` (see `GRAIN_LATTICES`) and `distance_to_boundary`.

    Raises:
        ValueError: an edge too short for every grain to hold atoms, or lengths that are not positive.
    """
    rng = np.random.default_rng(orientation_seed)
    grains = [
        Grain(
            (*(np.array(_SEEDS[lattice]) * edge_angstrom / _EDGE), thickness_angstrom / 2),
            bulk(species, lattice, a=_CRYSTALS[lattice][0], c=_CRYSTALS[lattice][1], orthorhombic=lattice == "hcp",
                 cubic=lattice != "hcp"),
            random_rotation(rng),
        )
        for lattice in GRAIN_LATTICES
    ]  # fmt: skip
    cell = (edge_angstrom, edge_angstrom, thickness_angstrom)
    return voronoi_polycrystal(cell, grains, periodic=(True, True, False), whole_grains=True)
