"""Model of a nickel-based superalloy: an ordered precipitate in a disordered matrix of the same lattice (Leitherer, PhD
thesis 2021, section 6.3, figure 6.4)."""

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from numpy.typing import NDArray

from gbscape.structure.polycrystal import Grain, random_rotation, voronoi_polycrystal

MATRIX, PRECIPITATE = 0, 1
"""Values of the array `phase`."""


def superalloy(
    edge_angstrom: float = 120.0,
    lattice_parameter_angstrom: float = 3.74,
    precipitate_edge_angstrom: float = 60.0,
    aluminium_fraction: float = 0.25,
    orientation_seed: int = 32,
    seed: int = 0,
) -> Atoms:
    """Cube of fcc with a cube of L1_2 Ni3Al in its middle, in the same orientation, and Ni and Al at random around it.

    The published structure has 132 127 atoms in a cube of 120 Angstrom. No fcc crystal with {100} faces has that number
    of atoms in a cube of such an edge (with m atomic layers along each edge there are m^3 / 2), but 4 / a^3 x 120^3 is
    132 126 for a = 3.74 Angstrom, the lattice parameter of the class L1_2 (Cu3Au) among the prototypes. So the published
    cube is taken to be cut from a crystal that is turned against its faces. The number then depends on the orientation:
    132 126 on average over random ones with a standard deviation of 25. That of the default is one with 132 127.

    Args:
        edge_angstrom: of the sample, whose faces are free surfaces.
        lattice_parameter_angstrom: of matrix and precipitate.
        precipitate_edge_angstrom: of the precipitate; its faces are parallel to those of the sample.
        aluminium_fraction: of the matrix; 0.25 is that of the precipitate, so that nothing but order tells them apart.
        orientation_seed: of the random orientation of the crystal.
        seed: of the random species in the matrix.

    Returns:
        atoms without periodicity, with the array `phase`: `MATRIX` or `PRECIPITATE`.

    Raises:
        ValueError: a precipitate that is not smaller than the sample, or no atoms in it; a fraction outside [0, 1].
    """
    if not 0 < precipitate_edge_angstrom < edge_angstrom:
        raise ValueError(
            f"the precipitate's edge, {precipitate_edge_angstrom} Angstrom, must be positive and shorter than that of the "
            f"sample, {edge_angstrom} Angstrom"
        )
    if not 0 <= aluminium_fraction <= 1:
        raise ValueError(f"aluminium_fraction must be in [0, 1], got {aluminium_fraction!r}")
    ordered = Atoms("AlNi3", scaled_positions=[(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)],
                    cell=[lattice_parameter_angstrom] * 3, pbc=True)  # fmt: skip
    middle = np.full(3, edge_angstrom / 2)
    crystal = Grain(middle, ordered, random_rotation(np.random.default_rng(orientation_seed)))
    atoms = voronoi_polycrystal(edge_angstrom, [crystal], periodic=False)
    inside: NDArray[np.bool_] = (np.abs(atoms.positions - middle) <= precipitate_edge_angstrom / 2).all(axis=1)
    if inside.sum() < len(ordered):
        raise ValueError(
            f"a precipitate of {precipitate_edge_angstrom} Angstrom holds {inside.sum()} atoms, less than a unit cell of "
            f"{lattice_parameter_angstrom} Angstrom"
        )
    is_aluminium = np.random.default_rng(seed).random(len(atoms)) < aluminium_fraction
    random_numbers = np.where(is_aluminium, atomic_numbers["Al"], atomic_numbers["Ni"])
    atoms.numbers = np.where(inside, atoms.numbers, random_numbers)
    del atoms.arrays["grain"]
    atoms.set_array("phase", np.where(inside, PRECIPITATE, MATRIX).astype(np.int32))
    return atoms
