"""Train the models that are explained, on the survey or on snapshots."""

from pathlib import Path

import numpy as np
import pandas as pd

from gbscape.config.learn import BoostedTrees
from gbscape.features.matrix import read_features
from gbscape.relevance.surrogate import Surrogates, fit_surrogates


def train_surrogates(
    features_h5: str | Path,
    energies_csv: str | Path,
    training: str,
    test_fraction: float,
    n_train: int | None,
    n_splits: int,
    trees: BoostedTrees,
    seed: int,
) -> Surrogates:
    """Fit a model to each split of what both files know; see `gbscape.relevance.surrogate.fit_surrogates`.

    Args:
        features_h5: gathered feature vectors.
        energies_csv: table with the columns id and energy_j_m2.
        training: name of the training data, for the scores.
        test_fraction: share of the rows to test on where `n_train` is None.
        n_train: number of rows to train on.
        n_splits: number of splits.
        trees: settings of the boosted trees scored beside the first model.
        seed: of the splits.

    Raises:
        ValueError: no row has both features and an energy, or not more than `n_train` + 1 rows have.
    """
    energies = pd.read_csv(energies_csv, index_col="id")["energy_j_m2"].dropna()
    features = read_features(features_h5)
    rows = [row for row, item in enumerate(features.ids) if item in energies.index]
    if not rows:
        raise ValueError(f"{features_h5} and {energies_csv} have no id in common")
    if n_train is not None:
        if len(rows) < n_train + 2:
            raise ValueError(
                f"relevance.n_train = {n_train} of {len(rows)} rows of {features_h5} leaves fewer than two to test on"
            )
        test_fraction = 1 - n_train / len(rows)
    ids = [features.ids[row] for row in rows]
    values = features.values[rows].astype(np.float64)
    return fit_surrogates(
        values, energies.loc[ids].to_numpy(float), ids, test_fraction, n_splits, trees, seed, training
    )
