"""Boxes against masks over all atoms, the nearest-neighbour distance against loops in Python."""

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.neighborlist import NeighborList
from measure import Build, Contest, Contestant, Goal, Work

from gbscape.crystal.boxes import BoxGrid, box_grid, cut_boxes
from gbscape.structure import nearest_neighbour_distance

EDGE_ANGSTROM = 16.0


def nickel(cells: int) -> np.ndarray:
    """Positions of a fcc crystal with thermal noise."""
    crystal = bulk("Ni", "fcc", a=3.52, cubic=True) * (cells, cells, cells)
    return crystal.positions + np.random.default_rng(0).normal(0, 0.05, (len(crystal), 3))


def boxes(quick: bool) -> Contest:
    positions = nickel(6 if quick else 32)
    grid = box_grid(positions, EDGE_ANGSTROM, 8.0 if quick else 3.7)
    sample = np.sort(np.random.default_rng(1).choice(len(grid), min(len(grid), 200), replace=False))

    def ours() -> Build:
        for _ in cut_boxes(positions[:100], grid, stop=1):
            pass

        def work() -> list[np.ndarray]:
            """All boxes; the lists of the sample are kept to be compared."""
            kept = []
            for batch in cut_boxes(positions, grid):
                end = batch.first + len(batch.offsets) - 1
                for number in sample[np.searchsorted(sample, batch.first) : np.searchsorted(sample, end)]:
                    i = number - batch.first
                    kept.append(batch.atoms[batch.offsets[i] : batch.offsets[i + 1]].copy())
            return kept

        return lambda: work

    def peer() -> Build:
        return lambda: lambda: by_masks(positions, grid, sample)

    masks = f"numpy masks ({len(sample)} boxes, scaled)"
    return Contest(
        key="boxes",
        setting=f"{len(grid)} boxes of 16 Å, {len(positions)} atoms",
        ours=[Contestant("cell list", ours)],
        peers=[Contestant(masks, peer, share=len(sample) / len(grid))],
        units=len(grid),
        unit="boxes",
        difference={
            masks: lambda ours, peer: float(sum(not np.array_equal(a, b) for a, b in zip(ours, peer, strict=True)))
        },
        goals={("cell list", masks): Goal(speed=20, difference=0)},
    )


def by_masks(positions: np.ndarray, grid: BoxGrid, sample: np.ndarray) -> list[np.ndarray]:
    x, y, z = positions.T.copy()
    lists = []
    for low in grid.origins_angstrom().reshape(-1, 3)[sample]:
        high = low + grid.edge_angstrom
        inside = (x <= high[0]) & (y <= high[1]) & (z <= high[2]) & (x >= low[0]) & (y >= low[1]) & (z >= low[2])
        lists.append(np.flatnonzero(inside))
    return lists


def nearest_neighbours(quick: bool) -> Contest:
    positions = nickel(3 if quick else 6)
    inside = ((positions >= 1) & (positions <= 1 + (8 if quick else EDGE_ANGSTROM))).all(axis=1)
    box = Atoms(f"Ni{inside.sum()}", positions=positions[inside])

    def ours() -> Build:
        nearest_neighbour_distance(box.positions[:10])
        return lambda: lambda: nearest_neighbour_distance(box, ("Ni", "Ni"))

    def peer() -> Build:
        def build() -> Work:
            return lambda: distance_by_loops(box, "Ni", "Ni")

        return build

    loops = "Python loops"
    return Contest(
        key="nearest-neighbours",
        setting=f"d_NN of a box of {len(box)} atoms",
        ours=[Contestant("k-d tree", ours)],
        peers=[Contestant(loops, peer)],
        units=1,
        unit="boxes",
        difference={loops: lambda ours, peer: abs(ours - peer)},
        goals={("k-d tree", loops): Goal(speed=1000, difference=1e-10)},
        budget_s=8.0,
    )


def distance_by_loops(
    atoms: Atoms, centre: str, neighbour: str, radius_angstrom: float = 10.0, bins: int = 100
) -> float:
    """The published procedure as its authors' code goes about it: ASE's neighbour list, in which spheres of this radius
    touch, and a loop over all neighbours of all atoms."""
    symbols = atoms.get_chemical_symbols()
    neighbours = NeighborList([radius_angstrom] * len(atoms), skin=0.1, self_interaction=False, bothways=True)
    neighbours.update(atoms)
    nearest = []
    for i in range(len(atoms)):
        if symbols[i] != centre:
            continue
        distances = []
        for j, offset in zip(*neighbours.get_neighbors(i), strict=True):
            if symbols[j] == neighbour:
                position = atoms.positions[j] + np.dot(offset, atoms.get_cell())
                distances.append(np.linalg.norm(position - atoms.positions[i]))
        nearest.append(min(distances))
    counts, edges = np.histogram(nearest, bins=bins)
    weighted = [count / edge**2 for count, edge in zip(counts, edges[:-1], strict=True)]
    fullest = int(np.argmax(weighted))
    return float(edges[fullest] + edges[fullest + 1]) / 2
