"""Coordination of atoms in and around cubic crystals, with a cut-off that follows the local density.

Tamura et al. (2020), equations 11 and 12, for bcc: the cut-off lies halfway between the second and the third shell of a
crystal whose lattice constant is that of the atom's 14 nearest neighbours, 8 in the first shell and 6 in the second. For fcc
likewise: halfway between the first shell, the 12 nearest, and the second.
"""

import math

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gbscape.structure.orthogonal_cell import orthogonal_edges, wrapped

# Of the shells that count: number of atoms and distance in lattice constants; and the distance of the next shell.
_SHELLS = {
    "bcc": (((8, math.sqrt(3) / 2), (6, 1.0)), math.sqrt(2)),
    "fcc": (((12, math.sqrt(0.5)),), 1.0),
}
_MARGIN = 12  # more neighbours than these beyond a perfect crystal's are within the cut-off of few atoms
_ATOMS = 2**17
"""Atoms whose neighbours are looked for together: bounds the memory."""


def perfect_coordination(lattice: str) -> int:
    """Coordination number of an atom of the crystal: 14 in bcc, 12 in fcc."""
    return sum(count for count, _ in _SHELLS[lattice][0])


def local_cutoffs(distances: NDArray[np.float64], lattice: str) -> NDArray[np.float64]:
    """Cut-offs (n,) in Angstrom from the distances (n, m) to the nearest neighbours, nearest first, m at least those of a
    perfect crystal."""
    shells, following = _SHELLS[lattice]
    start, constants = 0, []
    for count, distance in shells:
        constants.append(distances[:, start : start + count].mean(axis=1) / distance)
        start += count
    return (shells[-1][1] + following) / 2 * np.mean(constants, axis=0)


def local_coordination(atoms: Atoms, lattice: str, threads: int = 1) -> NDArray[np.int64]:
    """Number of neighbours (n,) of each atom within its local cut-off.

    Args:
        atoms: in a periodic orthogonal cell.
        lattice: of the crystal, bcc or fcc.
        threads: for the search for neighbours.

    Raises:
        ValueError: another lattice; a cell that is not periodic along all axes or not orthogonal; no more atoms than a
            perfect crystal's neighbours; an edge of the cell shorter than twice the longest cut-off.
    """
    if lattice not in _SHELLS:
        raise ValueError(f"coordinations are known for {' and '.join(_SHELLS)}, not for {lattice!r}")
    edges, least = orthogonal_edges(atoms), perfect_coordination(lattice)
    if len(atoms) <= least:
        raise ValueError(f"coordinations need at least {least + 1} atoms, got {len(atoms)}")
    positions = wrapped(atoms.positions, edges)
    tree = cKDTree(positions, boxsize=edges)
    counts = np.empty(len(atoms), dtype=np.int64)
    k = min(least + _MARGIN + 1, len(atoms))
    longest = 0.0
    for start in range(0, len(atoms), _ATOMS):
        part = slice(start, start + _ATOMS)
        distances = tree.query(positions[part], k=k, workers=threads)[0][:, 1:]
        cutoffs = local_cutoffs(distances, lattice)
        longest = max(longest, float(cutoffs.max()))
        counts[part] = (distances < cutoffs[:, None]).sum(axis=1)
        full = np.flatnonzero(distances[:, -1] < cutoffs)
        if len(full):
            within = cutoffs[full] * (1 - 1e-12)
            counts[start + full] = tree.query_ball_point(positions[part][full], within, return_length=True) - 1
    if (edges < 2 * longest).any():
        raise ValueError(
            f"the edges of the cell, {edges.tolist()} Angstrom, must be at least twice the longest cut-off, {longest:.3f}"
        )
    return counts
