"""Vectors of the cells of a dataset: scattering invariants, and the mean SOAP of the atoms of each species."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from gbscape.alloy.dataset import read_dataset
from gbscape.config.alloy import Alloy
from gbscape.features.orbital_scattering import orbital_scattering
from gbscape.features.soap import power_spectrum
from gbscape.store.balance import balance
from gbscape.store.provenance import Provenance
from gbscape.store.records import Record
from gbscape.store.shards import compute_shard

Array = NDArray[np.float64]
Description = Literal["scattering", "soap"]


def describe_cells(
    dataset_xyz: str | Path,
    out: str | Path,
    description: Description,
    shard: int,
    n_shards: int,
    settings: Alloy,
    code: str,
) -> None:
    """Describe one shard of a dataset: a record `vector` a cell.

    Args:
        dataset_xyz: of `gbscape.alloy.dataset`.
        out: the shard (.h5).
        description: which.
        shard: its number.
        n_shards: of how many; cells are dealt out by their volume.
        settings: of the alloy and both descriptions.
        code: hash of the code that computes this.
    """
    cells = {cell.name: cell.atoms for cell in read_dataset(dataset_xyz, settings.species)}

    def compute(item: str) -> Record:
        return {"vector": describe(cells[item], description, settings)}

    items = balance({name: atoms.cell.volume for name, atoms in cells.items()}, n_shards)[shard]
    own = {"species": list(settings.species), description: getattr(settings, description).model_dump(mode="json")}
    compute_shard(out, items, compute, Provenance.of(own, code, {"dataset": dataset_xyz}), what="cells")


def describe(
    atoms: Atoms, description: Description, settings: Alloy, shape: tuple[int, int, int] | None = None
) -> Array:
    """Vector of a cell.

    Args:
        atoms: periodic, of the alloy's species.
        description: `scattering` (see `gbscape.features.orbital_scattering`) or `soap`.
        settings: of both.
        shape: grid of the former; None takes its own.
    """
    if description == "scattering":
        return orbital_scattering(atoms, settings.species, settings.scattering, shape)
    return mean_soap(atoms, settings)


def mean_soap(atoms: Atoms, settings: Alloy) -> Array:
    """SOAP of the atoms of one species and then of the other, each summed and divided by the number of all atoms: a linear
    function of it is a mean of linear functions of the atoms."""
    parameters = settings.soap.model_copy(update={"neighbour_species": settings.species, "averaging": "none"})
    parts: Sequence[Array] = [
        power_spectrum(atoms, parameters, centres).sum(axis=0) / len(atoms)
        if (centres := np.flatnonzero(np.array(atoms.get_chemical_symbols()) == name)).size
        else np.zeros(parameters.n_features)
        for name in settings.species
    ]
    return np.concatenate(parts)
