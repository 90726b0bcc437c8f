"""Gradient-boosted trees whose number is chosen by early stopping in cross-validation (Homer et al. 2019, sec. 2.4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost as xgb
from numpy.typing import ArrayLike

from gbscape.config.learn import BoostedTrees, Smote, Task
from gbscape.learn.inputs import checked_features, checked_target
from gbscape.learn.resampling import oversample
from gbscape.learn.splits import cross_validation_folds


@dataclass(frozen=True)
class FittedTrees:
    """A fitted ensemble."""

    booster: xgb.Booster
    columns: np.ndarray
    """(k,) ascending numbers of the columns that the booster was given."""
    n_features: int
    """Number d of columns of the features, drawn or not."""
    classes: np.ndarray | None
    """(n_classes,) sorted labels; None for regression."""
    n_trees: int
    """Boosting rounds chosen by cross-validation (with more than two classes, each round holds a tree a class)."""
    validation_loss: np.ndarray
    """(n_trees,) mean over the folds: RMSE for regression, log loss for classification."""

    def predict(self, features: ArrayLike) -> np.ndarray:
        """Values or class labels, (n,), of `features` (n, d)."""
        matrix = checked_features(features, len(np.asarray(features)))
        raw = self.booster.predict(xgb.DMatrix(matrix[:, self.columns]))
        if self.classes is None:
            return raw.astype(np.float64)
        return self.classes[raw.argmax(axis=1) if raw.ndim == 2 else (raw > 0.5).astype(int)]

    def importance(self) -> np.ndarray:
        """(d,) share of each feature in the total gain of all splits; sums to 1, or is 0 if no tree ever splits."""
        gain = np.zeros(self.n_features)
        for name, value in self.booster.get_score(importance_type="total_gain").items():
            gain[self.columns[int(name[1:])]] = value  # xgboost calls unnamed columns f0, f1, ...
        return gain / gain.sum() if gain.any() else gain


def fit_boosted_trees(
    features: ArrayLike,
    target: ArrayLike,
    task: Task,
    settings: BoostedTrees,
    smote: Smote | None,
    seed: int,
    part_sizes: Sequence[int] = (),
) -> FittedTrees:
    """Choose the number of trees in `settings.folds` folds of the given rows, then fit that many to all of them.

    In classification with `smote`, the training part of each fold, and for the final fit the given rows, are
    over-sampled; the validation part of a fold is neither over-sampled nor seen by SMOTE. The columns that
    `settings.columns_per_fit` and `columns_per_tree` draw are the same in all folds and in the final fit. Each part of a
    concatenation has the same chance to be drawn from: by the number of columns, a short vector would hardly be seen
    beside a long one.

    Args:
        features: (n, d) training rows only.
        target: (n,) values, or integer or string labels.
        part_sizes: numbers of columns of the parts of a concatenation, which add up to d; empty for one part.

    Raises:
        ValueError: bad values (see `gbscape.learn.inputs`), too few rows for the folds, a single class, a class too small
            to be interpolated in every fold, or `part_sizes` that do not add up.
    """
    values = checked_target(target, task)
    matrix = checked_features(features, len(values))
    classes = None
    if task == "classification":
        classes, values = np.unique(values, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"classification needs at least two classes, all training rows are {classes[0]}")
        if smote:
            _check_classes_for_smote(classes, values, settings.folds)
    else:
        smote = None
    columns, chances = _drawn_columns(matrix, settings.columns_per_fit, part_sizes, seed)
    n_features, matrix = matrix.shape[1], matrix[:, columns]
    parameters = _objective(classes) | {
        "learning_rate": settings.learning_rate,
        "max_depth": settings.max_depth,
        "tree_method": settings.tree_method,
        "colsample_bytree": min(1.0, (settings.columns_per_tree or len(columns)) / len(columns)),
        "nthread": settings.n_threads,
        "seed": seed,
        "seed_per_iteration": True,  # round i draws the same columns whatever was trained before it in this process
    }
    loss = _validation_loss(matrix, values, chances, task, parameters, settings, smote, seed)
    if smote:
        matrix, values = oversample(matrix, values, smote, seed)
    return FittedTrees(
        booster=xgb.train(parameters, xgb.DMatrix(matrix, values, feature_weights=chances), num_boost_round=len(loss)),
        columns=columns,
        n_features=n_features,
        classes=classes,
        n_trees=len(loss),
        validation_loss=loss,
    )


def _drawn_columns(
    matrix: np.ndarray, most: int | None, part_sizes: Sequence[int], seed: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Columns for one fit, and how likely each is to be drawn for a tree.

    Returns:
        Ascending numbers (k,) of at most `most` columns, drawn among those that vary (the first column if none does), and
        relative chances (k,) by which the columns of each part have the same together; None for a single part.
    """
    if part_sizes and sum(part_sizes) != matrix.shape[1]:
        raise ValueError(f"parts of {list(part_sizes)} columns do not make the {matrix.shape[1]} of the features")
    varying = np.flatnonzero(matrix.min(axis=0) < matrix.max(axis=0))
    if not len(varying):
        return np.zeros(1, dtype=int), None
    part = np.repeat(np.arange(len(part_sizes)), part_sizes) if part_sizes else np.zeros(matrix.shape[1], dtype=int)
    if most is not None and len(varying) > most:
        chances = _equal_shares(part[varying])
        varying = np.sort(np.random.default_rng(seed).choice(varying, most, replace=False, p=chances))
    return varying, _equal_shares(part[varying]) if len(part_sizes) > 1 else None


