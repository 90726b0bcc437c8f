"""Overlapping boxes cut out of a structure on a grid: strided pattern matching (Leitherer, Ziletti and Ghiringhelli,
Nat. Commun. 12, 6234 (2021)).

The edges of the boxes lie along x, y and z, and their lower corners are the points of a regular grid whose step, the
stride, may differ between the axes. Along an axis that is not strided every box holds the whole sample: two strides make
a map of a slab, one makes the profile of a rod.

Which boxes hold an atom is three intervals of numbers, one an axis. So atoms are handed to slabs of boxes, from there
to rows and from there to boxes, always in their own order: the work is proportional to the length of the result. Nothing
is periodic: repeat a periodic sample by at least the edge of a box first.
"""

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import floor, prod
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gbscape.native import load

Array = NDArray[np.float64]
PerAxis = float | Sequence[float | None] | None


@dataclass(frozen=True)
class BoxGrid:
    """Boxes [lower, lower + edge] for all combinations of the lower bounds along the three axes.

    Boxes are numbered with z running fastest, so that `values.reshape(grid.shape)` is the map of a value of each box.
    """

    lower_angstrom: tuple[Array, Array, Array]
    """Lower bounds along x, y and z, each ascending."""
    edge_angstrom: tuple[float, float, float]
    """Edges of every box along x, y and z."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of boxes along each axis."""
        nx, ny, nz = (len(bounds) for bounds in self.lower_angstrom)
        return nx, ny, nz

    def __len__(self) -> int:
        return prod(self.shape)

    def origins_angstrom(self) -> Array:
        """Lower corners (n_x, n_y, n_z, 3)."""
        return np.stack(np.meshgrid(*self.lower_angstrom, indexing="ij"), axis=-1)

    def centres_angstrom(self) -> Array:
        """Centres (n_x, n_y, n_z, 3)."""
        return self.origins_angstrom() + np.array(self.edge_angstrom) / 2


class Boxes(NamedTuple):
    """Atoms of consecutive boxes of a grid: those of box `first + i` are `atoms[offsets[i]:offsets[i + 1]]`."""

    first: int
    """Number of the first of these boxes in the grid."""
    offsets: NDArray[np.int64]
    """(n_boxes + 1,) from 0 to n_atoms."""
    atoms: NDArray[np.int32]
    """(n_atoms,) indices of atoms, ascending within each box."""


def box_grid(positions: ArrayLike, edge_angstrom: float, stride_angstrom: PerAxis, padding: PerAxis = 0.5) -> BoxGrid:
    """Grid of boxes that covers a sample, as the published strided pattern matching lays it.

    Along each strided axis the sample's extent is widened by the padding at both ends, to a length L. There are
    floor(L / stride) + 1 boxes, or more where the boxes are so short that they would end before L does, and what they
    have too much hangs over both ends equally.

    Args:
        positions: (n, 3) in Angstrom. Only their extent matters: two opposite corners lay a grid over a part.
        edge_angstrom: edge of the boxes along the strided axes.
        stride_angstrom: step of the grid, one for all axes or one an axis; None for an axis that is not strided, along
            which each box reaches from one end of the sample to the other.
        padding: widening of the sample at each end in units of the edge, one for all axes or one an axis. 0 lets the
            outermost boxes end where the sample ends; 0.5, the default, centres them there; at most 1.

    Raises:
        ValueError: no positions, or not finite; an edge or stride that is not positive; a padding outside [0, 1].
    """
    points = _positions(positions)
    if not (np.isfinite(edge_angstrom) and edge_angstrom > 0):
        raise ValueError(f"the edge of the boxes must be a positive length in Angstrom, got {edge_angstrom!r}")
    bounds, edges = [], []
    for axis, stride, ratio in zip(
        range(3), _per_axis("stride_angstrom", stride_angstrom), _per_axis("padding", padding), strict=True
    ):
        low, high = float(points[:, axis].min()), float(points[:, axis].max())
        if stride is None:
            bounds.append(np.array([low]))
            # a hair wider, so that the last atom is inside, also of a half-open box and after rounding
            edges.append(high - low + 1e-9 + 4 * float(np.spacing(max(abs(low), abs(high)))))
            continue
        if not (np.isfinite(stride) and stride > 0):
            raise ValueError(f"a stride must be a positive length in Angstrom (None: not strided), got {stride!r}")
        if ratio is None or not 0 <= ratio <= 1:
            raise ValueError(f"the padding must be between 0 and 1 edge of a box, got {ratio!r}")
        low, high = low - ratio * edge_angstrom, high + ratio * edge_angstrom
        steps = floor((high - low) / stride)
        while low + steps * stride + edge_angstrom < high:
            steps += 1
        overhang = low + steps * stride + edge_angstrom - high
        bounds.append(low - overhang / 2 + stride * np.arange(steps + 1))
        edges.append(float(edge_angstrom))
    return BoxGrid((bounds[0], bounds[1], bounds[2]), (edges[0], edges[1], edges[2]))


def count_atoms(positions: ArrayLike, grid: BoxGrid, closed: bool = True) -> NDArray[np.int64]:
    """Number of atoms in each box, of shape `grid.shape`.

    Args:
        positions: (n, 3) in Angstrom.
        grid: the boxes.
        closed: an atom on any face of a box is inside, as in the original's mask; otherwise boxes are half-open, an atom
            on an upper face is outside, and boxes that tile space hold every atom once.
    """
    return _counts(_intervals(_positions(positions), grid, closed), grid.shape)


