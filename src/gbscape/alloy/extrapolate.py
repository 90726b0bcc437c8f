"""What models of amorphous cells say of cells unlike them: larger ones, crystals, strained cells, atoms on their way."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gbscape.alloy.dataset import Cell, read_cells, shares
from gbscape.alloy.evaluate import Model, fit, models, read_described, thinned
from gbscape.alloy.tables import UNSEEN_COLUMNS
from gbscape.config.alloy import STRAINED, Regression
from gbscape.store.progress import progress
from gbscape.store.records import Record
from gbscape.store.shards import open_shard
from gbscape.store.tables import write_csv

Array = NDArray[np.float64]


def predict_unseen(
    dataset_xyz: str | Path,
    vectors_h5: Mapping[str, str | Path],
    unseen_xyz: Mapping[str, Sequence[str | Path]],
    unseen_h5: Mapping[str, Mapping[str, str | Path]],
    out_csv: str | Path,
    species: tuple[str, str],
    settings: Regression,
    seed: int,
) -> None:
    """Fit all models to nine tenths of the dataset, which a seed draws, and write what they say of other cells, `UNSEEN_COLUMNS`.

    Cells of the dataset that are among the others under a strain, `NAME:STRAIN`, are not learned from either.

    Args:
        dataset_xyz: of `gbscape.alloy.dataset`.
        vectors_h5: its gathered vectors of `gbscape.alloy.describe`, by description.
        unseen_xyz: files of other cells, by the name of their batch.
        unseen_h5: their gathered vectors, by the name of their batch and description.
        out_csv: the table.
        species: the alloy's.
        settings: of the learning.
        seed: of the draw.
    """
    cells = read_described([dataset_xyz], vectors_h5, species)
    strained = {cell.name.rpartition(":")[0] for cell in read_cells(unseen_xyz.get(STRAINED, []), species)}
    rows = np.flatnonzero([name not in strained for name in cells.names])
    rows = thinned(rows, np.random.default_rng([settings.seed, seed, 2]))
    asked = models(settings)
    fitted = {
        model: fit(cells, rows, model, settings, seed) for model in progress(list(asked), len(asked), "models fitted")
    }
    tables = []
    for batch, files in unseen_xyz.items():
        others = read_cells(files, species)
        described: dict[str, dict[str, Record]] = {}
        for description, path in unseen_h5[batch].items():
            with open_shard(path) as gathered:
                described[description] = dict(gathered)
        for model, (description, _) in asked.items():
            table = _predicted(others, described[description], fitted[model], species)
            tables.append(table.assign(batch=batch, model=model, seed=seed, n_features=fitted[model].rest.n_features))
    write_csv(out_csv, pd.concat([*tables, pd.DataFrame(columns=UNSEEN_COLUMNS)])[UNSEEN_COLUMNS])


def _predicted(
    cells: Sequence[Cell], described: Mapping[str, Record], model: Model, species: tuple[str, str]
) -> pd.DataFrame:
    """Predictions for cells, and for them under strains if those were described; cells that were not are left out."""
    kept = [cell for cell in cells if cell.name in described]
    parts = shares(kept, species)
    records = [described[cell.name] for cell in kept]
    labels = ["", *(records[0].get("strained", {}) if records else {})]
    tables = [
        pd.DataFrame(
            {
                "cell": [cell.name for cell in kept],
                "strain": label,
                "energy_ev_atom": np.nan if label else [cell.energy_ev_atom for cell in kept],
                "predicted_ev_atom": model.predict(
                    np.array([its["strained"][label] if label else its["vector"] for its in records]), parts
                ),
            }
        )
        for label in labels
        if kept
    ]
    return pd.concat(tables) if tables else pd.DataFrame(columns=UNSEEN_COLUMNS)
