"""Learn the energies of snapshots from their representation: boosted trees, and ridge regression beside them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from gbscape.config.learn import BoostedTrees
from gbscape.config.snapshots import SnapshotLearning, SnapshotModel
from gbscape.features.matrix import read_features
from gbscape.learn.boosted_trees import fit_boosted_trees
from gbscape.learn.splits import Split, numbered_split
from gbscape.snapshots.tables import PREDICTION_COLUMNS, SCORE_COLUMNS
from gbscape.store.progress import progress
from gbscape.store.shards import open_shard

_PENALTIES = np.logspace(-10, 2, 25)  # in units of the total variance of the training features


@dataclass(frozen=True)
class SnapshotScores:
    """Tidy tables over all splits."""

    scores: pd.DataFrame
    """Columns `SCORE_COLUMNS`, a row for each split. `baseline_mae_j_m2` is the error of predicting the mean of the training
    energies, on the same test rows."""
    predictions: pd.DataFrame
    """Columns `PREDICTION_COLUMNS`, a row for each test row of each split."""


def learn_snapshots(
    features_h5: str | Path,
    snapshots_h5: str | Path,
    representation: str,
    model: SnapshotModel,
    settings: SnapshotLearning,
    trees: BoostedTrees,
    seed: int,
) -> SnapshotScores:
    """Train on `settings.n_train` snapshots of each random split and test on all others.

    The same seed gives the same splits for every representation and model.

    Raises:
        ValueError: the features are not of these snapshots, or too few are left to test on.
    """
    features = read_features(features_h5)
    with open_shard(snapshots_h5) as shard:
        energies = np.array([record["energy_j_m2"] for _, record in shard])
        ids = np.array(shard.ids)
    if features.ids != ids.tolist():
        raise ValueError(f"{features_h5} and {snapshots_h5} are not about the same snapshots")
    test_fraction = 1 - settings.n_train / len(energies)
    scores, predictions = [], []
    what = f"splits of {representation}, {model}"
    for number in progress(range(settings.n_splits), settings.n_splits, what):
        split = numbered_split(energies, "regression", test_fraction, seed, number)
        predicted = _predict(features.values, energies, split, model, trees)
        true = energies[split.test]
        baseline = np.full(len(true), energies[split.train].mean())
        scores.append(
            {
                "representation": representation,
                "model": model,
                "split": number,
                "n_train": len(split.train),
                "n_test": len(split.test),
                "mae_j_m2": mean_absolute_error(true, predicted),
                "r2": r2_score(true, predicted),
                "baseline_mae_j_m2": mean_absolute_error(true, baseline),
            }
        )
        predictions.append(
            pd.DataFrame(
                {
                    "representation": representation,
                    "model": model,
                    "split": number,
                    "id": ids[split.test],
                    "y_true": true,
                    "y_pred": predicted,
                }
            )
        )
    return SnapshotScores(
        pd.DataFrame(scores, columns=SCORE_COLUMNS), pd.concat(predictions, ignore_index=True)[PREDICTION_COLUMNS]
    )


def _predict(
    features: NDArray[np.float64],
    energies: NDArray[np.float64],
    split: Split,
    model: SnapshotModel,
    trees: BoostedTrees,
) -> NDArray[np.float64]:
    """Energies of the test rows, by a model that has seen the training rows alone."""
    train, test = features[split.train], features[split.test]
    if model == "boosted_trees":
        fitted = fit_boosted_trees(train, energies[split.train], "regression", trees, None, split.fit_seed)
        return fitted.predict(test)
    return np.asarray(_fit_ridge(train, energies[split.train]).predict(test))


def _fit_ridge(features: NDArray[np.float64], energies: NDArray[np.float64]) -> Pipeline:
    """Ridge regression, its penalty chosen by leave-one-out errors, and so is whether features are standardised before.

    Standardised, features that hardly vary, and hold mostly noise, weigh as much as the others; as they are, those of
    large numbers drown the rest. Which is worse depends on the representation.
    """
    fits = []
    for scale in (StandardScaler(with_std=False), StandardScaler()):
        total_variance = float(scale.fit_transform(features).var(axis=0).sum())
        fits.append(make_pipeline(scale, RidgeCV(alphas=_PENALTIES * total_variance)).fit(features, energies))
    return max(fits, key=lambda fit: fit[-1].best_score_)
