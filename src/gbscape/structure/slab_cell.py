"""The cell that every slab has: periodic in y and z, edges along the axes."""

import numpy as np
from ase import Atoms
from scipy.spatial import cKDTree


def check_slab_cell(atoms: Atoms) -> None:
    """Refuse atoms that are no slab.

    Raises:
        ValueError: not periodic in exactly y and z, cell edges not along x, y and z, periods that are not positive,
            positions that are not finite.
    """
    if tuple(atoms.pbc) != (False, True, True):
        raise ValueError(f"a slab must be periodic in y and z and not in x; pbc is {tuple(map(bool, atoms.pbc))}")
    edges = atoms.cell.array
    if not np.allclose(edges, np.diag(edges.diagonal()), atol=1e-8) or not (edges.diagonal()[1:] > 0).all():
        raise ValueError(f"a slab's cell edges must lie along x, y and z and be positive; the cell is {edges.tolist()}")
    infinite = np.flatnonzero(~np.isfinite(atoms.positions).all(axis=1))
    if len(infinite):
        raise ValueError(f"{len(infinite)} atoms have positions that are not finite, the first is atom {infinite[0]}")


def periodic_tree(atoms: Atoms) -> cKDTree:
    """Tree of the atoms of a slab whose distances are to the nearest image in y and z."""
    periods = atoms.cell.lengths() * atoms.pbc  # 0: not periodic
    wrapped = atoms.positions.copy()
    for axis in np.flatnonzero(periods):
        wrapped[:, axis] %= periods[axis]
        wrapped[wrapped[:, axis] >= periods[axis], axis] = 0.0  # a remainder may round up to the period itself
    return cKDTree(wrapped, boxsize=periods)
