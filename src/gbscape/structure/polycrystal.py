"""Voronoi polycrystals: every grain fills the part of the cell that is nearest to its seed.

Each grain is a crystal of its own, rotated about its seed, where the origin of its unit cell lies, and cut by the planes
halfway to the seeds around it, images of periodic cells included. Atoms that grains put too close together are thinned
out afterwards.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import ConvexHull, HalfspaceIntersection, cKDTree
from scipy.spatial.transform import Rotation

from gbscape.structure.nearest_neighbours import nearest_neighbour_distance
from gbscape.structure.polygon import convex_polygon_area

Array = NDArray[np.float64]

_LATTICE_POINTS = 2**19
"""Lattice points that are looked at together: bounds the memory beside the result."""
_ON_A_PLANE_ANGSTROM = 1e-7
"""Atoms this close to a plane belong to both sides, so that rounding opens no gap; the thinning takes one of the two."""


@dataclass(frozen=True)
class Grain:
    """One grain: its crystal, where it is and how it is turned."""

    seed_angstrom: ArrayLike
    """Point (3,) about which the grain lies; an origin of the crystal's unit cells is there."""
    crystal: Atoms
    """Unit cell, of any shape; its periodicity flags do not matter."""
    rotation: ArrayLike
    """Proper rotation (3, 3): a vector v of the crystal points along `rotation @ v` in the sample."""


class VoronoiCell(NamedTuple):
    """Convex polyhedron about a seed, cut by m planes: `normals @ (x - seed) <= distances_angstrom`."""

    normals: Array
    """(m, 3) unit vectors that point outwards."""
    distances_angstrom: Array
    """(m,) of the planes from the seed."""
    neighbour: NDArray[np.int64]
    """(m,) number of the seed beyond each plane; -1 for a wall of the cell."""
    image: NDArray[np.int64]
    """(m, 3) periods by which the neighbour's seed is shifted."""
    vertices: Array
    """(v, 3) corners in Angstrom, relative to the seed."""

    def volume_angstrom3(self) -> float:
        """Volume of the polyhedron."""
        return float(ConvexHull(self.vertices).volume)

    def face_areas_angstrom2(self) -> Array:
        """Area (m,) that each plane has in common with the polyhedron."""
        areas = []
        for normal, distance in zip(self.normals, self.distances_angstrom, strict=True):
            corners = self.vertices[np.abs(self.vertices @ normal - distance) < 1e-6]
            areas.append(convex_polygon_area(corners, normal))
        return np.array(areas)


def random_rotation(rng: np.random.Generator) -> Array:
    """Rotation matrix (3, 3), uniform over all rotations (Haar measure)."""
    return Rotation.random(rng=rng).as_matrix()


def random_grains(
    n: int, crystals: Atoms | Sequence[Atoms], cell_angstrom: ArrayLike, rng: np.random.Generator
) -> list[Grain]:
    """Grains with seeds uniform in the cell and uniform random rotations.

    Args:
        n: number of grains.
        crystals: unit cell of all of them, or several that they take in turns.
        cell_angstrom: edge of a cubic cell, or three edges.
        rng: source of the random numbers; the first n of more grains are those of n.

    Raises:
        ValueError: less than one grain; no crystals; edges that are not positive.
    """
    turns = [crystals] if isinstance(crystals, Atoms) else list(crystals)
    if n < 1 or not turns:
        raise ValueError(f"a polycrystal needs at least one grain and one crystal, got n={n} and {len(turns)} crystals")
    edges = _edges(cell_angstrom)
    return [Grain(edges * rng.random(3), turns[number % len(turns)], random_rotation(rng)) for number in range(n)]


