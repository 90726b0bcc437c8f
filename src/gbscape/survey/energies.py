"""One row a boundary: crystallography, computed energy, published figures."""

from pathlib import Path

import pandas as pd

from gbscape.config.model import Published
from gbscape.store.shards import open_shard
from gbscape.survey.boundary import read_boundaries
from gbscape.survey.published import load, read_supplement


def published_figures(settings: Published) -> pd.DataFrame | None:
    """Published figures by boundary id: from the supplement in its original format if given, else from the table."""
    if settings.supplement is not None:
        return read_supplement(settings.supplement)
    return load(settings.table) if settings.table is not None else None


def tabulate_energies(
    boundaries_csv: str | Path | None, survey_h5: str | Path, published: pd.DataFrame | None
) -> pd.DataFrame:
    """Return the survey's table, a row for every boundary that was relaxed.

    Args:
        boundaries_csv: table of the enumerated boundaries; None for structures of one's own.
        survey_h5: gathered survey with its boundary atoms.
        published: published figures by boundary id, see `published_figures`; None when there are none.

    Returns:
        Frame with the columns `id`, `lattice`, `sigma`, `character`, `symmetric`, `disorientation_deg`,
        `disorientation_axis`, `area_a0_squared`, `energy_j_m2`, `converged` (whether its forces fell below the
        tolerance), `n_atoms`, `n_boundary_atoms`, `n_candidates`, `published_energy_j_m2`, `difference_j_m2` (computed
        - published) and the other published columns; cells are empty where something is not known.
    """
    boundaries = {b.id: b for b in read_boundaries(boundaries_csv)} if boundaries_csv else {}
    rows = []
    with open_shard(survey_h5) as survey:
        for item, record in survey:
            b = boundaries.get(item)
            rows.append(
                {
                    "id": item,
                    "lattice": b and b.lattice,
                    "sigma": b and b.sigma,
                    "character": b and b.character,
                    "symmetric": b and b.symmetric,
                    "disorientation_deg": b and round(b.disorientation_deg, 6),
                    "disorientation_axis": b and " ".join(map(str, b.disorientation_axis)),
                    "area_a0_squared": b and round(b.area_a0_squared, 6),
                    "energy_j_m2": record.get("energy_j_m2"),
                    "converged": record.get("converged"),
                    "n_atoms": len(record["structure"]["numbers"]),
                    "n_boundary_atoms": int(record["structure"]["arrays"]["boundary"].sum()),
                    "n_candidates": record.get("n_candidates"),
                }
            )
    table = pd.DataFrame(rows)
    figures = published if published is not None else pd.DataFrame(columns=["sigma", "energy_j_m2"], dtype=float)
    figures = figures.drop(columns="sigma").rename(columns={"energy_j_m2": "published_energy_j_m2"})
    table = table.join(figures, on="id")
    difference = table["energy_j_m2"].astype(float) - table["published_energy_j_m2"]
    table.insert(list(table).index("published_energy_j_m2") + 1, "difference_j_m2", difference)
    return table
