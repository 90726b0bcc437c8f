"""Neighbours within a cut-off by a cell list, in torch operations only, so that they can stay on a CUDA device."""

import itertools
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_REACH = 2
"""Cells are half a cut-off wide, and those of two steps about an atom's own are searched."""


class CellList(NamedTuple):
    """Atoms and those of their periodic images that can be neighbours, sorted by cells of a regular grid.

    The grid has `_REACH` empty cells beyond the atoms on each side.
    """

    cutoff: float
    wrapped: Tensor
    """(n_atoms, 3) positions of the atoms themselves, inside the cell in the periodic directions; Angstrom, float64."""
    origin: Tensor
    """(3,) corner of the grid."""
    edge: float
    """Width of a grid cell, Angstrom."""
    shape: tuple[int, int, int]
    starts: Tensor
    """(n_cells + 1,) where the atoms of each grid cell begin, last direction fastest."""
    positions: Tensor
    """(n_sorted, 3) of atoms and images."""
    atom: Tensor
    """(n_sorted,) index of the atom."""
    is_image: Tensor
    """(n_sorted,)"""


def build_cell_list(
    positions_angstrom: NDArray[np.float64],
    cell_angstrom: NDArray[np.float64],
    periodic: NDArray[np.bool_],
    cutoff_angstrom: float,
    device: torch.device,
) -> CellList:
    """Sort atoms and periodic images into cells.

    Args:
        positions_angstrom: (n_atoms, 3), inside the cell or not.
        cell_angstrom: (3, 3), periods as rows, linearly independent; rows of directions without a period fill
            the space.
        periodic: (3,) which rows are periods.

    Raises:
        ValueError: no atom, or a position that is no finite number.
    """
    if len(positions_angstrom) == 0 or not np.isfinite(positions_angstrom).all():
        raise ValueError("a structure needs at least one atom, and finite positions")
    lattice, inverse = (
        torch.as_tensor(matrix, device=device) for matrix in (cell_angstrom, np.linalg.inv(cell_angstrom))
    )
    directions = np.flatnonzero(periodic).tolist()
    wrapped = torch.tensor(positions_angstrom, dtype=torch.float64, device=device)
    for direction in directions:
        wrapped = wrapped - torch.floor(wrapped @ inverse[:, direction])[:, None] * lattice[direction]
    positions, atom, is_image = _with_images(wrapped, lattice, inverse, directions, cutoff_angstrom)
    low, high = positions.amin(dim=0), positions.amax(dim=0)
    edge = cutoff_angstrom / _REACH
    # few atoms far apart need no more cells than atoms
    while float(((high - low) / edge + 1).prod()) > 8 * len(atom) + 1000:
        edge *= 1.5
    origin = low - (_REACH + 0.5) * edge  # the lowest atom amid a cell, clear of rounding
    n_x, n_y, n_z = (((high - origin) / edge).long() + 1 + _REACH).tolist()
    cell = _cell_index(positions, origin, edge, (n_x, n_y, n_z))
    order = torch.argsort(cell)
    starts = torch.zeros(n_x * n_y * n_z + 1, dtype=torch.int64, device=device)
    torch.cumsum(torch.bincount(cell, minlength=n_x * n_y * n_z), dim=0, out=starts[1:])
    return CellList(
        cutoff=cutoff_angstrom,
        wrapped=wrapped,
        origin=origin,
        edge=edge,
        shape=(n_x, n_y, n_z),
        starts=starts,
        positions=positions[order],
        atom=atom[order],
        is_image=is_image[order],
    )


def candidate_counts(cells: CellList, centres: Tensor) -> Tensor:
    """How many atoms and images `find_neighbours` looks at for each centre, (n_centres,)."""
    counts = cells.starts.diff().view(cells.shape)
    for axis, length in enumerate(cells.shape):
        # the outermost cells, where this would not fit, hold no atoms
        inner = length - 2 * _REACH
        total = sum(counts.narrow(axis, step, inner) for step in range(1, 2 * _REACH + 1)) + counts.narrow(
            axis, 0, inner
        )
        counts = total
    indices = (_cell_coordinates(cells.wrapped[centres], cells.origin, cells.edge) - _REACH).unbind(dim=1)
    return counts[indices]


def find_neighbours(cells: CellList, centres: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Atoms and images nearer than the cut-off.

    Args:
        centres: (n_centres,) indices of atoms.

    Returns:
        For each pair the place of its centre in `centres`, in ascending order, the index of the neighbouring atom, and
        the displacement (3,) from the centre to the neighbour or its image, Angstrom, float64. An atom is no neighbour
        of itself, its images are.
    """
    at = cells.wrapped[centres]
    # cells that follow each other in the last direction are one run of atoms
    steps = range(-_REACH, _REACH + 1)
    runs = torch.tensor(
        [[(x * cells.shape[1] + y) * cells.shape[2]] for x, y in itertools.product(steps, steps)], device=at.device
    ).view(1, -1)
    middle = _cell_index(at, cells.origin, cells.edge, cells.shape)[:, None] + runs
    first, end = cells.starts[middle - _REACH], cells.starts[middle + _REACH + 1]
    length = (end - first).flatten()
    run = torch.repeat_interleave(torch.arange(len(length), device=at.device), length)
    before = torch.cumsum(length, dim=0) - length
    candidate = torch.arange(len(run), device=at.device) + (first.flatten() - before)[run]
    centre = torch.div(run, runs.shape[1], rounding_mode="floor")
    displacement = cells.positions[candidate] - at[centre]
    own = ~cells.is_image[candidate] & (cells.atom[candidate] == centres[centre])
    pair = ((displacement.square().sum(dim=1) < cells.cutoff**2) & ~own).nonzero().squeeze(1)
    return centre[pair], cells.atom[candidate[pair]], displacement[pair]


def _with_images(
    wrapped: Tensor, lattice: Tensor, inverse: Tensor, directions: list[int], cutoff: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Positions of atoms and of images within the cut-off of the cell, whose they are, and whether images."""
    positions = wrapped
    atom = torch.arange(len(wrapped), device=wrapped.device)
    is_image = torch.zeros(len(wrapped), dtype=torch.bool, device=wrapped.device)
    for direction in directions:
        height = 1 / float(torch.linalg.vector_norm(inverse[:, direction]))
        margin = cutoff / height * (1 + 1e-9) + 1e-9
        fraction = positions @ inverse[:, direction]
        parts = [(positions, atom, is_image)]
        furthest = int(margin) + 1
        for shift in itertools.chain(range(-furthest, 0), range(1, furthest + 1)):
            near = ((fraction + shift >= -margin) & (fraction + shift <= 1 + margin)).nonzero().squeeze(1)
            parts.append((positions[near] + shift * lattice[direction], atom[near], torch.ones_like(is_image[near])))
        positions, atom, is_image = (torch.cat(part) for part in zip(*parts, strict=True))
    return positions, atom, is_image


def _cell_coordinates(positions: Tensor, origin: Tensor, edge: float) -> Tensor:
    return ((positions - origin) / edge).long()


def _cell_index(positions: Tensor, origin: Tensor, edge: float, shape: tuple[int, int, int]) -> Tensor:
    x, y, z = _cell_coordinates(positions, origin, edge).unbind(dim=1)
    return (x * shape[1] + y) * shape[2] + z
