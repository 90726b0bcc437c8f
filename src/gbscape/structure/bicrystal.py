"""Bicrystal slabs: two grains of one cubic crystal meeting at x = 0, periodic in y and z."""

import math
from typing import Literal, Protocol

import numpy as np
from ase import Atoms
from ase.geometry import minkowski_reduce
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from gbscape.config.survey import Lattice
from gbscape.structure.lattice import Rows, is_lattice_vector

LEFT, RIGHT = 1, 2
"""Values of the array `grain`."""

Removal = Literal["right", "left", "merge"]
"""Which atom of a pair that is too close goes: the right grain's, the left grain's, or both for one at their midpoint."""


class BoundaryGeometry(Protocol):
    """What a slab is built from."""

    @property
    def left(self) -> Rows: ...
    @property
    def right(self) -> Rows: ...


def build_bicrystal(
    boundary: BoundaryGeometry,
    lattice: Lattice,
    lattice_constant_angstrom: float,
    species: str,
    half_thickness_angstrom: float,
    translation_angstrom: ArrayLike = (0.0, 0.0),
    min_period_angstrom: float = 0.0,
) -> Atoms:
    """Unrelaxed slab of a boundary; nothing is removed.

    The left grain fills -half_thickness <= x < 0 and the right grain 0 <= x < half_thickness, so that a plane of the
    right grain lies at x = 0. The right grain is displaced by `translation_angstrom` (y, z). The common period is
    repeated in y and in z until it is at least `min_period_angstrom`.

    Returns:
        Atoms (n) periodic in y and z, with the array `grain` (n,) of 1 (left) and 2 (right); the left grain comes first.
        The cell's x edge is 2 half_thickness and its origin is at x = 0, so positions in x are both signs.

    Raises:
        ValueError: rows that are not orthogonal lattice vectors, or whose y or z differ in length between the grains.
    """
    if not half_thickness_angstrom > 0:
        raise ValueError(f"half_thickness_angstrom must be positive, got {half_thickness_angstrom}")
    periods = periods_angstrom(boundary, lattice, lattice_constant_angstrom)
    half_cell = half_thickness_angstrom / (lattice_constant_angstrom / 2)
    left = _grain_angstrom(boundary.left, lattice, lattice_constant_angstrom, -half_cell, 0.0)
    right = _grain_angstrom(boundary.right, lattice, lattice_constant_angstrom, 0.0, half_cell)
    right[:, 1:] = (right[:, 1:] + np.asarray(translation_angstrom, dtype=float)) % periods
    slab = Atoms(
        f"{species}{len(left) + len(right)}",
        positions=np.vstack([left, right]),
        cell=[2 * half_thickness_angstrom, *periods],
        pbc=(False, True, True),
    )
    slab.set_array("grain", np.repeat(np.array([LEFT, RIGHT], dtype=np.int8), [len(left), len(right)]))
    return repeat_in_plane(slab, min_period_angstrom)


def repeat_in_plane(slab: Atoms, min_period_angstrom: float) -> Atoms:
    """The slab repeated in y and in z until each period is at least `min_period_angstrom`."""
    lengths = slab.cell.lengths()[1:]
    # A hair of slack keeps a period that equals the limit from being doubled by rounding.
    counts = [max(1, math.ceil(min_period_angstrom / length - 1e-9)) for length in lengths]
    return slab.repeat((1, *counts))


def periods_angstrom(
    boundary: BoundaryGeometry, lattice: Lattice, lattice_constant_angstrom: float
) -> NDArray[np.float64]:
    """Common periods (2,) of both grains along y and z.

    Raises:
        ValueError: see `build_bicrystal`.
    """
    left, right = (
        _checked_rows(rows, lattice, side) for side, rows in (("left", boundary.left), ("right", boundary.right))
    )
    squared = (left**2).sum(axis=1), (right**2).sum(axis=1)
    for axis, name in ((1, "y"), (2, "z")):
        if squared[0][axis] != squared[1][axis]:
            raise ValueError(
                f"the {name} vectors of the grains must have equal lengths, got {left[axis].tolist()} (left) "
                f"and {right[axis].tolist()} (right)"
            )
    return np.sqrt(squared[0][1:]) * lattice_constant_angstrom / 2


