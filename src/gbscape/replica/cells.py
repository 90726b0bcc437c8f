"""Replica cells of the chosen atoms, as files that ASE and OVITO read."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gbscape.config.replica import ReplicaCells
from gbscape.replica.model import model_atoms
from gbscape.store.atomic import atomic_path
from gbscape.store.balance import balance
from gbscape.store.provenance import Provenance
from gbscape.structure.orthogonal_cell import orthogonal_edges, wrapped
from gbscape.structure.replica_cell import MODEL_INDEX, TARGET, replica_cells


def atoms_of_shard(
    model: Atoms,
    atoms: NDArray[np.integer],
    edge_angstrom: float,
    shard: int,
    n_shards: int,
    power: float = 1.0,
) -> NDArray[np.int64]:
    """Atoms whose cells are of one shard, dealt out by what these cost: the atoms in each to a power.

    Args:
        model: the model.
        atoms: (n,) all of them.
        edge_angstrom: of the cells.
        shard, n_shards: which, of how many.
        power: 3 of a method that goes as the cube of the electrons.
    """
    edges = orthogonal_edges(model)
    tree = cKDTree(wrapped(model.positions, edges), boxsize=edges)
    within = tree.query_ball_point(tree.data[atoms], edge_angstrom / 2, p=np.inf, return_length=True)
    costs = {str(atom): float(count) ** power for atom, count in zip(atoms, within, strict=True)}
    return np.array(sorted(map(int, balance(costs, n_shards)[shard])), dtype=np.int64)


def cut_cells(
    model_h5: str | Path,
    atoms: Sequence[int] | NDArray[np.integer],
    out_xyz: str | Path,
    settings: ReplicaCells,
    code: str,
    shard: int = 0,
    n_shards: int = 1,
    power: float = 1.0,
) -> None:
    """Write the replica cells of some atoms of a model, of one shard of them, one frame each, as extended XYZ.

    The comment line of a frame has the number of the target in the cell (`target`) and in the model (`atom`), how many atoms
    were left out (`removed`), and the provenance; the column `model_index` has the atoms' numbers in the model.
    """
    provenance = Provenance.of(settings.model_dump(mode="json"), code, {"model": model_h5})
    # As a nested mapping: quotes within quotes do not come back from extended XYZ.
    made = asdict(provenance) | {"settings": json.loads(provenance.settings)}
    model = model_atoms(model_h5)
    if n_shards > 1:
        atoms = atoms_of_shard(model, np.asarray(atoms), settings.edge_angstrom, shard, n_shards, power)
    cells = replica_cells(model, atoms, settings.edge_angstrom, settings.closest_angstrom, settings.removal)
    with atomic_path(out_xyz) as temporary, temporary.open("w", encoding="utf-8") as file:
        for cell in cells:
            cell.info |= {"atom": atom_of(cell), "provenance": made}
            ase.io.write(file, cell, format="extxyz")


def read_cells(path: str | Path) -> Iterator[Atoms]:
    """Replica cells of a file, one at a time; none of an empty one, as a shard without atoms is."""
    if Path(path).stat().st_size:
        yield from ase.io.iread(path, format="extxyz")


def atom_of(cell: Atoms) -> int:
    """Number of the target in the model."""
    return int(cell.arrays[MODEL_INDEX][cell.info[TARGET]])
