"""Orthogonal periodic cells: their edges, and positions inside."""

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

Array = NDArray[np.float64]


def orthogonal_edges(model: Atoms) -> Array:
    """Edges (3,) in Angstrom of a model's cell.

    Raises:
        ValueError: the cell is not orthogonal along x, y and z, or not periodic.
    """
    edges = np.diag(model.cell.array).copy()
    if not model.pbc.all() or np.abs(model.cell.array - np.diag(edges)).max() > 1e-9 or not (edges > 0).all():
        raise ValueError(
            f"the model needs an orthogonal cell along x, y and z that is periodic along all, got {model.cell.tolist()} "
            f"with periodicity {model.pbc.tolist()}"
        )
    return edges


def wrapped(positions: Array, edges: Array) -> Array:
    """Positions (n, k) in periods (k,), each coordinate at least 0 and less than the edge, as LAMMPS and k-d trees ask for.

    (ASE's `wrap` leaves an atom just below a face where it is, at a slightly negative coordinate.)
    """
    inside = positions - edges * np.floor(positions / edges)
    inside[inside >= edges] = 0.0  # what lies below zero by less than rounding becomes the period itself
    return inside