def cut_boxes(
    positions: ArrayLike,
    grid: BoxGrid,
    closed: bool = True,
    start: int = 0,
    stop: int | None = None,
    atoms_per_batch: int = 2**21,
) -> Iterator[Boxes]:
    """Cut boxes out of a structure, some at a time, so that those of a whole grid are never in memory together.

    Args:
        positions: (n, 3) in Angstrom.
        grid: the boxes.
        closed: as for `count_atoms`: lower <= x <= lower + edge, or < where it is false.
        start, stop: the boxes from this number to before that; by default all.
        atoms_per_batch: batches end before they hold more atoms than this (4 bytes each), but hold at least one box.

    Yields:
        consecutive boxes, empty ones included, in the order of the grid.

    Raises:
        ValueError: no positions, or not finite; a range of boxes that the grid does not have; less than one atom a batch.
    """
    points = _positions(positions)
    stop = len(grid) if stop is None else stop
    if not 0 <= start <= stop <= len(grid):
        raise ValueError(f"boxes {start} to {stop} are not all in a grid of {len(grid)}")
    if atoms_per_batch < 1:
        raise ValueError(f"atoms_per_batch must be at least 1, got {atoms_per_batch}")
    return _batches(_intervals(points, grid, closed), grid.shape, start, stop, atoms_per_batch)


def _batches(
    intervals: NDArray[np.int32], shape: tuple[int, int, int], start: int, stop: int, atoms_per_batch: int
) -> Iterator[Boxes]:
    ends = np.concatenate([[0], np.cumsum(_counts(intervals, shape).ravel()[start:stop])])
    limits = [_pointer(axis, ctypes.c_int32) for pair in intervals for axis in pair]
    library = load("gbscape.crystal.boxes")
    at = 0
    while at < stop - start:
        to = max(at + 1, int(np.searchsorted(ends, ends[at] + atoms_per_batch, side="right")) - 1)
        offsets = ends[at : to + 1] - ends[at]
        atoms = np.empty(offsets[-1], dtype=np.int32)
        failed = library.gbscape_cut_boxes(
            ctypes.c_int64(intervals.shape[2]), *limits, ctypes.c_int64(shape[1]), ctypes.c_int64(shape[2]),
            ctypes.c_int64(start + at), ctypes.c_int64(start + to),
            _pointer(offsets, ctypes.c_int64), _pointer(atoms, ctypes.c_int32),
        )  # fmt: skip
        if failed:
            raise MemoryError(f"no memory to cut boxes out of {intervals.shape[2]} atoms")
        yield Boxes(start + at, offsets, atoms)
        at = to


def _intervals(points: Array, grid: BoxGrid, closed: bool) -> NDArray[np.int32]:
    """(3, 2, n): number of the first and of the last lower bound along each axis whose interval holds each atom; the
    first is greater than the last where none does."""
    intervals = np.empty((3, 2, len(points)), dtype=np.int32)
    for axis in range(3):
        lower, x = grid.lower_angstrom[axis], points[:, axis]
        upper = lower + grid.edge_angstrom[axis]
        intervals[axis, 0] = np.searchsorted(upper, x, side="left" if closed else "right")
        intervals[axis, 1] = np.searchsorted(lower, x, side="right") - 1
    return intervals


def _counts(intervals: NDArray[np.int32], shape: tuple[int, int, int]) -> NDArray[np.int64]:
    """Atoms a box: each atom adds 1 to a block of boxes, so its eight corners are marked and summed up once."""
    inside = (intervals[:, 0] <= intervals[:, 1]).all(axis=0)
    first = intervals[:, 0, inside].astype(np.int64)
    last = intervals[:, 1, inside].astype(np.int64)
    padded = tuple(n + 1 for n in shape)
    marks = np.zeros(prod(padded), dtype=np.int64)
    for upper in product((False, True), repeat=3):
        corner = [last[axis] + 1 if upper[axis] else first[axis] for axis in range(3)]
        numbers = (corner[0] * padded[1] + corner[1]) * padded[2] + corner[2]
        marks += (-1) ** sum(upper) * np.bincount(numbers, minlength=len(marks))
    counts = marks.reshape(padded)
    for axis in range(3):
        counts = np.cumsum(counts, axis=axis)
    return counts[:-1, :-1, :-1]


def _positions(positions: ArrayLike) -> Array:
    points = np.asarray(positions, dtype=float)
    if points.ndim != 2 or points.shape[1] != 3 or len(points) == 0:
        raise ValueError(f"positions must have shape (n, 3) with n >= 1, got {points.shape}")
    if not np.isfinite(points).all():
        raise ValueError("positions must be finite numbers")
    return points


def _per_axis(name: str, value: PerAxis) -> tuple[float | None, ...]:
    values = tuple(value) if isinstance(value, Sequence | np.ndarray) else (value,) * 3
    if len(values) != 3:
        raise ValueError(f"{name} must be one number or three, one an axis; got {len(values)}")
    return values


def _pointer(array: NDArray, kind: type) -> ctypes.c_void_p:
    assert array.flags.c_contiguous
    assert array.dtype == np.dtype(kind)
    return ctypes.c_void_p(array.ctypes.data)
