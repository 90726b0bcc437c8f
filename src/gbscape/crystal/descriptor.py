"""The descriptor of ARISE: one vector of a structure, whatever its size, orientation and elements.

For every ordered pair of species (alpha, beta), also of a species with itself, lengths are divided by d_nn, the most
populated distance from an alpha atom to the nearest beta atom, times an extrinsic scaling. The averaged SOAP of the alpha
atoms, which see beta atoms only and not themselves, is the vector of the pair, and the mean over the pairs that of the
structure. Averaged are the coefficients of the density, before the power spectrum is taken. Leitherer, Ziletti and
Ghiringhelli, Nat. Commun. 12, 6234 (2021); Leitherer's thesis (2021), sections 4.3.1 and 4.3.2.

A species of which a finite structure holds a single atom has no distance to itself: this pair is left out of the mean, the
others stay. (The authors' code cannot scale it and fails.) A species that is hardly there should rather be
removed beforehand.

Periodic structures are described as infinite, along the directions in which they are periodic.
"""

import ctypes
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from numpy.typing import ArrayLike, NDArray

from gbscape.config.crystal_descriptor import CrystalDescriptor
from gbscape.features.checks import COINCIDENCE_ANGSTROM, periodic_cell
from gbscape.features.soap import averaged_power_spectra
from gbscape.native import load

Array = NDArray[np.float64]

BINS = 100
"""Of the histogram of nearest-neighbour distances, as in the authors' code."""
_NEIGHBOUR, _CENTRE = 1, 2
"""Atomic numbers that stand for the species of a pair, so that pairs of all elements are described in one go."""
_SOUND, _ALONE, _COINCIDING = 0, 1, 2


class Pieces(NamedTuple):
    """Finite structures, one after the other, e.g. boxes as `gbscape.crystal.boxes.cut_boxes` gives them: atoms of the i-th are
    those from `offsets[i]` to before `offsets[i + 1]`."""

    offsets: NDArray[np.int64]
    """(n + 1,) from 0 to n_atoms."""
    positions: Array
    """(n_atoms, 3)."""
    numbers: NDArray[np.int32]
    """(n_atoms,) atomic numbers."""


class Described(NamedTuple):
    """Vectors of structures, and what is wrong with those that have none."""

    vectors: Array
    """(n, n_features); rows of structures that cannot be described are NaN."""
    reasons: dict[int, str]
    """Number of each structure that cannot be described, and why."""


class Substructures(NamedTuple):
    """Pairs of species of some structures, and the nearest-neighbour distances that do not depend on SOAP's settings."""

    pieces: Pieces
    cells: Array
    """(n, 3, 3) with linearly independent rows."""
    periodic: NDArray[np.bool_]
    """(n, 3)."""
    structure: NDArray[np.int64]
    """(n_pairs,) ascending: number of the structure of each pair."""
    pair: NDArray[np.int32]
    """(n_pairs, 2) atomic numbers of centres and neighbours."""
    shortest: Array
    """(n_pairs,) shortest distance, in the unit of the positions."""
    nearest_neighbour_distance: Array
    """(n_pairs,) in the unit of the positions."""
    reasons: dict[int, str]
    """Structures that cannot be described, and why; they have no pairs."""


def describe(
    structures: Sequence[Atoms | ArrayLike] | Pieces, settings: CrystalDescriptor | None = None, threads: int = 1
) -> Described:
    """Describe structures. One that cannot be described loses none of the others.

    Args:
        structures: each an `ase.Atoms`, or positions (n, 3) of a finite structure of one species; or many finite ones as
            `Pieces`, which spares time. In Angstrom, or pixels, or any unit in which no neighbours are nearer than 0.001.
        settings: of the descriptor; None stands for the published ones.
        threads: number of threads; the result does not depend on it.

    Returns:
        Vectors, and reasons why structures have none: no atoms, a single atom that is not periodic, an unknown
        species (X), positions or a cell that are not finite, a periodic direction without a period, coinciding atoms.
    """
    return describe_substructures(find_substructures(structures, threads), settings, threads)