def voronoi_cells(
    cell_angstrom: ArrayLike, seeds_angstrom: ArrayLike, periodic: bool | Sequence[bool] = True
) -> list[VoronoiCell]:
    """The part of a cell that is nearest to each of the seeds.

    Along periodic axes the images of all seeds count, the seed's own included, and the part is not wrapped into the cell;
    along the others it ends at the walls, 0 and the edge.

    Args:
        cell_angstrom: edge of a cubic cell, or three edges, along x, y and z.
        seeds_angstrom: (n, 3) inside the cell.
        periodic: for all axes, or one an axis.

    Raises:
        ValueError: no seeds, or not (n, 3); a seed outside the cell; two at the same place; edges that are not positive.
    """
    edges, flags = _edges(cell_angstrom), _flags(periodic)
    seeds = np.asarray(seeds_angstrom, dtype=float)
    if seeds.ndim != 2 or seeds.shape[1] != 3 or len(seeds) == 0:
        raise ValueError(f"seeds must have shape (n, 3) with n >= 1, got {seeds.shape}")
    for number, seed in enumerate(seeds):
        if not ((seed >= 0) & np.where(flags, seed < edges, seed <= edges)).all():
            raise ValueError(
                f"seed {number} at {seed.tolist()} Angstrom is outside the cell, which reaches from 0 to {edges.tolist()} "
                "(up to but without the edge along periodic axes)"
            )
    # A point of a cell is never farther from the seed than half the diagonal of the cell, or where it is not periodic
    # the whole edge; no seed farther than twice that cuts it.
    reach = np.linalg.norm(np.where(flags, edges / 2, edges))
    counts = np.where(flags, np.ceil(2 * reach / edges), 0).astype(int)
    images = np.array(list(product(*(range(-count, count + 1) for count in counts))))
    points = (seeds + images[:, None] * edges).reshape(-1, 3)
    neighbour, image = np.tile(np.arange(len(seeds)), len(images)), np.repeat(images, len(seeds), axis=0)
    tree = cKDTree(points)
    if len(seeds) > 1 and tree.query(seeds, k=2)[0][:, 1].min() < 1e-6:
        raise ValueError("two seeds are at the same place")
    return [_voronoi_cell(seed, edges, flags, tree, neighbour, image) for seed in seeds]


