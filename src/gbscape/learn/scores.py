"""How good predictions are."""

import numpy as np
import pandas as pd
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    mean_absolute_error,
    r2_score,
    root_mean_squared_error,
)

from gbscape.config.learn import Task


def energy_scores(true_j_m2: np.ndarray, predicted_j_m2: np.ndarray) -> dict[str, float]:
    """Scores of predicted boundary energies, both (n,), in J/m^2.

    `accuracy_percent` is 100 (1 - mean(|dE| / E)): the mean of each boundary's own relative error. It is the
    definition that gives the 70 % of Homer et al. (2019, Table 1, Random); 100 (1 - mean|dE| / mean E) would give
    77 % there. A boundary of low energy weighs heavily: for the coherent twin (0.06 J/m^2) a prediction of
    1.1 J/m^2 counts as an error of 1600 %, which takes 8 points off the accuracy of 194 boundaries. Read it
    together with `mae_j_m2`. `r2` is the coefficient of determination.

    Raises:
        ValueError: an energy is zero or negative.
    """
    check_positive_energies(true_j_m2)
    return {
        "accuracy_percent": float(100 * (1 - np.mean(np.abs(predicted_j_m2 - true_j_m2) / true_j_m2))),
        "mae_j_m2": float(mean_absolute_error(true_j_m2, predicted_j_m2)),
        "rmse_j_m2": float(root_mean_squared_error(true_j_m2, predicted_j_m2)),
        "r2": float(r2_score(true_j_m2, predicted_j_m2)),
    }


def check_positive_energies(energies_j_m2: np.ndarray) -> None:
    """Raise ValueError unless all energies are above zero, as a relative error requires."""
    bad = np.flatnonzero(energies_j_m2 <= 0)
    if len(bad):
        raise ValueError(
            f"the relative error needs energies above zero, got {energies_j_m2[bad[0]]:g} J/m^2 at row {bad[0]}"
        )


def class_scores(true: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Scores of predicted classes, both (n,): accuracy, and its mean over the true classes (balanced), in percent."""
    return {
        "accuracy_percent": float(100 * accuracy_score(true, predicted)),
        "balanced_accuracy_percent": float(100 * balanced_accuracy_score(true, predicted)),
    }


def scores(true: np.ndarray, predicted: np.ndarray, task: Task) -> dict[str, float]:
    """`energy_scores` for regression, `class_scores` for classification."""
    return energy_scores(true, predicted) if task == "regression" else class_scores(true, predicted)


def confusion_counts(true: np.ndarray, predicted: np.ndarray, classes: np.ndarray) -> pd.DataFrame:
    """Columns y_true, y_pred, count: one row for each pair of `classes`, empty pairs included."""
    counts = confusion_matrix(true, predicted, labels=classes)
    pairs = pd.MultiIndex.from_product([classes, classes], names=["y_true", "y_pred"])
    return pd.Series(counts.ravel(), index=pairs, name="count").reset_index()
