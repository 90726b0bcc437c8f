"""A random polycrystal with a given number of atoms."""

import numpy as np
from ase import Atoms
from scipy.spatial import cKDTree

from gbscape.structure.polycrystal import Grain, random_grains, voronoi_cells, voronoi_polycrystal

_MOST_SURPLUS = 2e-3
"""Share of the atoms that may be removed to arrive at the number."""
_TRIALS = 20


def polycrystal_of_size(crystal: Atoms, n_atoms: int, n_grains: int, seed: int, overlap: float = 0.7) -> Atoms:
    """Periodic cube of randomly placed and turned grains of one crystal, with exactly so many atoms.

    The edge is the smallest found that gives enough atoms; what is too much, at most 0.2 %, is taken from the boundaries:
    one atom of the closest pair at a time, the one nearer to the boundary.

    Args:
        crystal: unit cell of all grains.
        n_atoms: of the polycrystal.
        n_grains: of the polycrystal.
        seed: of the places and orientations of the grains.
        overlap: as in `voronoi_polycrystal`.

    Returns:
        atoms with the arrays `grain` and `distance_to_boundary` (Angstrom) of `voronoi_polycrystal`, and the area of the
        boundaries, counted once, as `info["boundary_area_angstrom2"]`.

    Raises:
        ValueError: fewer atoms than grains, or no edge gives the number (a sample too small for its grains); those of
            `random_grains` and `voronoi_polycrystal`.
    """
    if not n_atoms > n_grains > 0:
        raise ValueError(
            f"a polycrystal needs more atoms than grains and at least one grain, got {n_atoms} and {n_grains}"
        )
    unit = random_grains(n_grains, crystal, 1.0, np.random.default_rng(seed))
    edge = (n_atoms * crystal.get_volume() / len(crystal)) ** (1 / 3)
    for _ in range(_TRIALS):
        grains = [Grain(np.asarray(grain.seed_angstrom) * edge, crystal, grain.rotation) for grain in unit]
        atoms = voronoi_polycrystal(edge, grains, overlap=overlap)
        surplus = len(atoms) - n_atoms
        if 0 <= surplus <= max(_MOST_SURPLUS * n_atoms, 1):
            atoms = _without_closest(atoms, surplus)
            cells = voronoi_cells(edge, np.array([grain.seed_angstrom for grain in grains]))
            atoms.info["boundary_area_angstrom2"] = sum(cell.face_areas_angstrom2().sum() for cell in cells) / 2
            return atoms
        # Aim at half of the surplus that is allowed.
        edge *= ((1 + _MOST_SURPLUS / 2) * n_atoms / len(atoms)) ** (1 / 3)
    raise ValueError(f"no cube was found that {n_grains} grains fill with {n_atoms} atoms; the last had {len(atoms)}")


def _without_closest(atoms: Atoms, surplus: int) -> Atoms:
    remove = np.zeros(len(atoms), dtype=bool)
    depth = atoms.arrays.get("distance_to_boundary", np.zeros(len(atoms)))
    if surplus:
        distances, partner = cKDTree(atoms.positions, boxsize=atoms.cell.lengths()).query(atoms.positions, k=2)
        for number in np.lexsort((np.arange(len(atoms)), distances[:, 1].round(6))):
            other = partner[number, 1]
            if remove.sum() == surplus:
                break
            if not (remove[number] or remove[other]):
                remove[min((number, other), key=lambda its: (depth[its].round(6), its))] = True
    return atoms[~remove]
