"""Symmetries of a boundary that its atoms show, and how far numbers on the atoms keep them."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Symmetry:
    """Which of n atoms a boundary's symmetry brings into each other."""

    translation_orbits: Indices
    """(n,) number of each atom's set of atoms that translations in the plane bring into each other."""
    orbits: Indices
    """(n,) the same for all operations: signs of the three coordinates with a translation in the plane."""
    periods_angstrom: tuple[float, float]
    """Shortest translations along y and along z."""


def find_symmetry(positions: Array, cell: Array, tolerance_angstrom: float = 0.1) -> Symmetry:
    """Operations (+-x, +-y + a, +-z + b) that bring every atom within a tolerance of an atom.

    An inversion of x is about the mean x of the atoms.

    Args:
        positions: (n, 3) in Angstrom.
        cell: (3,) edge lengths in Angstrom, periodic along y and z.
        tolerance_angstrom: largest distance of an atom from its image.
    """
    n = len(positions)
    own = positions.copy()
    own[:, 0] -= own[:, 0].mean()
    lengths = np.array([0.0, cell[1], cell[2]])  # 0: not periodic
    own = _wrapped(own, lengths)
    tree = cKDTree(own, boxsize=lengths)
    translations: list[tuple[Array, Indices]] = []
    images: list[Indices] = []
    for signs in itertools.product((1.0, -1.0), repeat=3):
        turned = own * signs
        for target in own[np.abs(own[:, 0] - turned[0, 0]) < tolerance_angstrom]:
            shift = target - turned[0]
            shift[0] = 0.0
            distances, image = tree.query(_wrapped(turned + shift, lengths))
            if distances.max() < tolerance_angstrom:
                images.append(image)
                if signs == (1.0, 1.0, 1.0):
                    translations.append((shift, image))
    along_y, along_z = (_shortest(translations, axis, cell, tolerance_angstrom) for axis in (1, 2))
    return Symmetry(_orbits([image for _, image in translations], n), _orbits(images, n), (along_y, along_z))


def broken_share(values: Array, orbits: Indices) -> float:
    """Share of the variance of values (n,) that lies within orbits, between 0 (the symmetry is kept) and 1.

    Numbers drawn at random break n - n_orbits of n - 1 degrees of freedom.
    """
    counts = np.bincount(orbits)
    means = np.bincount(orbits, values) / counts
    total = values.var()
    return float((values - means[orbits]).var() / total) if total > 0 else 0.0


def _wrapped(positions: Array, lengths: Array) -> Array:
    wrapped = positions.copy()
    for axis in (1, 2):
        wrapped[:, axis] %= lengths[axis]
        wrapped[wrapped[:, axis] >= lengths[axis], axis] = 0.0  # a remainder may round up to the period itself
    return wrapped


def _shortest(translations: list[tuple[Array, Indices]], axis: int, cell: Array, tolerance: float) -> float:
    """Shortest translation along one axis alone; its own period at most."""
    found = [cell[axis]]
    for shift, _ in translations:
        along, across = shift[axis] % cell[axis], shift[3 - axis] % cell[3 - axis]
        if min(across, cell[3 - axis] - across) < tolerance < min(along, cell[axis] - along):
            found.append(min(along, cell[axis] - along))
    return float(cell[axis] / round(cell[axis] / min(found)))


def _orbits(images: list[Indices], n: int) -> Indices:
    """Connected components of the atoms joined by images (each (n,)), as numbers (n,)."""
    first = np.tile(np.arange(n), len(images))
    second = np.concatenate(images)
    joined = coo_array((np.ones(len(first)), (first, second)), shape=(n, n))
    return np.asarray(connected_components(joined, directed=False)[1], dtype=np.int64)
