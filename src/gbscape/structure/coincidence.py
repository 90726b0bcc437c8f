"""Crystallography of coincidence boundaries between two cubic crystals, in exact integers.

A boundary is described by two right-handed orthogonal triples of integer rows, `left` and `right`: the crystal
directions, in the left and in the right grain, of the sample's x axis (the boundary normal), y axis and z axis. Only
the directions matter here; the lengths of the rows do not. Its five macroscopic degrees of freedom are the
misorientation R, which maps directions of the right crystal to directions of the left one, and the normal.

Many descriptions are one boundary: each crystal's axes may be renamed by the 24 rotations of the cube, the bicrystal
may be inverted (cubic lattices are centrosymmetric) or looked at from the other side (the grains swap), and the
in-plane axes y and z are free. `canonical_form` is the same for all of them and different for any other boundary.
"""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gbscape.structure.lattice import CUBIC_ROTATIONS, IntArray, miller_family, reduced

Character = Literal["twist", "tilt", "mixed"]
CanonicalForm = tuple[int, ...]
"""(Sigma, left normal (3), rows of Sigma R (9)): 13 integers."""

_LONGEST_SQUARED = 10_000
_LARGEST_SIGMA = 10**6

# The full group of 48: rotations, then each of them times the inversion.
_OPERATIONS = np.concatenate([CUBIC_ROTATIONS, -CUBIC_ROTATIONS])


class Misorientation(NamedTuple):
    """The exact rotation R = numerators / sigma that maps directions of the right crystal to those of the left one."""

    numerators: tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]]
    sigma: int
    """Least positive integer that makes sigma R integer; for cubic lattices the reciprocal density of coincidence
    sites (Grimmer, Bollmann, Warrington, Acta Cryst. A 30 (1974) 197)."""


class Disorientation(NamedTuple):
    """The description of a misorientation with the smallest rotation angle."""

    angle_deg: float
    axis: tuple[int, int, int]
    """Miller family h >= k >= l >= 0. Of several axes with the same angle, the one of smallest indices."""


def misorientation(left: ArrayLike, right: ArrayLike) -> Misorientation:
    """Misorientation between two grains described by 3 x 3 integer rows (normal, y, z).

    Raises:
        ValueError: the rows are no right-handed orthogonal integer triples, are too long for exact 64-bit
            arithmetic (length 100 without common divisor), or share no coincidence lattice.
    """
    numerators, sigma = misorientations(_checked("left", left)[None], _checked("right", right)[None])
    rows = [tuple(int(i) for i in row) for row in numerators[0]]
    return Misorientation((rows[0], rows[1], rows[2]), int(sigma[0]))  # type: ignore[arg-type]


def sigma(left: ArrayLike, right: ArrayLike) -> int:
    """Reciprocal density of coincidence sites between the two grains; see `misorientation` for errors."""
    return misorientation(left, right).sigma


def canonical_form(left: ArrayLike, right: ArrayLike) -> CanonicalForm:
    """Thirteen integers that all descriptions of one boundary share, and no other boundary has.

    The form is the lexicographically largest (left normal, rows of Sigma R) over the 24 x 24 rotations of the two
    crystals' axes, inversion of the normal and exchange of the grains; the left normal is h >= k >= l >= 0.

    Args:
        left, right: 3 x 3 integer rows (normal, y, z).

    Raises:
        ValueError: see `misorientation`.
    """
    left = _checked("left", left)
    numerators, sigmas = misorientations(left[None], _checked("right", right)[None])
    return tuple(int(i) for i in canonical_forms(left[None, 0], numerators, sigmas)[0])


def disorientation(rotation: Misorientation) -> Disorientation:
    """Smallest rotation, over the symmetry-equivalent ones, that carries one crystal into the other.

    Raises:
        ValueError: the crystals have the same orientation (Sigma 1), so there is no axis.
    """
    angle_deg, axes = _minimum_angle_descriptions(rotation)
    families = {miller_family(axis) for axis in axes}
    return Disorientation(angle_deg, min(families, key=lambda hkl: (sum(i * i for i in hkl), hkl)))


def character(normal: Sequence[int], rotation: Misorientation) -> Character:
    """Twist, tilt or mixed, judged by the descriptions of smallest rotation angle.

    A boundary is a twist boundary if in one of these descriptions the rotation axis is normal to its plane; else a
    tilt boundary if in one of them the axis lies in its plane; else it is mixed. Descriptions with larger angles are
    not considered: by them nearly every symmetric boundary would be both.

    Args:
        normal: boundary normal in the left crystal.
        rotation: misorientation of the boundary.

    Raises:
        ValueError: the crystals have the same orientation (Sigma 1).
    """
    _, axes = _minimum_angle_descriptions(rotation)
    if (np.cross(axes, normal) == 0).all(axis=1).any():
        return "twist"
    return "tilt" if (axes @ np.asarray(normal) == 0).any() else "mixed"


def _minimum_angle_descriptions(rotation: Misorientation) -> tuple[float, IntArray]:
    """Smallest rotation angle in degrees, and the axes in the left crystal of the descriptions that have it, (n, 3).

    The trace of S R T depends only on T S, and S turns axis and normal alike, so the 24 matrices R T are enough.
    """
    if rotation.sigma == 1:
        raise ValueError("the two crystals have the same orientation (Sigma 1): no disorientation axis")
    matrices = np.array(rotation.numerators) @ CUBIC_ROTATIONS
    traces = np.trace(matrices, axis1=1, axis2=2)
    # Disorientation angles of cubic crystals are below 63 degrees, so the antisymmetric part never vanishes.
    smallest = matrices[traces == traces.max()]
    axes = np.stack([smallest[:, i, j] - smallest[:, j, i] for i, j in ((2, 1), (0, 2), (1, 0))], axis=1)
    # |axes| = 2 sigma sin(angle) and trace - sigma = 2 sigma cos(angle).
    angle = math.atan2(math.sqrt(int(axes[0] @ axes[0])), int(traces.max()) - rotation.sigma)
    return math.degrees(angle), reduced(axes)


