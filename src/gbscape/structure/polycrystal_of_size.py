"""A random polycrystal with a given number of atoms."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from scipy.spatial import cKDTree

from gbscape.structure.polycrystal import Grain, random_grains, voronoi_cells, voronoi_polycrystal

_SURPLUS = 1e-3
"""Share of the atoms that is aimed at beyond the number, ..."""
_MOST_SURPLUS = 0.05
"""... and that may be removed at most: the number may jump by so much where a boundary between images of a grain closes."""
_TRIALS = 12


def polycrystal_of_size(crystal: Atoms, n_atoms: int, n_grains: int, seed: int, overlap: float = 0.7) -> Atoms:
    """Periodic cube of randomly placed and turned grains of one crystal, with exactly so many atoms.

    The edge is the smallest found that gives enough atoms. What is too much, about 0.1 %, is taken from the boundaries: one
    atom of the closest pair at a time, the one nearer to the boundary.

    Args:
        crystal: unit cell of all grains.
        n_atoms: of the polycrystal.
        n_grains: of the polycrystal.
        seed: of the places and orientations of the grains.
        overlap: as in `voronoi_polycrystal`.

    Returns:
        atoms with the arrays `grain` and `distance_to_boundary` (Angstrom) of `voronoi_polycrystal`, and in `info` the area
        of the boundaries, counted once, `boundary_area_angstrom2`, and the `seeds_angstrom` (n_grains, 3) of the grains.

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
    too_short, too_long = 0.0, np.inf
    best: Atoms | None = None
    for _ in range(_TRIALS):
        atoms = voronoi_polycrystal(edge, _scaled(unit, edge), overlap=overlap)
        surplus = len(atoms) - n_atoms
        if 0 <= surplus < (np.inf if best is None else len(best) - n_atoms):
            best = atoms
        if 0 <= surplus <= max(2 * _SURPLUS * n_atoms, 1):
            break
        too_short, too_long = (edge, too_long) if surplus < 0 else (too_short, edge)
        edge *= ((1 + _SURPLUS) * n_atoms / len(atoms)) ** (1 / 3)
        if not too_short < edge < too_long:
            edge = (too_short + too_long) / 2
    if best is None or len(best) - n_atoms > _MOST_SURPLUS * n_atoms + 1:
        raise ValueError(
            f"no cube was found that {n_grains} grains fill with {n_atoms} atoms; the last had {len(atoms)}"
        )
    edge = float(best.cell[0, 0])
    seeds = np.array([grain.seed_angstrom for grain in _scaled(unit, edge)])
    best = _without_closest(best, len(best) - n_atoms)
    # Between a grain and its own image nothing turns: no boundary.
    areas = [
        cell.face_areas_angstrom2()[cell.neighbour != number].sum()
        for number, cell in enumerate(voronoi_cells(edge, seeds))
    ]
    best.info |= {"boundary_area_angstrom2": float(sum(areas) / 2), "seeds_angstrom": seeds}
    return best


def _scaled(unit: Sequence[Grain], edge: float) -> list[Grain]:
    return [Grain(np.asarray(grain.seed_angstrom) * edge, grain.crystal, grain.rotation) for grain in unit]


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
