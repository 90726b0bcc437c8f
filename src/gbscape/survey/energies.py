"""One row a boundary: crystallography, computed energy, published figures."""

from pathlib import Path

import pandas as pd

from gbscape.store.shards import open_shard
from gbscape.survey.boundary import read_boundaries


def tabulate_energies(
    boundaries_csv: str | Path, survey_h5: str | Path, published: pd.DataFrame | None
) -> pd.DataFrame:
    """Return the survey's table, a row for every boundary that was relaxed.

    Args:
        boundaries_csv: table of the enumerated boundaries.
        survey_h5: gathered survey.
        published: published figures by boundary id, see `gbscape.survey.published`; None when there are none.

    Returns:
        Frame with the columns `id`, `lattice`, `sigma`, `character`, `symmetric`, `disorientation_deg`,
        `disorientation_axis`, `area_a0_squared`, `energy_j_m2`, `n_atoms`, `n_boundary_atoms`, `n_candidates`,
        `published_energy_j_m2`, `difference_j_m2` (computed - published) and the other published columns; cells are
        empty where nothing was published.
    """
    boundaries = {b.id: b for b in read_boundaries(boundaries_csv)}
    rows = []
    with open_shard(survey_h5) as survey:
        for item, record in survey:
            b = boundaries[item]
            rows.append(
                {
                    "id": item,
                    "lattice": b.lattice,
                    "sigma": b.sigma,
                    "character": b.character,
                    "symmetric": b.symmetric,
                    "disorientation_deg": b.disorientation_deg,
                    "disorientation_axis": " ".join(map(str, b.disorientation_axis)),
                    "area_a0_squared": b.area_a0_squared,
                    "energy_j_m2": record["energy_j_m2"],
                    "n_atoms": len(record["structure"]["numbers"]),
                    "n_boundary_atoms": int(record["structure"]["arrays"]["boundary"].sum()),
                    "n_candidates": record["n_candidates"],
                }
            )
    table = pd.DataFrame(rows)
    figures = published if published is not None else pd.DataFrame(columns=["energy_j_m2"], dtype=float)
    table = table.join(figures.rename(columns={"energy_j_m2": "published_energy_j_m2"}), on="id")
    place = table.columns.get_loc("published_energy_j_m2") + 1
    table.insert(place, "difference_j_m2", table["energy_j_m2"] - table["published_energy_j_m2"])
    return table