def describe_one(structure: Atoms | ArrayLike, settings: CrystalDescriptor | None = None, threads: int = 1) -> Array:
    """Vector (n_features,) of one structure.

    Raises:
        ValueError: it cannot be described, with the reason (see `describe`).
    """
    described = describe([structure], settings, threads)
    if described.reasons:
        raise ValueError(f"the structure cannot be described: {described.reasons[0]}")
    return described.vectors[0]


def identity(settings: CrystalDescriptor) -> dict[str, Any]:
    """What makes vectors comparable: those with the same identity may go into the same model."""
    return {
        "descriptor": "ARISE: averaged SOAP of pairs of species, without the central atom",
        "version": 1,
        "nearest_neighbour_bins": BINS,
    } | settings.model_dump(mode="json")


def find_substructures(structures: Sequence[Atoms | ArrayLike] | Pieces, threads: int = 1) -> Substructures:
    """Pairs of species of structures and their nearest-neighbour distances, for `describe_substructures`.

    Args:
        structures, threads: as for `describe`.
    """
    if threads < 1:
        raise ValueError(f"threads must be at least 1, got {threads}")
    pieces, cells, periodic, reasons = _collected(structures)
    structure, pair = _pairs(pieces)
    states, shortest, distance = _measured(pieces, cells, periodic, structure, pair, threads)
    reasons |= _same_place(structure, pair, states == _COINCIDING)
    bad = np.zeros(len(pieces.offsets) - 1, dtype=bool)
    bad[list(reasons)] = True
    kept = (states == _SOUND) & ~bad[structure]
    lonely = np.setdiff1d(np.flatnonzero(~bad), structure[kept])
    reasons |= {int(i): "a single atom that is not periodic has no neighbours" for i in lonely}
    return Substructures(
        pieces,
        cells,
        periodic,
        structure[kept],
        pair[kept],
        shortest[kept],
        distance[kept],
        dict(sorted(reasons.items())),
    )


def describe_substructures(
    substructures: Substructures, settings: CrystalDescriptor | None = None, threads: int = 1
) -> Described:
    """Vectors of structures of which the nearest-neighbour distances are known, e.g. under many settings.

    Args:
        substructures: of `find_substructures`.
        settings, threads: as for `describe`.
    """
    settings = settings or CrystalDescriptor()
    scale = 1 / (settings.extrinsic_scaling * substructures.nearest_neighbour_distance)
    # SOAP, which sees scaled lengths, would refuse all structures for one pair of atoms so close
    coinciding = substructures.shortest * scale < (1 + 1e-6) * COINCIDENCE_ANGSTROM
    reasons = substructures.reasons | _same_place(substructures.structure, substructures.pair, coinciding)
    sound = ~np.isin(substructures.structure, list(reasons))
    structure, pair, scale = substructures.structure[sound], substructures.pair[sound], scale[sound]
    vectors = np.full((len(substructures.pieces.offsets) - 1, settings.n_features), np.nan)
    if len(structure) == 0:
        return Described(vectors, dict(sorted(reasons.items())))
    of_pairs = np.empty((len(structure), settings.n_features))
    for which, parts, neighbour, centre in _by_kind(substructures, structure, pair):
        of_pairs[which] = averaged_power_spectra(
            parts, settings.soap(neighbour), scale=scale[which], centre_species=centre, threads=threads
        )
    described, first, count = np.unique(structure, return_index=True, return_counts=True)
    vectors[described] = np.add.reduceat(of_pairs, first, axis=0) / count[:, None]
    unseen = ~of_pairs.any(axis=1)
    for k in np.flatnonzero(unseen)[::-1].tolist():
        one, other = (chemical_symbols[number] for number in pair[k])
        reasons[int(structure[k])] = f"no {one} atom has a {other} neighbour within the cut-off"
    vectors[structure[unseen]] = np.nan
    return Described(vectors, dict(sorted(reasons.items())))