def voronoi_polycrystal(
    cell_angstrom: ArrayLike,
    grains: Sequence[Grain],
    periodic: bool | Sequence[bool] = True,
    overlap: float = 0.7,
    whole_grains: bool = False,
) -> Atoms:
    """Atoms of a polycrystal whose grains are the Voronoi cells of their seeds.

    Two atoms are too close below `overlap` times the mean of their crystals' nearest-neighbour distances. Of such atoms
    those that are deepest inside their grains stay: in this order each atom is removed if it is too close to one that
    stays. So no more are removed than needed, and the same grains always give the same atoms.

    Args:
        cell_angstrom: edge of a cubic cell, or three edges, along x, y and z.
        grains: seeds inside the cell, crystals and rotations.
        periodic: for all axes, or one an axis; free surfaces close the others.
        overlap: in (0, 1], in units of the nearest-neighbour distance.
        whole_grains: leave each grain in one piece about its seed instead of wrapping it into the cell: the tiles of the
            periodic pattern, with free surfaces all around, in a cell without periodicity that holds them.

    Returns:
        atoms sorted by grain, with the arrays `grain`, the number of each atom's grain, and `distance_to_boundary`, in
        Angstrom, from the nearest plane between two grains (or a grain and its own image); free surfaces are none, and
        without any such plane the array is missing.

    Raises:
        ValueError: no grains; a seed outside the cell or two at the same place; a rotation that is not orthogonal or is
            a reflection; a crystal without atoms, without volume or with coinciding atoms; a periodic edge below two
            nearest-neighbour distances; a grain so small that no atom is in it; an overlap outside (0, 1].
    """
    edges, flags = _edges(cell_angstrom), _flags(periodic)
    if not grains:
        raise ValueError("a polycrystal needs at least one grain, got none")
    if not 0 < overlap <= 1:
        raise ValueError(f"overlap must be in (0, 1], in units of the nearest-neighbour distance, got {overlap!r}")
    rotations = [_checked_rotation(number, grain) for number, grain in enumerate(grains)]
    spacing = _nearest_neighbour_distances(grains)
    if (edges[flags] < 2 * spacing.max()).any():
        raise ValueError(
            f"the periodic edges of the cell, {edges[flags].tolist()} Angstrom, must be at least two nearest-neighbour "
            f"distances of the crystals, {2 * spacing.max():.3f} Angstrom"
        )
    seeds = np.array([grain.seed_angstrom for grain in grains], dtype=float)
    cells = voronoi_cells(edges, seeds, flags.tolist())

    # Beyond the walls, and with whole grains beyond the planes towards images, there is no other grain.
    inner = [
        (cell.neighbour >= 0) & ~(whole_grains & cell.image.any(axis=1)) for cell in cells
    ]  # fmt: skip
    pieces = [
        _fill(grain.crystal, rotation, cell, planes)
        for grain, rotation, cell, planes in zip(grains, rotations, cells, inner, strict=True)
    ]
    for number, piece in enumerate(pieces):
        if len(piece.positions) == 0:
            raise ValueError(
                f"grain {number}, of {cells[number].volume_angstrom3():.1f} cubic Angstrom, is too small to hold an atom"
            )
    label = np.repeat(np.arange(len(grains)), [len(piece.positions) for piece in pieces])
    positions = np.concatenate([seed + piece.positions for seed, piece in zip(seeds, pieces, strict=True)])
    depth = np.concatenate([piece.depth for piece in pieces])
    numbers = np.concatenate([piece.numbers for piece in pieces])
    del pieces
    if whole_grains:
        flags = np.zeros(3, dtype=bool)
    else:
        positions = _wrapped(positions, edges, flags)
    keep = ~_overlapping(positions, np.where(flags, edges, 0.0), depth, spacing[label], overlap)
    atoms = Atoms(numbers[keep], positions=positions[keep], cell=edges, pbc=flags)
    if whole_grains:
        _surround(atoms)
    atoms.set_array("grain", label[keep].astype(np.int32))
    if any(planes.any() for planes in inner):
        atoms.set_array("distance_to_boundary", depth[keep])
    return atoms


class _Piece(NamedTuple):
    positions: Array
    numbers: NDArray[np.uint8]
    depth: Array


def _voronoi_cell(
    seed: Array,
    edges: Array,
    flags: NDArray[np.bool_],
    tree: cKDTree,
    neighbour: NDArray[np.int64],
    image: NDArray[np.int64],
) -> VoronoiCell:
    normals, distances = [], []
    for axis in np.flatnonzero(~flags):
        normals += [-np.eye(3)[axis], np.eye(3)[axis]]
        distances += [seed[axis], edges[axis] - seed[axis]]
    if any(distance <= 0 for distance in distances):
        # The search for the corners starts inside the cell: a seed on a wall is taken a hair away from it.
        distances = [max(distance, 1e-9) for distance in distances]
    walls = len(distances)
    # The nearest seeds bound the cell already or are joined by more; then all that may cut it are known.
    count = min(len(neighbour), 32)
    while True:
        near = np.atleast_1d(tree.query(seed, k=count)[1])[1:]
        halves = (np.asarray(tree.data)[near] - seed) / 2
        lengths = np.linalg.norm(halves, axis=1)
        planes = np.vstack([*normals, *(halves / lengths[:, None])]) if len(near) or walls else np.empty((0, 3))
        offsets = np.concatenate([distances, lengths])
        vertices = _corners(planes, offsets)
        radius = np.inf if vertices is None else np.linalg.norm(vertices, axis=1).max()
        if count == len(neighbour) or (len(lengths) and radius <= lengths.max()):
            break
        count = min(len(neighbour), 2 * count)
    assert vertices is not None  # walls or images close every cell
    cuts = (np.abs(vertices @ planes.T - offsets) < 1e-7 * radius).sum(axis=0) >= 3
    which = np.concatenate([np.full(walls, -1), neighbour[near]])
    shift = np.vstack([np.zeros((walls, 3), dtype=int), image[near]])
    return VoronoiCell(planes[cuts], offsets[cuts], which[cuts], shift[cuts], vertices)


