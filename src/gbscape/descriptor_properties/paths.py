"""Paths of structures: displacements at random, a grain that slides, an atom that moves, pairs of defects."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from gbscape.structure.bicrystal import RIGHT


def displaced(atoms: Atoms, lengths_angstrom: Sequence[float], seed: int) -> list[Atoms]:
    """All atoms displaced by one set of normal random vectors, scaled to each standard deviation along each axis."""
    directions = np.random.default_rng(seed).normal(size=(len(atoms), 3))
    return [_with_positions(atoms, atoms.positions + length * directions) for length in lengths_angstrom]


def sliding_grain(atoms: Atoms, length_angstrom: float, steps: int) -> list[Atoms]:
    """The right grain displaced along y in equal steps; steps + 1 structures, the first as given."""
    right = right_grain(atoms)
    return [
        _with_positions(atoms, atoms.positions + np.outer(right, [0.0, length_angstrom * step / steps, 0.0]))
        for step in range(steps + 1)
    ]


def moving_atom(atoms: Atoms, length_angstrom: float, steps: int) -> list[Atoms]:
    """The atom nearest to the middle of the boundary displaced in equal steps; steps + 1 structures, the first as given."""
    atom = middle_atom(atoms)
    return [with_defects(atoms, [atom], length_angstrom * step / steps) for step in range(steps + 1)]


def defect_pairs(atoms: Atoms, separations_angstrom: Sequence[float]) -> tuple[Atoms, int, list[tuple[float, int]]]:
    """A repeated slab, an atom near the middle of its boundary, and partners at about the given distances from it.

    The slab is repeated along y until no image of a partner is nearer than itself. Partners are as near to the middle of the
    boundary as the atom is, up to an atom's diameter.

    Returns:
        Slab, index of the atom, and for each separation the distance in Angstrom and the index of the partner; separations that
        find the same partner give it once.
    """
    period = atoms.cell.lengths()[1]
    slab = atoms.repeat((1, int(np.ceil(2.2 * separations_angstrom[-1] / period)), 1))
    first = middle_atom(slab)
    away = slab.get_distances(first, range(len(slab)), mic=True)
    normal = np.abs(slab.positions[:, 0] - slab.positions[first, 0])
    candidates = np.flatnonzero(slab.arrays["boundary"] & (normal < 2.0) & (away > 1e-6))
    if not len(candidates):
        raise ValueError("the boundary has a single atom near its middle; choose another one first")
    partners: dict[int, float] = {}
    for separation in separations_angstrom:
        partner = int(candidates[np.abs(away[candidates] - separation).argmin()])
        partners.setdefault(partner, float(away[partner]))
    return slab, first, [(distance, partner) for partner, distance in partners.items()]


def with_defects(slab: Atoms, atoms: Sequence[int], displacement_angstrom: float) -> Atoms:
    """The slab with these atoms displaced, all alike."""
    positions = slab.positions.copy()
    positions[list(atoms)] += displacement_angstrom * _DIRECTION
    return _with_positions(slab, positions)


def middle_atom(atoms: Atoms) -> int:
    """Index of the boundary atom whose x is nearest to the mean of the boundary's; of several the first."""
    boundary = np.flatnonzero(atoms.arrays["boundary"])
    x = atoms.positions[boundary, 0]
    return int(boundary[np.round(np.abs(x - x.mean()), 6).argmin()])


def right_grain(atoms: Atoms) -> NDArray[np.bool_]:
    """(n,) whether an atom belongs to the right grain: by the array `grain`, or where there is none by its side of the boundary."""
    if "grain" in atoms.arrays:
        return np.asarray(atoms.arrays["grain"] == RIGHT)
    x = atoms.positions[:, 0]
    return np.asarray(x > x[atoms.arrays["boundary"]].mean())


_DIRECTION = np.array([1.0, 2.0, 3.0]) / np.sqrt(14.0)
"""Of the displacement of single atoms: along no axis of symmetry."""


def _with_positions(atoms: Atoms, positions: NDArray[np.float64]) -> Atoms:
    changed = atoms.copy()
    changed.positions = positions
    return changed
