"""Distances to the nearest neighbours, and the length that stands for them all.

Leitherer, Ziletti and Ghiringhelli, Nat. Commun. 12, 6234 (2021) scale structures by this length before they describe
them (ARISE).
"""

import numpy as np
from ase import Atoms
from ase.geometry import minkowski_reduce
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

Array = NDArray[np.float64]

_SAME = 1e-9
"""Distances whose relative spread is smaller than this differ by rounding only."""


def nearest_neighbour_distance(
    structure: Atoms | ArrayLike, pair: tuple[str | int, str | int] | None = None, bins: int = 100
) -> float:
    """The most populated nearest-neighbour distance, in Angstrom.

    The distances of all centres to their nearest neighbours are counted in `bins` bins between the shortest and the
    longest of them. Each count is divided by the square of the bin's lower edge, since the area of a spherical shell
    grows so, and the centre of the bin with the greatest quotient (the first of equals) is returned. Where all distances
    are the same but for rounding (a relative 1e-9), as in a perfect crystal, it is the distance itself.

    Args:
        structure: atoms, or positions (n, 3) in Angstrom, which are not periodic.
        pair: species of the centres and of their neighbours, by symbol or atomic number: the substructure (alpha, beta).
            None takes all atoms for both.
        bins: number of bins; 100 in the original.

    Raises:
        ValueError: as `nearest_neighbour_distances`; less than one bin.
    """
    if bins < 1:
        raise ValueError(f"the histogram needs at least one bin, got {bins}")
    distances = nearest_neighbour_distances(structure, pair)
    shortest, longest = float(distances.min()), float(distances.max())
    if longest - shortest <= _SAME * longest:
        return float(np.median(distances))
    width = (longest - shortest) / bins
    # Plain arithmetic: np.histogram takes several times as long as the search for the neighbours of one box.
    number = np.minimum(((distances - shortest) / width).astype(np.intp), bins - 1)
    lower = shortest + width * np.arange(bins)
    fullest = int(np.argmax(np.bincount(number, minlength=bins) / lower**2))
    return float(lower[fullest] + width / 2)


def nearest_neighbour_distances(structure: Atoms | ArrayLike, pair: tuple[str | int, str | int] | None = None) -> Array:
    """Distance (n_centres,) in Angstrom from each centre to its nearest neighbour, in the order of the atoms.

    In a periodic cell, of any shape, images of the neighbours count, and so do those of the centre itself if it is of
    the neighbours' species.

    Args:
        structure: atoms, or positions (n, 3) in Angstrom, which are not periodic.
        pair: species of the centres and of their neighbours, by symbol or atomic number. None takes all atoms for both.

    Raises:
        ValueError: positions that are not (n, 3) or not finite; a species that is not there; a centre without any
            neighbour (fewer than two atoms that are not periodic); two atoms at the same place; a periodic cell without
            volume.
    """
    if isinstance(structure, Atoms):
        positions, cell = structure.positions, structure.cell.array[structure.pbc]
        centres, neighbours, same = _select(structure, pair)
    else:
        if pair is not None:
            raise ValueError("a pair of species needs atoms, not positions alone")
        positions, cell = np.asarray(structure, dtype=float), np.empty((0, 3))
        if positions.ndim != 2 or positions.shape[1] != 3:
            raise ValueError(f"positions must have shape (n, 3), got {positions.shape}")
        centres = neighbours = positions
        same = True
    if not np.isfinite(positions).all():
        raise ValueError("positions must be finite numbers")
    if len(positions) == 0:
        raise ValueError("a nearest-neighbour distance needs atoms, got none")
    if len(cell):
        distances = _periodic(centres, neighbours, same, cell)
    elif len(neighbours) < 1 + same:
        raise ValueError(
            f"a nearest-neighbour distance needs at least two atoms that are not periodic, got {len(neighbours)}"
        )
    else:
        distances = _nearest(centres, neighbours, same)
    if distances.min() == 0:
        raise ValueError(f"{np.count_nonzero(distances == 0)} atoms have a neighbour at their own place")
    return distances


def _select(atoms: Atoms, pair: tuple[str | int, str | int] | None) -> tuple[Array, Array, bool]:
    if pair is None:
        return atoms.positions, atoms.positions, True
    chosen = []
    for species in pair:
        mask = (np.array(atoms.get_chemical_symbols()) if isinstance(species, str) else atoms.numbers) == species
        if not mask.any():
            there = ", ".join(sorted(set(atoms.get_chemical_symbols())))
            raise ValueError(f"there is no atom of species {species!r}; the structure has {there or 'no atoms'}")
        chosen.append(mask)
    return atoms.positions[chosen[0]], atoms.positions[chosen[1]], bool((chosen[0] == chosen[1]).all())


def _nearest(centres: Array, neighbours: Array, same: bool) -> Array:
    """The second nearest where each centre is its own nearest neighbour."""
    tree = cKDTree(neighbours, balanced_tree=False, compact_nodes=False)
    return tree.query(centres, k=[2 if same else 1])[0][:, 0]


def _periodic(centres: Array, neighbours: Array, same: bool, cell: Array) -> Array:
    """Distances to the nearest images, for one to three periodic cell vectors (rows of `cell`)."""
    full = np.zeros((3, 3))
    full[: len(cell)] = cell
    if np.linalg.matrix_rank(full) < len(cell):
        raise ValueError(f"the periodic vectors of the cell do not span a volume: {cell.tolist()}")
    vectors = minkowski_reduce(full, [axis < len(cell) for axis in range(3)])[0][: len(cell)]
    to_fractions = np.linalg.pinv(vectors)  # (3, p): fractional coordinates along the periodic vectors
    spacings = 1 / np.linalg.norm(to_fractions, axis=0)  # between lattice planes
    fractions = {}
    for name, points in (("centres", centres), ("neighbours", neighbours)):
        inside = points @ to_fractions
        fractions[name] = inside - np.floor(inside)
    centres = centres + (fractions["centres"] - centres @ to_fractions) @ vectors
    neighbours = neighbours + (fractions["neighbours"] - neighbours @ to_fractions) @ vectors
    # Distances inside one cell bound those to images, and so does the shortest period for an atom's own images.
    bound = np.inf if same and len(neighbours) == 1 else float(_nearest(centres, neighbours, same).max())
    if same:
        bound = min(bound, float(np.linalg.norm(vectors, axis=1).min()))
    counts = np.floor(bound / spacings).astype(int) + 1
    images = [neighbours]
    for shift in np.ndindex(*(2 * counts + 1)):
        steps = np.array(shift) - counts
        if not steps.any():
            continue
        near = (np.abs(fractions["neighbours"] + steps - 0.5) * spacings <= 0.5 * spacings + bound * (1 + 1e-9)).all(
            axis=1
        )
        images.append(neighbours[near] + steps @ vectors)
    return _nearest(centres, np.concatenate(images), same)
