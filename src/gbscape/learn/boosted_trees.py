"""Gradient-boosted trees whose number is chosen by early stopping in cross-validation (Homer et al. 2019, sec. 2.4)."""

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
    classes: np.ndarray | None
    """(n_classes,) sorted labels; None for regression."""
    n_trees: int
    """Boosting rounds chosen by cross-validation (with more than two classes, each round holds a tree a class)."""
    validation_loss: np.ndarray
    """(n_trees,) mean over the folds: RMSE for regression, log loss for classification."""

    def predict(self, features: ArrayLike) -> np.ndarray:
        """Values or class labels, (n,), of `features` (n, d)."""
        matrix = checked_features(features, len(np.asarray(features)))
        raw = self.booster.predict(xgb.DMatrix(matrix))
        if self.classes is None:
            return raw.astype(np.float64)
        return self.classes[raw.argmax(axis=1) if raw.ndim == 2 else (raw > 0.5).astype(int)]

    def importance(self) -> np.ndarray:
        """(d,) share of each feature in the total gain of all splits; sums to 1, or is 0 if no tree ever splits."""
        gain = np.zeros(self.booster.num_features())
        for name, value in self.booster.get_score(importance_type="total_gain").items():
            gain[int(name[1:])] = value  # xgboost calls unnamed columns f0, f1, ...
        return gain / gain.sum() if gain.any() else gain


def fit_boosted_trees(
    features: ArrayLike, target: ArrayLike, task: Task, settings: BoostedTrees, smote: Smote | None, seed: int
) -> FittedTrees:
    """Choose the number of trees in `settings.folds` folds of the given rows, then fit that many to all of them.

    In classification with `smote`, the training part of each fold, and for the final fit the given rows, are
    over-sampled; the validation part of a fold is neither over-sampled nor seen by SMOTE.

    Args:
        features: (n, d) training rows only.
        target: (n,) values, or integer or string labels.

    Raises:
        ValueError: bad values (see `gbscape.learn.inputs`), too few rows for the folds, a single class, or a class
            too small to be interpolated in every fold.
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
    parameters = _objective(classes) | {
        "learning_rate": settings.learning_rate,
        "max_depth": settings.max_depth,
        "tree_method": settings.tree_method,
        "nthread": settings.n_threads,
        "seed": seed,
    }

    def oversample_fold(train: xgb.DMatrix, validation: xgb.DMatrix, fold_parameters: dict[str, Any]) -> tuple:
        if smote:
            train = xgb.DMatrix(*oversample(train.get_data().toarray(), train.get_label().astype(int), smote, seed))
        return train, validation, fold_parameters

    history = xgb.cv(
        parameters,
        xgb.DMatrix(matrix, values),
        num_boost_round=settings.max_trees,
        folds=cross_validation_folds(values, task, settings.folds, seed),
        early_stopping_rounds=settings.early_stopping_rounds,
        fpreproc=oversample_fold,
    )
    loss = np.asarray(history[f"test-{parameters['eval_metric']}-mean"])
    n_trees = int(loss.argmin()) + 1  # the last round is the best one only if the loss did stop improving
    if smote:
        matrix, values = oversample(matrix, values, smote, seed)
    return FittedTrees(
        booster=xgb.train(parameters, xgb.DMatrix(matrix, values), num_boost_round=n_trees),
        classes=classes,
        n_trees=n_trees,
        validation_loss=loss[:n_trees],
    )


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