def _same_place(structure: NDArray[np.int64], pair: NDArray[np.int32], which: NDArray[np.bool_]) -> dict[int, str]:
    reasons = {}
    for k in np.flatnonzero(which)[::-1].tolist():
        first, second = (chemical_symbols[number] for number in pair[k])
        reasons[int(structure[k])] = f"atoms of {first} and {second} are at the same place"
    return reasons


def _collected(
    structures: Sequence[Atoms | ArrayLike] | Pieces,
) -> tuple[Pieces, Array, NDArray[np.bool_], dict[int, str]]:
    """The structures one after the other; those that cannot be described are left without atoms, with a reason."""
    reasons: dict[int, str] = {}
    if isinstance(structures, Pieces):
        pieces = _checked(structures)
        n = len(pieces.offsets) - 1
        cells, periodic = np.tile(np.eye(3), (n, 1, 1)), np.zeros((n, 3), dtype=bool)
    else:
        n = len(structures)
        cells, periodic = np.tile(np.eye(3), (n, 1, 1)), np.zeros((n, 3), dtype=bool)
        positions, numbers = [np.empty((0, 3))], [np.empty(0, dtype=np.int32)]
        sizes = np.zeros(n, dtype=np.int64)
        for i, structure in enumerate(structures):
            try:
                atoms = structure if isinstance(structure, Atoms) else _one_species(structure)
                if atoms.pbc.any():
                    cells[i], periodic[i] = periodic_cell(atoms), atoms.pbc
            except ValueError as error:
                reasons[i] = str(error)
                continue
            sizes[i] = len(atoms)
            positions.append(atoms.positions)
            numbers.append(atoms.numbers)
        pieces = Pieces(
            np.concatenate([[0], np.cumsum(sizes)]),
            np.ascontiguousarray(np.concatenate(positions), dtype=np.float64),
            np.ascontiguousarray(np.concatenate(numbers), dtype=np.int32),
        )
    sizes = np.diff(pieces.offsets)
    owner = np.repeat(np.arange(n), sizes)
    for empty in np.flatnonzero(sizes == 0).tolist():
        reasons.setdefault(empty, "no atoms")
    for wrong, reason in (
        ((pieces.numbers < 1) | (pieces.numbers >= len(chemical_symbols)), "atoms of an unknown species (X)"),
        (~np.isfinite(pieces.positions).all(axis=1), "positions that are not finite"),
    ):
        reasons |= {int(i): reason for i in np.unique(owner[wrong])}
    bad = np.zeros(n, dtype=bool)
    bad[list(reasons)] = True
    if bad[owner].any():
        kept = ~bad[owner]
        offsets = np.concatenate([[0], np.cumsum(np.where(bad, 0, sizes))])
        pieces = Pieces(offsets, pieces.positions[kept], pieces.numbers[kept])
    return pieces, cells, periodic, reasons


def _checked(pieces: Pieces) -> Pieces:
    offsets = np.ascontiguousarray(pieces.offsets, dtype=np.int64)
    positions = np.ascontiguousarray(pieces.positions, dtype=np.float64)
    numbers = np.ascontiguousarray(pieces.numbers, dtype=np.int32)
    if positions.shape != (len(numbers), 3) or numbers.ndim != 1:
        raise ValueError(f"positions (n, 3) and numbers (n,) are needed, got {positions.shape} and {numbers.shape}")
    if (
        offsets.ndim != 1
        or len(offsets) == 0
        or offsets[0] != 0
        or offsets[-1] != len(numbers)
        or (np.diff(offsets) < 0).any()
    ):
        raise ValueError(f"offsets must ascend from 0 to the number of atoms, {len(numbers)}")
    return Pieces(offsets, positions, numbers)


def _one_species(structure: ArrayLike) -> Atoms:
    positions = np.asarray(structure, dtype=np.float64)
    if positions.size == 0:
        positions = positions.reshape(0, 3)
    if positions.ndim != 2 or positions.shape[1] != 3:
        raise ValueError(f"positions must have shape (n, 3), got {positions.shape}")
    return Atoms(numbers=np.ones(len(positions), dtype=int), positions=positions)


