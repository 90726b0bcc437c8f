"""Energies of the chosen atoms: one shard of their replica cells by a backend, resumable cell by cell, and all in a table."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gbscape.config.dft import DftSettings
from gbscape.config.replica import Backend, ReplicaCells
from gbscape.energies.backends import calculator
from gbscape.replica.cells import atom_of, read_cells
from gbscape.replica.points import reference_atoms
from gbscape.simulate.potentials import ReadyPotential
from gbscape.store.atomic import atomic_path
from gbscape.store.provenance import Provenance
from gbscape.store.shards import OnFailure, compute_shard, gather_shards, open_shard
from gbscape.store.tables import write_csv
from gbscape.structure.replica_cell import TARGET

ENERGY_COLUMNS = [
    "atom", "energy_ev", "total_ev", "n_atoms", "removed", "sum_rule_error_ev", "charge_e", "volume_angstrom3",
    "magnetic_moment_bohr",
]  # fmt: skip


def compute_energies(
    cells_xyz: str | Path,
    model_h5: str | Path,
    potential_json: str | Path,
    out: str | Path,
    backend: Backend,
    dft: DftSettings,
    cells: ReplicaCells,
    code: str,
    workdir: str | Path,
) -> None:
    """Compute the energy of the target of every cell of a file.

    Args:
        cells_xyz: of `gbscape.replica.cells.cut_cells`.
        model_h5: the model they were cut from, for the provenance.
        potential_json: the potential.
        out: the shard (.h5), a record an atom, `gbscape.energies.atomic_energy.AtomicEnergy`; atoms that fail are listed in it
            with their reasons.
        backend: what computes.
        dft: settings of the backend `gpaw`.
        cells: settings of the cells.
        code: hash of the code that computes this.
        workdir: for files of the backend, from which a job that is killed goes on.
    """
    computed_by = calculator(backend, ReadyPotential.read(potential_json), dft)
    by_atom = {str(atom_of(cell)): cell for cell in read_cells(cells_xyz)}

    def compute(item: str) -> dict[str, Any]:
        cell = by_atom[item]
        found = computed_by.run(cell, int(cell.info[TARGET]), Path(workdir) / item)
        return found.record() | {"n_atoms": len(cell), "removed": int(cell.info["removed"])}

    provenance = Provenance.of(
        {"backend": backend, "settings": computed_by.settings, "cells": cells.model_dump(mode="json")},
        code,
        {"model": model_h5, "potential": potential_json},
    )
    compute_shard(out, list(by_atom), compute, provenance, what="atomic energies")


def compute_reference(
    potential_json: str | Path, out_json: str | Path, backend: Backend, dft: DftSettings, code: str, workdir: str | Path
) -> None:
    """Write the energy of an atom of the perfect crystal, `energy_ev`, with its provenance."""
    computed_by = calculator(backend, ReadyPotential.read(potential_json), dft)
    energy = computed_by.reference(Path(workdir))
    provenance = Provenance.of(
        {"backend": backend, "settings": computed_by.settings}, code, {"potential": potential_json}
    )
    with atomic_path(out_json) as temporary:
        content = {"energy_ev": energy, "provenance": json.loads(provenance.to_json())}
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def gather_energies(
    shards: Sequence[str | Path],
    atoms: NDArray[np.integer],
    out_h5: str | Path,
    out_csv: str | Path,
    on_failure: OnFailure,
) -> None:
    """Join the shards of a batch of atoms, and tabulate the energies, on the backend's own zero, `ENERGY_COLUMNS`.

    Raises:
        ProvenanceMismatch: the shards were not made alike.
        ShardError: atoms are missing, or failed and `on_failure` is "stop".
    """
    gather_shards(shards, out_h5, [str(atom) for atom in sorted(atoms)], on_failure)
    with open_shard(out_h5) as gathered:
        rows = [{"atom": int(item)} | record for item, record in gathered]
    write_csv(out_csv, pd.DataFrame(rows).reindex(columns=ENERGY_COLUMNS))


def tabulate_energies(
    batches_csv: Sequence[str | Path], points_csv: str | Path, reference_json: str | Path | None, out_csv: str | Path
) -> None:
    """Tabulate the energies of all batches over that of an atom of the crystal, `ENERGY_COLUMNS`.

    The zero is the mean over the reference atoms of the points: what a replica cell does to an atom of the crystal is taken
    off with it. Where there are none it is the energy of the perfect crystal (`reference_json`).

    Raises:
        ValueError: none of the reference atoms has an energy.
    """
    table = pd.concat([pd.read_csv(path) for path in batches_csv]).sort_values("atom")
    reference = reference_atoms(points_csv)
    if len(reference):
        of_crystal = table.loc[table["atom"].isin(reference), "energy_ev"]
        if of_crystal.empty:
            raise ValueError(
                f"none of the reference atoms {reference.tolist()}, whose mean is the zero of all energies, has an energy; "
                "see failures.tsv for the reasons, or set replica.cells.reference_atoms to 0 for an atom of the perfect crystal"
            )
        zero = of_crystal.mean()
    else:
        assert reference_json is not None
        zero = json.loads(Path(reference_json).read_text(encoding="utf-8"))["energy_ev"]
    write_csv(out_csv, table.assign(energy_ev=table["energy_ev"] - zero))