def misorientations(left: IntArray, right: IntArray) -> tuple[IntArray, IntArray]:
    """Misorientations of many boundaries at once.

    Args:
        left, right: right-handed orthogonal integer rows (normal, y, z), shape (n, 3, 3). Not checked.

    Returns:
        Numerators of R, shape (n, 3, 3), and sigma, shape (n,).

    Raises:
        ValueError: grains without a coincidence lattice, or Sigma above a million.
    """
    left, right = reduced(left), reduced(right)
    squared = (left**2).sum(axis=2) * (right**2).sum(axis=2)
    lengths = np.rint(np.sqrt(squared)).astype(np.int64)
    if (lengths**2 != squared).any():
        raise ValueError("the lengths of corresponding rows have an irrational ratio: no coincidence lattice")
    common = np.lcm.reduce(lengths, axis=1)
    numerators = np.einsum("na,nai,naj->nij", common[:, None] // lengths, left, right)
    divisor = np.gcd(np.gcd.reduce(numerators.reshape(-1, 9), axis=1), common)
    sigmas = common // divisor
    if (sigmas >= _LARGEST_SIGMA).any():
        raise ValueError(f"Sigma {sigmas.max()} is too large; at most {_LARGEST_SIGMA - 1}")
    return numerators // divisor[:, None, None], sigmas


def canonical_forms(normals: IntArray, numerators: IntArray, sigmas: IntArray) -> IntArray:
    """Canonical forms of many boundaries at once; see `canonical_form`.

    Args:
        normals: boundary normals in the left crystals, shape (n, 3).
        numerators, sigmas: misorientations, shapes (n, 3, 3) and (n,).

    Returns:
        Shape (n, 13): sigma, left normal, rows of sigma R.
    """
    number = len(sigmas)
    normals = reduced(normals)
    opposite = reduced(np.einsum("nij,ni->nj", numerators, normals))
    families = [-np.sort(-np.abs(n), axis=1) for n in (normals, opposite)]
    order = _compare(families[0], families[1])

    # Only descriptions that bring the larger of the two normals to h >= k >= l >= 0 can be the largest.
    owners, rotated = [], []
    for view, (normal, matrix) in enumerate(((normals, numerators), (opposite, numerators.transpose(0, 2, 1)))):
        rows = np.flatnonzero(order >= 0 if view == 0 else order <= 0)
        images = np.einsum("aij,nj->nai", _OPERATIONS, normal[rows])
        which, operation = np.nonzero((images == families[view][rows][:, None]).all(axis=2))
        owners.append(rows[which])
        # Inverting the bicrystal turns the normal round and leaves the misorientation alone.
        rotated.append(CUBIC_ROTATIONS[operation % 24] @ matrix[rows[which]])
    owner, candidates = np.concatenate(owners), np.concatenate(rotated)

    # The third row of a rotation follows from the other two, so these are compared, each as one number.
    base = 2 * sigmas[owner, None, None] + 1
    digits = np.einsum("cij,akj->cika", candidates[:, :2], CUBIC_ROTATIONS) + sigmas[owner, None, None, None]
    codes = (digits[:, :, 0] * base + digits[:, :, 1]) * base + digits[:, :, 2]
    first, second = codes[:, 0], codes[:, 1]
    best = np.full((2, number), -1, dtype=np.int64)
    np.maximum.at(best[0], owner, first.max(axis=1))
    second = np.where(first == best[0][owner, None], second, -1)
    np.maximum.at(best[1], owner, second.max(axis=1))

    base = 2 * sigmas + 1
    rows = np.stack([best // base**2, best // base % base, best % base], axis=-1) - sigmas[None, :, None]
    third = np.cross(rows[0], rows[1]) // sigmas[:, None]
    larger = np.where((order >= 0)[:, None], families[0], families[1])
    return np.hstack([sigmas[:, None], larger, rows[0], rows[1], third])


def _compare(a: IntArray, b: IntArray) -> IntArray:
    """Lexicographic comparison of rows: 1 where a > b, 0 where equal, -1 where a < b; shape (n,)."""
    difference = np.sign(a - b)
    return np.sign(difference @ (4, 2, 1))


def _checked(side: str, rows: ArrayLike) -> IntArray:
    array = np.asarray(rows)
    if array.shape != (3, 3) or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{side}: expected 3 x 3 integers (rows: normal, y, z), got {rows!r}")
    if not array.any(axis=1).all():
        raise ValueError(f"{side}: a row is zero in {array.tolist()}")
    array = reduced(array)
    if ((array**2).sum(axis=1) > _LONGEST_SQUARED).any():
        raise ValueError(f"{side}: a row is longer than {math.isqrt(_LONGEST_SQUARED)} without its common divisor")
    if np.count_nonzero(array @ array.T) != 3:
        raise ValueError(f"{side}: the rows {array.tolist()} are not orthogonal")
    if array[0] @ np.cross(array[1], array[2]) < 0:
        raise ValueError(f"{side}: the rows {array.tolist()} are left-handed; turn one of them round")
    return array