def _corners(normals: Array, distances: Array) -> Array | None:
    """Corners (v, 3) of `normals @ x <= distances`, which holds the origin inside; None where it is not bounded."""
    # By duality: the planes that cut are the corners of the convex hull of normals / distances, which holds the origin
    # inside if and only if the polyhedron is bounded.
    if len(normals) < 4:
        return None
    dual = normals / distances[:, None]
    if np.linalg.matrix_rank(dual - dual[0]) < 3 or ConvexHull(dual).equations[:, 3].max() > -1e-12:
        return None
    corners = HalfspaceIntersection(np.column_stack([normals, -distances]), np.zeros(3)).intersections
    return np.unique(corners[np.isfinite(corners).all(axis=1)].round(9), axis=0)


def _fill(crystal: Atoms, rotation: Array, cell: VoronoiCell, inner: NDArray[np.bool_]) -> _Piece:
    """Atoms of a rotated crystal inside a Voronoi cell, relative to the seed."""
    basis = crystal.cell.array @ rotation.T
    sites = crystal.positions @ rotation.T
    steps = cell.vertices @ np.linalg.inv(basis)
    fractions = sites @ np.linalg.inv(basis)
    low = np.floor(steps.min(axis=0) - fractions.max(axis=0)).astype(np.intp)
    high = np.ceil(steps.max(axis=0) - fractions.min(axis=0)).astype(np.intp)
    kept: list[tuple[Array, NDArray[np.intp], Array]] = []
    for lattice in _lattice_points(low, high):
        points = lattice @ basis
        for site, offset in enumerate(sites):
            positions = points + offset
            gap = cell.distances_angstrom - positions @ cell.normals.T
            inside = (gap >= -_ON_A_PLANE_ANGSTROM).all(axis=1)
            # Inside a convex cell the nearest of the planes is as far away as the boundary.
            depth = np.maximum(gap[inside][:, inner].min(axis=1, initial=np.inf), 0.0)
            kept.append((positions[inside], np.full(len(depth), site), depth))
    positions = np.concatenate([piece[0] for piece in kept])
    of_site = np.concatenate([piece[1] for piece in kept])
    depth = np.concatenate([piece[2] for piece in kept])
    return _Piece(positions, crystal.numbers[of_site].astype(np.uint8), depth)


