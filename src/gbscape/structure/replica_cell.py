"""Replica cells: the surroundings of one atom of a large model as a small periodic cell.

A cube about the atom is cut out and made periodic. Atoms that its faces bring together are thinned out. The energy of the
atom in the middle is then that of the large model, to the extent that the forces reach no farther than the cube (Tamura
et al. 2020, section II B).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gbscape.structure.orthogonal_cell import orthogonal_edges, wrapped

Removal = Literal["farther", "fewest"]

TARGET = "target"
"""Name of the entry of `Atoms.info` with the number of the target in the cell."""
MODEL_INDEX = "model_index"
"""Name of the array with the atoms' numbers in the model."""

_ON_A_FACE_ANGSTROM = 1e-6

_Pairs = NDArray[np.intp]
_Array = NDArray[np.float64]


def replica_cells(
    model: Atoms,
    targets: Sequence[int] | NDArray[np.integer],
    edge_angstrom: float,
    closest_angstrom: float,
    removal: Removal = "farther",
) -> Iterator[Atoms]:
    """Cut the replica cell of each target.

    Only pairs across the faces of the cell are thinned out, never what is close in the model itself; the target stays.

    Args:
        model: in an orthogonal cell, periodic along x, y and z.
        targets: numbers of atoms.
        edge_angstrom: of the cubes; 10 in the paper.
        closest_angstrom: no pair across the faces is closer; 2.2 in the paper.
        removal: `farther`: of the closest pair the atom farther from the target goes, pair after pair; `fewest`: the atom
            that is too close to most others goes first, of several the one farthest from the target.

    Yields:
        for every target a periodic cube with the target in its middle; `info` has its number in the cell (`TARGET`), the
        array `MODEL_INDEX` those of all atoms in the model, `info["removed"]` how many are missing.

    Raises:
        ValueError: a model that is not an orthogonal periodic cell or is smaller than the cube; a target that is not in it;
            lengths that are not positive; a cube of less than three times the closest distance.
    """
    edges = orthogonal_edges(model)
    if not 0 < 3 * closest_angstrom <= edge_angstrom:
        raise ValueError(
            f"closest_angstrom, {closest_angstrom}, must be positive and at most a third of the replica's edge, {edge_angstrom}"
        )
    if (edges < edge_angstrom).any():
        raise ValueError(
            f"the model's cell, {edges.tolist()} Angstrom, is smaller than a replica of {edge_angstrom} Angstrom: take a "
            "larger model or smaller replicas"
        )
    numbers = np.asarray(targets, dtype=np.intp)
    if len(numbers) and not (numbers.min() >= 0 and numbers.max() < len(model)):
        raise ValueError(f"targets must be atoms from 0 to {len(model) - 1}, got {numbers.min()} to {numbers.max()}")
    thin = {"farther": _farther, "fewest": _fewest}[removal]
    positions = wrapped(model.positions, edges)
    tree = cKDTree(positions, boxsize=edges)
    return (_replica(model, positions, tree, int(number), edge_angstrom, closest_angstrom, thin) for number in numbers)


def _replica(
    model: Atoms,
    positions: _Array,
    tree: cKDTree,
    number: int,
    edge: float,
    closest: float,
    thin: Callable[[_Pairs, _Array, _Array], NDArray[np.bool_]],
) -> Atoms:
    near = np.sort(tree.query_ball_point(positions[number], edge / 2 + 2 * _ON_A_FACE_ANGSTROM, p=np.inf))
    offset = positions[near] - positions[number]
    offset -= tree.boxsize[:3] * np.rint(offset / tree.boxsize[:3])
    # Atoms on a face are those of the lower one, whatever rounding says, so that a crystal stays whole.
    inside = ((offset >= -edge / 2 - _ON_A_FACE_ANGSTROM) & (offset < edge / 2 - _ON_A_FACE_ANGSTROM)).all(axis=1)
    near, offset = near[inside], offset[inside]
    pairs, lengths = _pairs_across_faces(offset, edge, closest)
    keep = ~thin(pairs, lengths, np.linalg.norm(offset, axis=1))
    cell = Atoms(
        model.numbers[near[keep]],
        positions=offset[keep] + edge / 2,
        cell=[edge] * 3,
        pbc=True,
        info={TARGET: int(np.flatnonzero(near[keep] == number)[0]), "removed": int((~keep).sum())},
    )
    cell.set_array(MODEL_INDEX, near[keep].astype(np.int64))
    return cell


def _pairs_across_faces(offset: _Array, edge: float, closest: float) -> tuple[_Pairs, _Array]:
    """Pairs (m, 2) that a face brings closer than allowed, and their distances (m,)."""
    shifted = (offset + edge / 2) % edge
    shifted[shifted >= edge] = 0.0  # a remainder may round up to the edge itself
    pairs = cKDTree(shifted, boxsize=edge).query_pairs(closest * (1 - 1e-12), output_type="ndarray")
    difference = offset[pairs[:, 0]] - offset[pairs[:, 1]]
    images = np.rint(difference / edge)
    across = images.any(axis=1)
    lengths = np.linalg.norm(difference - edge * images, axis=1)
    return pairs[across], lengths[across]


def _farther(pairs: _Pairs, lengths: _Array, distance: _Array) -> NDArray[np.bool_]:
    remove = np.zeros(len(distance), dtype=bool)
    for a, b in pairs[np.argsort(lengths, kind="stable")]:
        if not (remove[a] or remove[b]):
            remove[max((a, b), key=lambda its: (distance[its], its))] = True
    return remove


def _fewest(pairs: _Pairs, lengths: _Array, distance: _Array) -> NDArray[np.bool_]:
    remove = np.zeros(len(distance), dtype=bool)
    while len(pairs):
        partners = np.bincount(pairs.ravel(), minlength=len(distance))
        gone = max(range(len(distance)), key=lambda its: (partners[its], distance[its], its))
        remove[gone] = True
        pairs = pairs[(pairs != gone).all(axis=1)]
    return remove
