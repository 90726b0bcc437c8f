"""Vectors of the cells of a dataset: scattering invariants, and the mean SOAP of the atoms of each species."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from gbscape.alloy.dataset import read_cells
from gbscape.alloy.elastic import single_strains, strained
from gbscape.config.alloy import Descriptions
from gbscape.config.soap import SoapParameters
from gbscape.features.orbital_scattering import orbital_grid_shape, orbital_scattering
from gbscape.features.soap import power_spectrum
from gbscape.store.balance import balance
from gbscape.store.provenance import Provenance
from gbscape.store.records import Record
from gbscape.store.shards import OnFailure, compute_shard, gather_shards

Array = NDArray[np.float64]
Description = Literal["scattering", "soap"]


def describe_cells(
    cells_xyz: Sequence[str | Path],
    out: str | Path,
    description: Description,
    shard: int,
    n_shards: int,
    species: tuple[str, str],
    settings: Descriptions,
    code: str,
    strain: float | None = None,
) -> None:
    """Describe one shard of the cells of some files: a record `vector` a cell.

    Args:
        cells_xyz: extended XYZ files of `gbscape.alloy.dataset`.
        out: the shard (.h5).
        description: which.
        shard: its number.
        n_shards: of how many; cells are dealt out by their atoms.
        species: the alloy's.
        settings: of both descriptions.
        code: hash of the code that computes this.
        strain: where this is given, a record also has `strained`, the vectors of the cell under each of
            `gbscape.alloy.elastic.single_strains` of this size, by which a model tells its stress.
    """
    cells = {cell.name: cell.atoms for cell in read_cells(cells_xyz, species)}

    def compute(item: str) -> Record:
        # One grid for all strains of a cell: a point more would be a step in the energy.
        shape = orbital_grid_shape(cells[item].cell.lengths(), settings.scattering)
        record: dict[str, Any] = {"vector": describe(cells[item], description, species, settings, shape)}
        if strain is not None:
            record["strained"] = {
                label: describe(strained(cells[item], its), description, species, settings, shape)
                for label, its in single_strains(strain).items()
            }
        return record

    items = balance({name: len(atoms) for name, atoms in cells.items()}, n_shards)[shard]
    own = {
        "species": list(species),
        description: getattr(settings, description).model_dump(mode="json"),
        "strain": strain,
    }
    inputs = {f"cells_{number}": path for number, path in enumerate(cells_xyz)}
    compute_shard(out, items, compute, Provenance.of(own, code, inputs), what="cells")


def gather_cells(
    shards: Sequence[str | Path],
    cells_xyz: Sequence[str | Path],
    out: str | Path,
    species: tuple[str, str],
    on_failure: OnFailure,
) -> None:
    """Join the shards of the cells of some files.

    Raises:
        ProvenanceMismatch: the shards were not made alike.
        ShardError: cells are missing, or failed and `on_failure` is "stop".
    """
    gather_shards(shards, out, [cell.name for cell in read_cells(cells_xyz, species)], on_failure)


def describe(
    atoms: Atoms,
    description: Description,
    species: tuple[str, str],
    settings: Descriptions,
    shape: tuple[int, int, int] | None = None,
) -> Array:
    """Vector of a cell.

    Args:
        atoms: periodic, of the alloy's species.
        description: `scattering` (see `gbscape.features.orbital_scattering`) or `soap`.
        species: the alloy's.
        settings: of both.
        shape: grid of the former; None takes its own.
    """
    if description == "scattering":
        return orbital_scattering(atoms, species, settings.scattering, shape)
    return mean_soap(atoms, species, settings.soap)


def mean_soap(atoms: Atoms, species: tuple[str, str], settings: SoapParameters) -> Array:
    """SOAP of the atoms of one species and then of the other, each summed and divided by the number of all atoms: a linear
    function of it is a mean of linear functions of the atoms."""
    parameters = settings.model_copy(update={"neighbour_species": species, "averaging": "none"})
    parts: Sequence[Array] = [
        power_spectrum(atoms, parameters, centres).sum(axis=0) / len(atoms)
        if (centres := np.flatnonzero(np.array(atoms.get_chemical_symbols()) == name)).size
        else np.zeros(parameters.n_features)
        for name in species
    ]
    return np.concatenate(parts)
