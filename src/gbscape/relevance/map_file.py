"""A map of relevance with the atoms that it is about, in memory and in files that other programs open."""

from dataclasses import dataclass
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.io.cube import write_cube
from ase.units import Bohr
from numpy.typing import NDArray

from gbscape.store.atomic import atomic_path
from gbscape.store.provenance import Provenance
from gbscape.store.shards import open_shard, write_shard

Array = NDArray[np.float64]

NAMES = ("survey", "snapshots", "snapshots_from_rest")
"""Maps: relevance from nothing by models trained on the survey and on snapshots, and relevance of the displacements."""
_ITEM = "map"


@dataclass(frozen=True)
class RelevanceMap:
    """Relevance of every point and of n atoms, by k models. Energies in J/m^2, lengths in Angstrom."""

    name: str
    """One of `NAMES`."""
    number: int
    """Atomic number of the species."""
    positions: Array
    """(n, 3) of the boundary's atoms in the cell; x is the boundary normal, the middle of the cell the boundary."""
    cell: Array
    """(3,) edge lengths of the periodic cell."""
    in_unit: NDArray[np.bool_]
    """(n,) true for atoms of the structural units: not bulk crystal in the relaxed boundary."""
    energies_j_m2: Array
    """(n,) what each atom contributes to the energy that is explained, as the potential has it: its energy above that in
    the perfect crystal, or for displacements above that of the atom at rest. (0,) if it is not known."""
    of_points: Array
    """(n_x, n_y, n_z) relevance density in J/m^2 per Angstrom^3, by the first model."""
    of_atoms: Array
    """(k, n)"""
    predictions_j_m2: Array
    """(k,)"""
    references_j_m2: Array
    """(k,) prediction for what the relevance is relative to."""
    errors_j_m2: Array
    """(k,) by how much the atoms' relevances miss the prediction less the reference; of several snapshots, the largest."""
    n_train: NDArray[np.int64]
    """(k,) number of rows that each model was trained on."""
    in_training: NDArray[np.bool_]
    """(k,) whether what is explained was in the model's training set."""


def write_map(path: str | Path, relevance: RelevanceMap, provenance: Provenance) -> None:
    """Write a map to an HDF5 file."""
    write_shard(path, {_ITEM: vars(relevance)}, provenance, {})


def read_map(path: str | Path) -> RelevanceMap:
    """Read what `write_map` wrote.

    Raises:
        ShardError: the file is damaged or of another kind.
    """
    with open_shard(path) as shard:
        return RelevanceMap(**shard.read(_ITEM))


def export_map(relevance: RelevanceMap, xyz: str | Path, cube: str | Path) -> None:
    """Write the atoms as extended XYZ and the relevance density as a Gaussian cube file, both by the first model.

    Columns of the XYZ: species, position (Angstrom), relevance_j_m2, in_unit (T for atoms of the structural units) and, if it is
    known, energy_j_m2; the comment line has the prediction and the reference. The cube is in atomic units as the format wants
    it, lengths in Bohr and the relevance density in J/m^2 per Bohr^3, which OVITO shows per Angstrom^3. In both files
    the cell is the transform's, with the boundary in its middle.
    """
    atoms = Atoms(
        np.full(len(relevance.positions), relevance.number),
        positions=relevance.positions,
        cell=relevance.cell,
        pbc=(False, True, True),
    )
    atoms.wrap()
    atoms.set_array("relevance_j_m2", relevance.of_atoms[0])
    atoms.set_array("in_unit", relevance.in_unit)
    if len(relevance.energies_j_m2):
        atoms.set_array("energy_j_m2", relevance.energies_j_m2)
    atoms.info = {
        "map": relevance.name,
        "prediction_j_m2": float(relevance.predictions_j_m2[0]),
        "reference_j_m2": float(relevance.references_j_m2[0]),
    }
    with atomic_path(xyz) as temporary:
        ase.io.write(temporary, atoms, format="extxyz")
    with atomic_path(cube) as temporary, temporary.open("w", encoding="utf-8") as file:
        write_cube(
            file, atoms, relevance.of_points * Bohr**3, comment=f"relevance in J/m^2 per Bohr^3, {relevance.name}"
        )
