"""Changes of a slab after which it is the same boundary."""

from collections.abc import Iterator

import numpy as np
from ase import Atoms
from ase.build import make_supercell

TRANSLATION, PERMUTATION, ROTATION = "translation", "permutation", "rotation"
MOST_REPEATS = 5
"""Of a cell with other axes; larger ones are left out."""


def same_boundary(atoms: Atoms, seed: int) -> Iterator[tuple[str, str, Atoms]]:
    """Yield (kind, name, slab), each the boundary of `atoms` written in another way.

    A slab's cell has its edges along the axes, which leaves these rotations: half a turn about each axis, a quarter turn about
    the normal, and turns about the normal that put the axes along other periods (where a cell of at most
    `MOST_REPEATS` has such periods). Half a turn about y or z swaps the grains. Repetitions count as translations.

    Args:
        atoms: slab, normal along x, cell edges along x, y and z; its arrays go along.
        seed: of the random translation and permutation.
    """
    random = np.random.default_rng(seed)
    periods = atoms.cell.lengths()[1:]
    yield TRANSLATION, "along the plane", _moved(atoms, [0.0, *(random.random(2) * periods)])
    yield TRANSLATION, "along the normal", _moved(atoms, [random.random(), 0.0, 0.0])
    yield TRANSLATION, "repeated along y", atoms.repeat((1, 2, 1))
    yield TRANSLATION, "repeated along z", atoms.repeat((1, 1, 2))
    yield PERMUTATION, "atoms permuted", atoms[random.permutation(len(atoms))]
    yield ROTATION, "half a turn about the normal", _turned(atoms, [[1, 0, 0], [0, -1, 0], [0, 0, -1]])
    yield ROTATION, "quarter turn about the normal", _turned(atoms, [[1, 0, 0], [0, 0, -1], [0, 1, 0]])
    yield ROTATION, "grains swapped, about y", _turned(atoms, [[-1, 0, 0], [0, 1, 0], [0, 0, -1]])
    yield ROTATION, "grains swapped, about z", _turned(atoms, [[-1, 0, 0], [0, -1, 0], [0, 0, 1]])
    other = other_periods(atoms)
    if other is not None:
        yield ROTATION, "other periods as axes", other


def other_periods(atoms: Atoms) -> Atoms | None:
    """The slab turned about its normal so that y lies along a period that was no axis; None if its cell would be too large."""
    y, z = atoms.cell.lengths()[1:]
    best: tuple[int, tuple[int, int, int, int]] | None = None
    steps = range(-MOST_REPEATS, MOST_REPEATS + 1)
    for m in range(1, MOST_REPEATS + 1):
        for n in range(1, MOST_REPEATS + 1):
            for p in steps:
                for q in range(1, MOST_REPEATS + 1):
                    repeats = m * q - n * p
                    orthogonal = abs(m * p * y**2 + n * q * z**2) < 1e-6 * y * z
                    if orthogonal and 1 < repeats <= MOST_REPEATS and (best is None or repeats < best[0]):
                        best = repeats, (m, n, p, q)
    if best is None:
        return None
    m, n, p, q = best[1]
    larger = make_supercell(atoms, [[1, 0, 0], [0, m, n], [0, p, q]], wrap=False)
    angle = np.arctan2(n * z, m * y)
    cosine, sine = np.cos(angle), np.sin(angle)
    turned = _turned(larger, [[1, 0, 0], [0, cosine, sine], [0, -sine, cosine]])
    turned.set_cell(np.diag(larger.cell.lengths()))
    return turned


def _moved(atoms: Atoms, by_angstrom: list[float]) -> Atoms:
    moved = atoms.copy()
    moved.positions += by_angstrom
    return moved


def _turned(atoms: Atoms, rotation: list[list[float]]) -> Atoms:
    turned = atoms.copy()
    turned.positions = atoms.positions @ np.transpose(rotation)
    turned.set_cell(np.diag(np.abs(np.array(rotation)) @ atoms.cell.lengths()))
    return turned
