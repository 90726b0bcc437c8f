"""A differentiable model of the boundary energy: ridge regression, whose gradient can go back through the scattering.

The features are standardised over the training rows and the penalty is chosen by leave-one-out cross-validation there. In
dual form, with as many unknowns as rows, tens of thousands of columns are no burden. The model is linear in the
features; so relevance through it needs no rule of its own (see `gbscape.relevance.attribution`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV

from gbscape.config.learn import BoostedTrees
from gbscape.learn.boosted_trees import fit_boosted_trees
from gbscape.learn.scores import energy_scores
from gbscape.learn.splits import Split, numbered_split
from gbscape.relevance.linear import LinearModel
from gbscape.store.progress import progress

Array = NDArray[np.float64]

PENALTIES = np.geomspace(1e-8, 1e3, 45)
"""In units of the number of training rows, which is the sum of the squared lengths of the standardised rows."""
NEGLIGIBLE = 1e-5
"""A column whose standard deviation is below this share of the largest feature holds the transform's rounding and no more;
standardised it would count like any other."""
SCORE_COLUMNS = ["training", "model", "split", "n_train", "n_test", "mae_j_m2", "rmse_j_m2", "r2", "accuracy_percent"]


@dataclass(frozen=True)
class Surrogates:
    """One model a split, and how good they are."""

    models: list[LinearModel]
    scores: pd.DataFrame
    """Columns `SCORE_COLUMNS`, of the test rows: `ridge` and `mean` (of the training energies) a split, `boosted_trees`
    of the first one."""


def fit_ridge(features: Array, energies_j_m2: Array, train_ids: Sequence[str]) -> LinearModel:
    """Ridge regression on standardised columns.

    Args:
        features: (n, d) of the training rows.
        energies_j_m2: (n,).
        train_ids: (n,) ids of the rows.

    Raises:
        ValueError: no column differs between rows.
    """
    mean, spread = features.mean(axis=0), features.std(axis=0)
    used = spread > NEGLIGIBLE * np.abs(features).max()
    if not used.any():
        raise ValueError("no feature differs between the training rows")
    scale = np.where(used, spread, np.inf) * np.sqrt(used.sum())
    fitted = RidgeCV(alphas=PENALTIES * len(features)).fit((features - mean) / scale, energies_j_m2)
    weights = fitted.coef_ / scale
    return LinearModel(weights, float(fitted.intercept_ - mean @ weights), float(fitted.alpha_), list(train_ids))


def fit_surrogates(
    features: Array,
    energies_j_m2: Array,
    ids: Sequence[str],
    test_fraction: float,
    n_splits: int,
    trees: BoostedTrees,
    seed: int,
    training: str,
) -> Surrogates:
    """Fit a model to the training rows of each split and score it on the test rows.

    The splits are those of the learning (`gbscape.learn.splits.numbered_split`).

    Args:
        features: (n, d).
        energies_j_m2: (n,) above zero.
        ids: (n,) of the rows.
        test_fraction: share of the rows to test on.
        n_splits: number of splits.
        trees: settings of the boosted trees that are scored beside the first model.
        seed: of the splits and trees.
        training: name under which the scores are listed.

    Raises:
        ValueError: too few rows, or as `gbscape.learn.boosted_trees.fit_boosted_trees`.
    """
    models, rows = [], []
    for number in progress(range(n_splits), n_splits, f"models trained on {training}"):
        split = numbered_split(energies_j_m2, "regression", test_fraction, seed, number)
        train_energies = energies_j_m2[split.train]
        model = fit_ridge(features[split.train], train_energies, [ids[i] for i in split.train])
        models.append(model)
        predicted = {
            "ridge": model.predict(features[split.test]),
            "mean": np.full(len(split.test), train_energies.mean()),
        }
        if number == 0:
            fitted = fit_boosted_trees(features[split.train], train_energies, "regression", trees, None, split.fit_seed)
            predicted["boosted_trees"] = fitted.predict(features[split.test])
        rows += [_score_row(training, name, number, split, energies_j_m2, values) for name, values in predicted.items()]
    return Surrogates(models, pd.DataFrame(rows, columns=SCORE_COLUMNS))


def _score_row(
    training: str, model: str, number: int, split: Split, energies_j_m2: Array, predicted: Array
) -> dict[str, str | int | float]:
    return {
        "training": training,
        "model": model,
        "split": number,
        "n_train": len(split.train),
        "n_test": len(split.test),
        **energy_scores(energies_j_m2[split.test], predicted),
    }
