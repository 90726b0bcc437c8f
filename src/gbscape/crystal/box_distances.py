"""Geometry of the atoms in boxes: what tells clusters of boxes apart (Leitherer's thesis (2021), section 6.6.2)."""

from collections.abc import Sequence

import numpy as np
from ase.data import atomic_numbers
from ase.symbols import symbols2numbers
from numpy.typing import ArrayLike, NDArray

from gbscape.crystal.boxes import BoxGrid, cut_boxes
from gbscape.structure.nearest_neighbours import nearest_neighbour_distance


def species_distances(
    positions: ArrayLike, numbers: ArrayLike, grid: BoxGrid, boxes: ArrayLike, species: Sequence[str]
) -> NDArray[np.float64]:
    """Nearest-neighbour distance of each species among its own kind, in each box.

    It is that of the descriptor, `gbscape.structure.nearest_neighbours.nearest_neighbour_distance`, of the substructure of
    that species in the box; neighbours outside the box do not count.

    Args:
        positions: (n, 3) in Angstrom, of `gbscape.crystal.strided.boxed_sample`.
        numbers: (n,) atomic numbers.
        grid: the boxes.
        boxes: (m,) numbers of the boxes wanted.
        species: chemical symbols, e.g. ("Fe", "Pt").

    Returns:
        (m, species) in Angstrom; NaN where a box has fewer than two atoms of the species.

    Raises:
        ValueError: a symbol of no element or of none of the atoms; a box that the grid does not have; atoms at one place.
    """
    points, of_atom = np.asarray(positions, dtype=np.float64), np.asarray(numbers)
    wanted = np.asarray(boxes, dtype=np.int64)
    for symbol in species:
        if symbol not in atomic_numbers or atomic_numbers[symbol] not in of_atom:
            there = ", ".join(sorted({s for s, z in atomic_numbers.items() if z in np.unique(of_atom)}))
            raise ValueError(f"there is no atom of species {symbol!r} in the sample, which has {there}")
    distances = np.full((len(wanted), len(species)), np.nan)
    if len(wanted) == 0:
        return distances
    if not (wanted.min() >= 0 and wanted.max() < len(grid)):
        raise ValueError(f"a grid of {len(grid)} boxes has none of the number {wanted.min()} or {wanted.max()}")
    order = np.argsort(wanted, kind="stable")
    ascending = wanted[order]
    kinds = symbols2numbers(list(species))
    for batch in cut_boxes(points, grid, start=int(ascending[0]), stop=int(ascending[-1]) + 1):
        begin, end = np.searchsorted(ascending, [batch.first, batch.first + len(batch.offsets) - 1])
        for place in range(begin, end):
            box = ascending[place] - batch.first
            atoms = batch.atoms[batch.offsets[box] : batch.offsets[box + 1]]
            for column, kind in enumerate(kinds):
                chosen = atoms[of_atom[atoms] == kind]
                if len(chosen) >= 2:
                    distances[order[place], column] = nearest_neighbour_distance(points[chosen])
    return distances
