"""Scores, predictions and feature importance over repeated train-test splits, as tidy frames."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gbscape.config.learn import Learn, Task
from gbscape.learn.baseline import random_predictions
from gbscape.learn.boosted_trees import fit_boosted_trees
from gbscape.learn.inputs import checked_features, checked_names, checked_target
from gbscape.learn.models import fit_and_predict
from gbscape.learn.scores import check_positive_energies, confusion_counts, scores
from gbscape.learn.splits import Split, numbered_split
from gbscape.learn.tables import CONFUSION_COLUMNS, IMPORTANCE_COLUMNS, PREDICTION_COLUMNS, RANDOM, SCORE_COLUMNS

Track = Callable[[Iterable[int]], Iterable[int]]


@dataclass(frozen=True)
class Evaluation:
    """Tidy frames over all splits; columns as in `gbscape.learn.tables`."""

    scores: pd.DataFrame
    """Of the test rows; metrics `n_trees`, `length`, `penalty`, `cost` are what was chosen inside the training rows."""
    predictions: pd.DataFrame
    """`set` is train or test; the baseline has test rows only."""
    importance: pd.DataFrame
    """Share of the total gain, mean and standard deviation over the splits, in the order of the features; of boosted trees."""
    confusion: pd.DataFrame
    """Of the test rows; empty for regression."""


def evaluate(
    features: ArrayLike,
    target: ArrayLike,
    task: Task,
    settings: Learn,
    seed: int,
    *,
    representation: str,
    target_name: str,
    ids: Sequence[str],
    feature_names: Sequence[str] | None = None,
    part_sizes: Sequence[int] = (),
    track: Track = iter,
) -> Evaluation:
    """Fit boosted trees to the training rows of `settings.n_splits` splits and score them on the test rows.

    The same seed gives the same splits for every representation, and identical results when repeated.

    Args:
        features: (n, d), one row a boundary.
        target: (n,) energies in J/m^2 for regression, integer or string labels for classification.
        representation: name of the features, e.g. "SOAP".
        target_name: name of the target, e.g. "energy".
        ids: (n,) distinct boundary ids.
        feature_names: (d,) distinct; None numbers the columns.
        part_sizes: numbers of columns of the parts of a concatenation; empty for one part.
        track: wraps the loop over the splits, to show progress (e.g. tqdm).

    Raises:
        ValueError: missing or infinite values, lengths that differ, repeated ids or names, energies that are not
            positive, or too few boundaries or classes.
    """
    values, row_ids = _checked_rows(target, task, ids)
    matrix = checked_features(features, len(values))
    names = checked_names(feature_names, matrix.shape[1], "feature")
    importance = []

    def predict(split: Split) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
        model = fit_boosted_trees(
            matrix[split.train], values[split.train], task, settings.trees, settings.smote, split.fit_seed, part_sizes
        )
        importance.append(model.importance())
        rows = np.concatenate([split.train, split.test])
        return rows, model.predict(matrix[rows]), {"n_trees": float(model.n_trees)}

    scored = _over_splits(predict, values, row_ids, task, settings, seed, representation, target_name, track)
    importance_frame = pd.DataFrame(
        {
            "representation": representation,
            "target": target_name,
            "feature": names,
            "importance_mean": np.mean(importance, axis=0),
            "importance_std": np.std(importance, axis=0),
        },
        columns=IMPORTANCE_COLUMNS,
    )
    return replace(scored, importance=importance_frame)


def evaluate_model(
    features: Mapping[str, ArrayLike],
    target: ArrayLike,
    task: Task,
    settings: Learn,
    seed: int,
    *,
    model: str,
    target_name: str,
    ids: Sequence[str],
    track: Track = iter,
) -> Evaluation:
    """Score one of `settings.models` on the same splits as `evaluate`; no importance.

    Args:
        features: (n, d) of each representation that the model is of, one row a boundary.
        model: its name, listed as representation.
        target, target_name, ids, track: as in `evaluate`.

    Raises:
        ValueError: as `evaluate`.
    """
    values, row_ids = _checked_rows(target, task, ids)
    matrices = {name: checked_features(its, len(values), np.float64) for name, its in features.items()}
    parts = list(settings.parts(model).values())

    def predict(split: Split) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
        rows = np.concatenate([split.train, split.test])
        return rows, *fit_and_predict(parts, matrices, split.train, values[split.train], rows, task, split.fit_seed)

    return _over_splits(predict, values, row_ids, task, settings, seed, model, target_name, track)


def evaluate_random(
    target: ArrayLike, task: Task, settings: Learn, seed: int, *, target_name: str, ids: Sequence[str]
) -> Evaluation:
    """The Random baseline on the same splits as `evaluate`; representation "random", no importance.

    Raises:
        ValueError: as `evaluate`.
    """
    values, row_ids = _checked_rows(target, task, ids)

    def draw(split: Split) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
        return split.test, random_predictions(values[split.train], len(split.test), task, split.fit_seed), {}

    return _over_splits(draw, values, row_ids, task, settings, seed, RANDOM, target_name, iter)


def _checked_rows(target: ArrayLike, task: Task, ids: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    values = checked_target(target, task)
    row_ids = np.array(checked_names(ids, len(values), "boundary"), dtype=object)
    if task == "regression":
        check_positive_energies(values)
    return values, row_ids


def _over_splits(
    predict: Callable[[Split], tuple[np.ndarray, np.ndarray, dict[str, float]]],
    values: np.ndarray,
    ids: np.ndarray,
    task: Task,
    settings: Learn,
    seed: int,
    representation: str,
    target_name: str,
    track: Track,
) -> Evaluation:
    """Score what `predict` says of each split: rows, their predicted values, and further numbers to list as scores."""
    measured, predicted, confused = [], [], []
    for number in track(range(settings.n_splits)):
        split = numbered_split(values, task, settings.test_fraction, seed, number)
        rows, row_predictions, extra = predict(split)
        is_test = np.isin(rows, split.test)
        true_test, predicted_test = values[rows[is_test]], row_predictions[is_test]
        metrics = scores(true_test, predicted_test, task) | extra
        measured.append(
            pd.DataFrame({"metric": metrics.keys(), "value": metrics.values()}).assign(
                split=number, n_train=len(split.train), n_test=len(split.test)
            )
        )
        predicted.append(
            pd.DataFrame(
                {
                    "split": number,
                    "id": ids[rows],
                    "set": np.where(is_test, "test", "train"),
                    "y_true": values[rows],
                    "y_pred": row_predictions,
                }
            )
        )
        if task == "classification":
            confused.append(confusion_counts(true_test, predicted_test, np.unique(values)).assign(split=number))

    def gathered(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
        if not frames:
            return pd.DataFrame(columns=columns)
        return pd.concat(frames, ignore_index=True).assign(representation=representation, target=target_name)[columns]

    return Evaluation(
        scores=gathered(measured, SCORE_COLUMNS),
        predictions=gathered(predicted, PREDICTION_COLUMNS),
        importance=gathered([], IMPORTANCE_COLUMNS),
        confusion=gathered(confused, CONFUSION_COLUMNS),
    )
