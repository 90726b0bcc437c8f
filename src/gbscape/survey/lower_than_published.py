"""Boundaries whose energy is well below the published one, each beside the structure that the first search had found."""

from pathlib import Path
from typing import Any

import pandas as pd

from gbscape.config.survey import BoundaryAtoms, Lattice
from gbscape.store.provenance import Provenance
from gbscape.store.records import Record
from gbscape.store.shards import open_shard, write_shard
from gbscape.survey.select_atoms import marked_structure

COLUMNS = ["id", "sigma", "energy_j_m2", "published_energy_j_m2", "difference_j_m2", "n_atoms"]
BEFORE = "~before"
"""Ending of the id under which the structure before the local search is listed."""


def lower_than_published(
    relaxed_h5: str | Path,
    energies: pd.DataFrame,
    out: str | Path,
    lower_by_j_m2: float,
    settings: BoundaryAtoms,
    lattice: Lattice,
    code: str,
) -> pd.DataFrame:
    """Write boundaries more than `lower_by_j_m2` below their published energy as a survey of their own; return its table.

    Structures of the published survey are not at hand. Beside each boundary, under its id and "~before", stands what the
    search by displacement, shaking and annealing had found, where a local search has found something better.

    Args:
        relaxed_h5: gathered survey, before its boundary atoms are marked.
        energies: table of `gbscape.survey.energies.tabulate_energies`.
        out: survey (.h5) with boundary atoms marked.
        lower_by_j_m2: what counts as lower.
        settings: which atoms belong to a boundary.
        lattice: lattice of the grains.
        code: hash of the code that computes this.

    Returns:
        Columns COLUMNS, a row a structure, lowest against the published energy first; without rows if there are none.
    """
    lower = energies[energies["difference_j_m2"] < -lower_by_j_m2].sort_values("difference_j_m2")
    records: dict[str, dict[str, Any]] = {}
    rows = []

    def add(item: str, record: Record, energy_j_m2: float, sigma: int, published_j_m2: float) -> None:
        structure = marked_structure(record["structure"], settings, lattice)
        records[item] = {"structure": structure, "energy_j_m2": energy_j_m2}
        if "cohesive_energy_ev" in record:  # structures of one's own do not say
            records[item]["cohesive_energy_ev"] = record["cohesive_energy_ev"]
        rows.append((item, sigma, energy_j_m2, published_j_m2, energy_j_m2 - published_j_m2, len(structure["numbers"])))

    with open_shard(relaxed_h5) as survey:
        for boundary in lower.itertuples():
            record = survey.read(boundary.id)
            published = int(boundary.sigma), float(boundary.published_energy_j_m2)
            add(boundary.id, record, record["energy_j_m2"], *published)
            search = record.get("local_search", {})
            if "structure_before" in search:
                before = record | {"structure": search["structure_before"]}
                add(boundary.id + BEFORE, before, search["before_j_m2"], *published)
        provenance = Provenance.of(
            settings.model_dump(mode="json") | {"lower_by_j_m2": lower_by_j_m2}, code, inputs={"survey": relaxed_h5}
        )
    write_shard(out, records, provenance, failures={})
    return pd.DataFrame(rows, columns=COLUMNS)
