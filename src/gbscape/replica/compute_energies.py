"""Energies of the chosen atoms: one shard of their replica cells by a backend, resumable cell by cell, and all in a table."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from gbscape.config.dft import DftSettings
from gbscape.config.replica import Backend, ReplicaCells
from gbscape.energies.backends import calculator
from gbscape.replica.cells import atom_of, read_cells
from gbscape.replica.select_points import points_of
from gbscape.replica.tables import REFERENCE
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
    atoms_csv: str | Path,
    out_h5: str | Path,
    out_csv: str | Path,
    on_failure: OnFailure,
) -> None:
    """Join the shards of a batch of atoms, and tabulate the energies, on the backend's own zero, `ENERGY_COLUMNS`.

    Raises:
        ProvenanceMismatch: the shards were not made alike.
        ShardError: atoms are missing, or failed and `on_failure` is "stop".
    """
    expected = [str(atom) for atom in sorted(set(pd.read_csv(atoms_csv)["atom"]))]
    gather_shards(shards, out_h5, expected, on_failure)
    with open_shard(out_h5) as gathered:
        rows = [{"atom": int(item)} | record for item, record in gathered]
    write_csv(out_csv, pd.DataFrame(rows).reindex(columns=ENERGY_COLUMNS))


def tabulate_energies(
    batches_csv: Sequence[str | Path], points_csv: str | Path, reference_json: str | Path, out_csv: str | Path
) -> None:
    """Tabulate the energies of all batches over that of an atom of the crystal, `ENERGY_COLUMNS`.

    The zero is the energy of the perfect crystal or, where the points have reference atoms, the mean over these: what a
    replica cell does to an atom of the crystal is taken off with it.
    """
    table = pd.concat([pd.read_csv(path) for path in batches_csv]).drop_duplicates("atom").sort_values("atom")
    zero = json.loads(Path(reference_json).read_text(encoding="utf-8"))["energy_ev"]
    of_bulk = table.loc[table["atom"].isin(points_of(pd.read_csv(points_csv), REFERENCE, 0)), "energy_ev"]
    table["energy_ev"] -= of_bulk.mean() if len(of_bulk) else zero
    write_csv(out_csv, table)
