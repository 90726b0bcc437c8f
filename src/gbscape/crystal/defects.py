"""Defects that test how robust a classification is: displaced atoms, missing atoms.

As in the authors' code (ai4materials, `create_vacancies` and `random_displace_atoms` with `uniform_scaled` noise, as
`calc_SOAP_dataset` calls them): missing atoms are drawn from all atoms alike, int(ratio x number of atoms) of them; every
atom is displaced by three numbers drawn uniformly from [-ratio d, ratio d], where d is the nearest-neighbour distance
of the structure, species aside. With both, atoms are removed first, and d is that of what is left.
"""

import numpy as np
from ase import Atoms

from gbscape.structure.nearest_neighbours import nearest_neighbour_distance

FEWEST_ATOMS_LEFT = 2
"""A single atom has no neighbours and no structure."""


def displace_atoms(atoms: Atoms, ratio: float, random: np.random.Generator) -> Atoms:
    """A copy whose atoms are displaced at random.

    Args:
        atoms: the structure.
        ratio: the largest displacement along x, y and z in nearest-neighbour distances, 0 to below 1.
        random: source of random numbers.

    Raises:
        ValueError: a ratio outside [0, 1); no nearest-neighbour distance (see `nearest_neighbour_distance`).
    """
    _check(ratio)
    defective = atoms.copy()
    if ratio > 0:
        largest = ratio * nearest_neighbour_distance(atoms)
        defective.positions += random.uniform(-largest, largest, size=(len(atoms), 3))
    return defective


def remove_atoms(atoms: Atoms, ratio: float, random: np.random.Generator) -> Atoms:
    """A copy that lacks int(ratio x number of atoms) atoms drawn at random; the others keep their order.

    Args:
        atoms: the structure.
        ratio: fraction of atoms to remove, 0 to below 1.
        random: source of random numbers.

    Raises:
        ValueError: a ratio outside [0, 1); fewer than two atoms would be left.
    """
    _check(ratio)
    removed = int(ratio * len(atoms) + 1e-9)  # 0.29 x 100 is 28.999...
    if len(atoms) - removed < FEWEST_ATOMS_LEFT:
        raise ValueError(
            f"{ratio:g} of {len(atoms)} atoms missing leaves {len(atoms) - removed}; at least {FEWEST_ATOMS_LEFT} are needed"
        )
    kept = np.ones(len(atoms), dtype=bool)
    kept[random.choice(len(atoms), size=removed, replace=False)] = False
    return atoms[kept]


def make_defects(atoms: Atoms, displacement: float, missing: float, seed: int | tuple[int, ...]) -> Atoms:
    """A copy with missing atoms and displacements, the same for the same seed.

    Args:
        atoms: the structure.
        displacement, missing: as the ratios of `displace_atoms` and `remove_atoms`; 0 for none.
        seed: one number, or several that together name this structure and realisation.

    Raises:
        ValueError: as `displace_atoms` and `remove_atoms`.
    """
    random = np.random.default_rng(seed)
    return displace_atoms(remove_atoms(atoms, missing, random), displacement, random)


def _check(ratio: float) -> None:
    if not 0 <= ratio < 1:
        raise ValueError(f"a ratio of defects must be at least 0 and below 1, got {ratio!r}")