def _equal_shares(part: np.ndarray) -> np.ndarray:
    """Chances (k,) that add up to 1, those of the columns of each `part` (k,) to the same."""
    chances = 1 / np.bincount(part)[part]
    return chances / chances.sum()


def _validation_loss(
    matrix: np.ndarray,
    values: np.ndarray,
    chances: np.ndarray | None,
    task: Task,
    parameters: Mapping[str, Any],
    settings: BoostedTrees,
    smote: Smote | None,
    seed: int,
) -> np.ndarray:
    """(n_trees,) mean over the folds of the loss after each round, up to the best one.

    As `xgb.cv`, but without the loss of the training rows, which took a third of the time.
    """
    folds = []
    for train, validation in cross_validation_folds(values, task, settings.folds, seed):
        rows, targets = matrix[train], values[train]
        if smote:
            rows, targets = oversample(rows, targets, smote, seed)
        fitted = xgb.DMatrix(rows, targets, feature_weights=chances)
        held_out = xgb.DMatrix(matrix[validation], values[validation])
        folds.append((xgb.Booster(dict(parameters), [fitted, held_out]), fitted, held_out))
    losses: list[float] = []
    best = 0
    while len(losses) < settings.max_trees and len(losses) - best <= settings.early_stopping_rounds:
        for booster, fitted, _ in folds:
            booster.update(fitted, len(losses))
        # Booster.eval answers "[0]\teval-rmse:0.0123"
        losses.append(float(np.mean([float(booster.eval(held_out).rsplit(":")[-1]) for booster, _, held_out in folds])))
        if losses[-1] < losses[best]:
            best = len(losses) - 1
    return np.array(losses[: best + 1])


def _objective(classes: np.ndarray | None) -> dict[str, Any]:
    if classes is None:
        return {"objective": "reg:squarederror", "eval_metric": "rmse"}
    if len(classes) == 2:
        return {"objective": "binary:logistic", "eval_metric": "logloss"}
    return {"objective": "multi:softprob", "eval_metric": "mlogloss", "num_class": len(classes)}


def _check_classes_for_smote(classes: np.ndarray, codes: np.ndarray, folds: int) -> None:
    counts = np.bincount(codes)
    left_in_fold = counts - -(-counts // folds)  # the fullest fold holds ceil(count / folds)
    if left_in_fold.min() < 2:
        smallest = counts.argmin()
        raise ValueError(
            f"class {classes[smallest]} has {counts[smallest]} training rows: SMOTE within {folds} folds needs "
            f"{3 if folds > 2 else 4}; merge the class, leave it out, or set smote to null"
        )
