"""Cubic Bravais lattices and their point group in exact integers.

Lattice vectors are integer triples in units of a0/2, the unit in which the vectors of all three cubic lattices are
integers: fcc vectors have an even sum, bcc vectors three components of one parity, sc vectors even components.
"""

import functools
import itertools
import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gbscape.config.survey import Lattice

IntArray = NDArray[np.int64]

Rows = Sequence[Sequence[int]]
"""Three lattice vectors of a grain in units of a0/2: boundary normal (x), y and z; mutually orthogonal."""


def _proper_rotations() -> IntArray:
    matrices = []
    for permutation in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            matrix = np.zeros((3, 3), dtype=np.int64)
            matrix[range(3), permutation] = signs
            if round(np.linalg.det(matrix)) == 1:
                matrices.append(matrix)
    rotations = np.array(matrices)
    rotations.setflags(write=False)
    return rotations


CUBIC_ROTATIONS: IntArray = _proper_rotations()
"""The 24 proper rotations of the cube (point group 432), shape (24, 3, 3)."""


def is_lattice_vector(vectors: ArrayLike, lattice: Lattice) -> NDArray[np.bool_]:
    """Tell which integer vectors, shape (..., 3) in a0/2, are vectors of `lattice`; the result has shape (...)."""
    odd = np.asarray(vectors, dtype=np.int64) % 2
    match lattice:
        case "fcc":
            return odd.sum(axis=-1) % 2 == 0
        case "bcc":
            return (odd == odd[..., :1]).all(axis=-1)
        case "sc":
            return (odd == 0).all(axis=-1)
    raise ValueError(f"unknown lattice {lattice!r}; allowed: fcc, bcc, sc")


def reduced(directions: ArrayLike) -> IntArray:
    """Divide integer directions, shape (..., 3), by the common divisor of their components.

    Raises:
        ValueError: a direction is zero.
    """
    directions = np.asarray(directions, dtype=np.int64)
    divisor = np.gcd.reduce(directions, axis=-1, keepdims=True)
    if (divisor == 0).any():
        raise ValueError("a zero vector has no direction")
    return directions // divisor


def primitive_vectors(directions: ArrayLike, lattice: Lattice) -> IntArray:
    """Shortest lattice vectors, in a0/2, along integer directions of shape (..., 3).

    Raises:
        ValueError: a direction is zero.
    """
    vectors = reduced(directions)
    # Twice any integer vector belongs to all three lattices, so the factor is 1 or 2.
    return np.where(is_lattice_vector(vectors, lattice)[..., None], vectors, 2 * vectors)


def squared_length(vector: Iterable[int]) -> int:
    """Squared length of one integer vector, exact."""
    return sum(int(i) ** 2 for i in vector)


def squared_length_limit(max_length: float) -> int:
    """Largest integer squared length within `max_length`; a length given as the float of a square root counts fully."""
    return math.floor(max_length**2 * (1 + 1e-12))


@functools.lru_cache(maxsize=4)
def primitive_vectors_within(lattice: Lattice, max_length: float) -> IntArray:
    """All primitive vectors of `lattice` no longer than `max_length` (in a0/2), shape (n, 3), sorted, read-only."""
    limit = squared_length_limit(max_length)
    span = np.arange(-math.isqrt(limit), math.isqrt(limit) + 1)
    grid = np.stack(np.meshgrid(span, span, span, indexing="ij"), axis=-1).reshape(-1, 3)
    squared = (grid**2).sum(axis=1)
    grid = grid[(squared > 0) & (squared <= limit) & is_lattice_vector(grid, lattice)]
    vectors = grid[(grid == primitive_vectors(grid, lattice)).all(axis=1)]
    vectors.setflags(write=False)
    return vectors


def miller_family(direction: ArrayLike) -> tuple[int, int, int]:
    """Miller indices h >= k >= l >= 0 of the family <hkl> that an integer direction belongs to, without common divisor."""
    h, k, l = sorted((abs(int(i)) for i in reduced(direction)), reverse=True)  # noqa: E741
    return h, k, l