def _pairs(pieces: Pieces) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Structure (n_pairs,) and species (n_pairs, 2) of all ordered pairs of species."""
    sizes = np.diff(pieces.offsets)
    n_kinds = len(chemical_symbols)
    # structure and species as one number; atoms of one species that follow one another count once
    key = np.repeat(np.arange(len(sizes)), sizes) * n_kinds + pieces.numbers
    key = np.unique(key[np.concatenate([[True], key[1:] != key[:-1]])]) if len(key) else key
    structure, species = key // n_kinds, (key % n_kinds).astype(np.int32)
    _, first, n_species = np.unique(structure, return_index=True, return_counts=True)
    partners = np.repeat(n_species, n_species)
    left = np.repeat(np.arange(len(key)), partners)
    within = np.arange(len(left)) - np.repeat(np.cumsum(partners) - partners, partners)
    right = np.repeat(np.repeat(first, n_species), partners) + within
    return structure[left], np.stack([species[left], species[right]], axis=1)


def _measured(
    pieces: Pieces,
    cells: Array,
    periodic: NDArray[np.bool_],
    structure: NDArray[np.int64],
    pair: NDArray[np.int32],
    threads: int,
) -> tuple[NDArray[np.int32], Array, Array]:
    """State, shortest distance and nearest-neighbour distance (n_pairs,) of each pair."""
    states = np.empty(len(structure), dtype=np.int32)
    shortest, distance = np.empty(len(structure)), np.empty(len(structure))
    given = [
        np.ascontiguousarray(array)
        for array in (structure, pair[:, 0], pair[:, 1], *pieces, cells, periodic.astype(np.uint8))
    ]
    failed = load("gbscape.crystal.descriptor").gbscape_nearest_neighbours(
        ctypes.c_int64(len(structure)), *(_pointer(array) for array in given), ctypes.c_int(BINS), ctypes.c_int(threads),
        *(_pointer(array) for array in (states, shortest, distance)),
    )  # fmt: skip
    if failed:
        raise MemoryError("no memory to find the nearest neighbours")
    return states, shortest, distance


def _pointer(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _by_kind(
    s: Substructures, structure: NDArray[np.int64], pair: NDArray[np.int32]
) -> Iterator[tuple[NDArray[np.intp], list[Atoms | Array], str | None, str | None]]:
    """Pairs by how SOAP takes them: their numbers, the structures, and the symbols of neighbours and centres."""
    itself = pair[:, 0] == pair[:, 1]
    finite = ~s.periodic[structure].any(axis=1)
    neighbour, centre = chemical_symbols[_NEIGHBOUR], chemical_symbols[_CENTRE]
    for which, part, symbols in (
        (itself & finite, _positions_of, (None, None)),
        (itself & ~finite, _atoms_of, (neighbour, neighbour)),
        (~itself, _atoms_of, (neighbour, centre)),
    ):
        if which.any():
            numbers = np.flatnonzero(which)
            yield numbers, [part(s, structure[k], pair[k]) for k in numbers.tolist()], *symbols


def _positions_of(s: Substructures, i: int, pair: NDArray[np.int32]) -> Array:
    begin, end = s.pieces.offsets[i : i + 2]
    positions, chosen = s.pieces.positions[begin:end], s.pieces.numbers[begin:end] == pair[0]
    return positions if chosen.all() else positions[chosen]


def _atoms_of(s: Substructures, i: int, pair: NDArray[np.int32]) -> Atoms:
    begin, end = s.pieces.offsets[i : i + 2]
    numbers = s.pieces.numbers[begin:end]
    neighbours = numbers == pair[1]
    chosen = neighbours | (numbers == pair[0])
    return Atoms(
        numbers=np.where(neighbours, _NEIGHBOUR, _CENTRE)[chosen],
        positions=s.pieces.positions[begin:end][chosen],
        cell=s.cells[i],
        pbc=s.periodic[i],
    )