def distinct_translations_cell_angstrom(
    boundary: BoundaryGeometry, lattice: Lattice, lattice_constant_angstrom: float
) -> NDArray[np.float64]:
    """Edges (2, 2), rows of (y, z), of the cell that holds every distinct displacement of one grain along the boundary.

    Displacing the right grain by one of its own in-plane lattice vectors leaves it as it was, and displacing it by one of
    the left grain's moves the whole bicrystal. So displacements repeat with the lattice that both in-plane lattices
    generate together, usually much finer than the common period. The edges are Minkowski-reduced.

    Raises:
        ValueError: see `build_bicrystal`.
    """
    periods = periods_angstrom(boundary, lattice, lattice_constant_angstrom)
    generators = []
    for rows in (boundary.left, boundary.right):
        grid = _in_plane_lattice(np.array(rows), lattice)
        y, z = np.array(rows)[1], np.array(rows)[2]
        # Fractions of the common period are rational with these denominators, so the sum is taken over the integers.
        generators.append((grid @ np.stack([y, z]).T, (int(y @ y), int(z @ z))))
    (left, (yy, zz)), (right, _) = generators
    lattice_rows = _hermite_2d(np.vstack([left, right, [[yy, 0], [0, zz]]]))
    edges = lattice_rows / np.array([yy, zz]) * periods
    cell = np.zeros((3, 3))
    cell[:2, :2] = edges
    cell[2, 2] = 1.0
    reduced, _ = minkowski_reduce(cell, pbc=(True, True, False))
    return np.asarray(reduced)[:2, :2]


def overlapping_pairs(slab: Atoms, within_angstrom: float) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
    """Pairs of a left and a right atom closer than `within_angstrom`, nearest images, periodic in y and z.

    Returns:
        Indices (m, 2), left then right, and distances (m,) in Angstrom, in ascending order of distance.
    """
    grain = slab.arrays["grain"]
    near = np.abs(slab.positions[:, 0]) < within_angstrom + 1.0
    left, right = np.flatnonzero((grain == LEFT) & near), np.flatnonzero((grain == RIGHT) & near)
    periods = slab.cell.lengths()[1:]
    # Images of the left atoms stand for periodicity; also right when a period is shorter than the distance asked for.
    reach = np.ceil(within_angstrom / periods).astype(int)
    shifts = [
        (0.0, i * periods[0], j * periods[1])
        for i in range(-reach[0], reach[0] + 1)
        for j in range(-reach[1], reach[1] + 1)
    ]
    wrapped = slab.positions.copy()
    wrapped[:, 1:] %= periods
    images = np.vstack([wrapped[left] + shift for shift in shifts]) if len(left) else np.empty((0, 3))
    found = cKDTree(images).query_ball_point(wrapped[right], within_angstrom) if len(images) and len(right) else []
    nearest: dict[tuple[int, int], float] = {}
    for atom, hits in zip(right, found, strict=False):
        for hit in hits:
            key = (int(left[hit % len(left)]), int(atom))
            distance = float(np.linalg.norm(images[hit] - wrapped[atom]))
            nearest[key] = min(distance, nearest.get(key, np.inf))
    ordered = sorted(nearest.items(), key=lambda item: (round(item[1], 9), item[0]))
    pairs = np.array([key for key, _ in ordered], dtype=int).reshape(-1, 2)
    return pairs, np.array([distance for _, distance in ordered])


def remove_overlaps(slab: Atoms, cutoff_angstrom: float, removal: Removal = "right") -> Atoms:
    """A copy of the slab without pairs across the boundary that are closer than the cut-off.

    With `merge` each pair, closest first, becomes one atom of the left grain at its midpoint; an atom that is still too
    close to one that was merged is removed.
    """
    pairs, distances = overlapping_pairs(slab, cutoff_angstrom)
    pairs = pairs[distances < cutoff_angstrom]
    kept = np.ones(len(slab), dtype=bool)
    result = slab.copy()
    if removal == "right":
        kept[pairs[:, 1]] = False
    elif removal == "left":
        kept[pairs[:, 0]] = False
    elif removal == "merge":
        merged: set[int] = set()
        periods = slab.cell.lengths()[1:]
        for left, right in pairs:
            if left in merged or right in merged or not (kept[left] and kept[right]):
                continue
            separation = slab.positions[right] - slab.positions[left]
            separation[1:] -= periods * np.round(separation[1:] / periods)
            result.positions[left] += separation / 2
            kept[right] = False
            merged.add(int(left))
        if merged:
            _drop_near_merged(result, kept, merged, cutoff_angstrom)
    else:
        raise ValueError(f"removal must be 'right', 'left' or 'merge', got {removal!r}")
    return result[kept]


