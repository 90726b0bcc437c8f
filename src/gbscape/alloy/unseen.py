"""Structures that models are asked for and never learn from: known crystals, and strained crystals and amorphous cells."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from ase import Atoms

from gbscape.alloy.crystals import read_crystals
from gbscape.alloy.dataset import foreign_species, ratio
from gbscape.alloy.elastic import single_strains, strained
from gbscape.config.alloy import Elastic
from gbscape.config.dft import TotalEnergyDft
from gbscape.energies.total_energy import kpoint_grid_of
from gbscape.store.provenance import Provenance
from gbscape.store.records import Record, atoms_from_record, atoms_to_record
from gbscape.store.shards import open_shard, write_shard


def write_crystals(table_csv: str | Path, out: str | Path, species: tuple[str, str], code: str) -> None:
    """Write the crystals of a table as a batch of structures.

    Raises:
        CrystalTableError: a table that cannot be used.
        ValueError: a crystal has another species.
    """
    records = {name: _record(atoms, species) for name, atoms in _of_species(table_csv, species).items()}
    write_shard(out, records, Provenance.of({"species": list(species)}, code, {"table": table_csv}), {})


def write_strained(
    table_csv: str | Path,
    amorphous_h5: str | Path,
    out: str | Path,
    species: tuple[str, str],
    settings: Elastic,
    dft: TotalEnergyDft,
    code: str,
) -> None:
    """Write the strained cells whose stresses give elastic constants, `NAME:STRAIN`, all of a cell with its own points in k-space.

    Args:
        table_csv: of crystals, of which those are taken that are not too large.
        amorphous_h5: the last batch of structures; of each concentration that is asked for the first one that was relaxed.
        out: batch of structures.
        species: the alloy's.
        settings: which, and how large the strains are.
        dft: for the points in k-space.
        code: hash of the code that makes this.

    Raises:
        CrystalTableError, ValueError: as `write_crystals`.
    """
    crystals = {
        name: atoms for name, atoms in _of_species(table_csv, species).items() if len(atoms) <= settings.most_atoms
    }
    cells = crystals | relaxed_cells(amorphous_h5, settings.concentrations)
    records = {}
    for name, atoms in cells.items():
        grid = list(kpoint_grid_of(atoms, dft))
        for label, strain in single_strains(settings.strain).items():
            records[f"{name}:{label}"] = {**_record(strained(atoms, strain), species), "kpoint_grid": grid}
    own = {"elastic": settings.model_dump(mode="json"), "kpoint_spacing": dft.kpoint_spacing_per_angstrom}
    inputs = {"table": table_csv, "amorphous": amorphous_h5}
    write_shard(out, records, Provenance.of(own, code, inputs), {})


def relaxed_cells(batch_h5: str | Path, concentrations: tuple[float, ...]) -> dict[str, Atoms]:
    """The first cell of each concentration that was relaxed and not heated, by name."""
    found: dict[float, tuple[str, Atoms]] = {}
    with open_shard(batch_h5) as batch:
        for name, record in batch:
            concentration = record["concentration"]
            wanted = any(np.isclose(concentration, its) for its in concentrations)
            if wanted and record["temperature_kelvin"] == 0 and concentration not in found:
                found[concentration] = name, atoms_from_record(record["structure"])
    return dict(found.values())


def _of_species(table_csv: str | Path, species: tuple[str, str]) -> Mapping[str, Atoms]:
    crystals = read_crystals(table_csv)
    for name, atoms in crystals.items():
        if problem := foreign_species(atoms, species):
            raise ValueError(f"{table_csv}: {name} {problem}")
    return crystals


def _record(atoms: Atoms, species: tuple[str, str]) -> Record:
    return {
        "structure": atoms_to_record(atoms),
        "concentration": ratio(atoms, species),
        "temperature_kelvin": 0.0,
    }