def _lattice_points(low: NDArray[np.intp], high: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """All integer triples from low to high, some layers of the first number at a time."""
    plane = np.stack(
        np.meshgrid(*(np.arange(a, b + 1) for a, b in zip(low[1:], high[1:], strict=True)), indexing="ij"), -1
    )
    plane = plane.reshape(-1, 2)
    layers = max(1, _LATTICE_POINTS // len(plane))
    for start in range(low[0], high[0] + 1, layers):
        first = np.arange(start, min(start + layers, high[0] + 1))
        yield np.column_stack([np.repeat(first, len(plane)), np.tile(plane, (len(first), 1))])


def _overlapping(positions: Array, periods: Array, depth: Array, spacing: Array, overlap: float) -> NDArray[np.bool_]:
    """Which atoms to remove so that none are closer than `overlap` times the mean of their spacings."""
    remove = np.zeros(len(positions), dtype=bool)
    limit = overlap * float(spacing.max())
    # A line between atoms of two grains crosses the boundary, so both are within the limit of it.
    near = np.flatnonzero(depth <= limit)
    if len(near) == 0:
        return remove
    tree = cKDTree(positions[near], boxsize=periods)
    pairs = near[tree.query_pairs(limit, output_type="ndarray")]
    difference = positions[pairs[:, 0]] - positions[pairs[:, 1]]
    along = periods > 0
    difference[:, along] -= periods[along] * np.round(difference[:, along] / periods[along])
    distance = np.linalg.norm(difference, axis=1)
    close = distance < overlap * spacing[pairs].mean(axis=1) * (1 - 1e-12)
    # The deepest first; rounded, so that the order does not hang on the last digit; then by number.
    rank = np.empty(len(depth), dtype=np.intp)
    rank[np.lexsort((np.arange(len(depth)), -depth.round(6)))] = np.arange(len(depth))
    pairs = pairs[close]
    ordered = np.take_along_axis(pairs, np.argsort(rank[pairs], axis=1), axis=1)
    # When the turn of an atom comes it is decided which of those before it stay.
    for stays, goes in ordered[np.argsort(rank[ordered[:, 1]], kind="stable")]:
        if not remove[stays]:
            remove[goes] = True
    return remove


def _wrapped(positions: Array, edges: Array, flags: NDArray[np.bool_]) -> Array:
    wrapped = positions.copy()
    for axis in np.flatnonzero(flags):
        wrapped[:, axis] %= edges[axis]
        wrapped[wrapped[:, axis] >= edges[axis], axis] = 0.0  # a remainder may round up to the period itself
    return wrapped


def _surround(atoms: Atoms) -> None:
    """Give atoms a cell that holds them; they stay where they are relative to each other, the lowest at 0."""
    atoms.positions -= atoms.positions.min(axis=0)
    atoms.set_cell(atoms.positions.max(axis=0))


def _nearest_neighbour_distances(grains: Sequence[Grain]) -> Array:
    of_crystal: dict[int, float] = {}
    for number, grain in enumerate(grains):
        crystal = grain.crystal
        if id(crystal) in of_crystal:
            continue
        if len(crystal) == 0:
            raise ValueError(f"the crystal of grain {number} has no atoms")
        if not np.isfinite(crystal.cell.array).all() or abs(np.linalg.det(crystal.cell.array)) < 1e-6:
            raise ValueError(f"the unit cell of grain {number} has no volume: {crystal.cell.tolist()}")
        periodic = crystal.copy()
        periodic.pbc = True
        try:
            of_crystal[id(crystal)] = nearest_neighbour_distance(periodic)
        except ValueError as error:
            raise ValueError(f"the crystal of grain {number}: {error}") from error
    return np.array([of_crystal[id(grain.crystal)] for grain in grains])


def _checked_rotation(number: int, grain: Grain) -> Array:
    rotation = np.asarray(grain.rotation, dtype=float)
    if rotation.shape != (3, 3) or not np.isfinite(rotation).all():
        raise ValueError(f"the rotation of grain {number} must be a matrix (3, 3) of finite numbers, got {rotation!r}")
    if not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-6) or np.linalg.det(rotation) < 0:
        raise ValueError(
            f"the rotation of grain {number} must be orthogonal with determinant 1, got determinant "
            f"{np.linalg.det(rotation):.6g} and {rotation.tolist()}"
        )
    return rotation


def _edges(cell_angstrom: ArrayLike) -> Array:
    cell = np.asarray(cell_angstrom, dtype=float)
    if cell.shape not in ((), (3,)) or not (np.isfinite(cell) & (cell > 0)).all():
        raise ValueError(
            f"the cell must be one positive edge in Angstrom, or three along x, y and z; got {cell.tolist()}"
        )
    return np.broadcast_to(cell, 3).copy()


def _flags(periodic: bool | Sequence[bool]) -> NDArray[np.bool_]:
    flags = np.asarray(periodic, dtype=bool)
    if flags.shape not in ((), (3,)):
        raise ValueError(f"periodic must be one flag or three, one an axis; got {flags.tolist()}")
    return np.broadcast_to(flags, 3).copy()