def _drop_near_merged(slab: Atoms, kept: NDArray[np.bool_], merged: set[int], cutoff_angstrom: float) -> None:
    periods = slab.cell.lengths()[1:]
    centres = slab.positions[sorted(merged)]
    for atom in np.flatnonzero(kept & (np.abs(slab.positions[:, 0]) < cutoff_angstrom + 1.0)):
        if int(atom) in merged:
            continue
        separation = centres - slab.positions[atom]
        separation[:, 1:] -= periods * np.round(separation[:, 1:] / periods)
        if (np.linalg.norm(separation, axis=1) < cutoff_angstrom).any():
            kept[atom] = False


def _checked_rows(rows: Rows, lattice: Lattice, side: str) -> NDArray[np.int_]:
    array = np.array(rows)
    if array.shape != (3, 3) or array.dtype.kind != "i":
        raise ValueError(f"the {side} grain needs 3 x 3 integer rows (normal, y, z), got {rows!r}")
    products = array @ array.T
    if np.any(products != np.diag(np.diag(products))) or np.any(np.diag(products) == 0):
        raise ValueError(f"the rows of the {side} grain must be orthogonal and not zero, got {array.tolist()}")
    if round(float(np.linalg.det(array))) < 0:
        raise ValueError(f"the rows of the {side} grain must be right-handed, got {array.tolist()}")
    outside = array[~is_lattice_vector(array, lattice)]
    if len(outside):
        raise ValueError(
            f"{outside[0].tolist()} of the {side} grain is not a vector of the {lattice} lattice (units a0/2)"
        )
    return array


def _grain_angstrom(
    rows: Rows, lattice: Lattice, lattice_constant_angstrom: float, low: float, high: float
) -> NDArray[np.float64]:
    """Atoms (n, 3) of one period with low <= x < high (in a0/2), y and z in [0, period), sorted; exact up to rounding."""
    frame = np.array(rows)
    lengths = np.sqrt((frame**2).sum(axis=1))
    corners = np.array([[x, y, z] for x in (low, high) for y in (0, lengths[1]) for z in (0, lengths[2])])
    corners = corners @ (frame / lengths[:, None])
    ranges = [
        np.arange(math.floor(a) - 1, math.ceil(b) + 2) for a, b in zip(corners.min(0), corners.max(0), strict=True)
    ]
    points = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    points = points[is_lattice_vector(points, lattice)]
    # Integer products decide what is inside in y and z; x ends at a rounding-safe plane.
    along = points @ frame.T
    squared = (frame**2).sum(axis=1)
    slack = 1e-9 * lengths[0]
    inside = (along[:, 1] >= 0) & (along[:, 1] < squared[1]) & (along[:, 2] >= 0) & (along[:, 2] < squared[2])
    inside &= (along[:, 0] >= low * lengths[0] - slack) & (along[:, 0] < high * lengths[0] - slack)
    along = along[inside]
    along = along[np.lexsort((along[:, 2], along[:, 1], along[:, 0]))]
    return along / lengths * lattice_constant_angstrom / 2


def _in_plane_lattice(rows: NDArray[np.int_], lattice: Lattice) -> NDArray[np.int_]:
    """Lattice vectors (n, 3) with no component along the normal, in one period of y and z."""
    normal, y, z = rows
    reach = np.abs(y) + np.abs(z)
    ranges = [np.arange(-r, r + 1) for r in reach]
    points = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    points = points[is_lattice_vector(points, lattice) & (points @ normal == 0)]
    inside = (points @ y >= 0) & (points @ y < y @ y) & (points @ z >= 0) & (points @ z < z @ z)
    return points[inside]


def _hermite_2d(vectors: NDArray[np.int_]) -> NDArray[np.int_]:
    """Basis (2, 2) of the lattice that integer vectors (n, 2) of full rank generate."""
    first, second = np.zeros(2, dtype=int), 0
    for vector in vectors:
        a, b = first.copy(), vector.copy()
        while b[0] != 0:
            a, b = b, a - (a[0] // b[0]) * b
        first, second = a, math.gcd(second, abs(int(b[1])))
        if second:
            first[1] %= second
    return np.array([first, [0, second]])
