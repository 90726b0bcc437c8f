"""Checks on what is to be learned, so that bad input fails before any fit."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gbscape.config.learn import Task


def checked_features(
    features: ArrayLike, n_rows: int, precision: type[np.float32] | type[np.float64] = np.float32
) -> np.ndarray:
    """`features` as a finite matrix of float32 (xgboost's own precision) or float64, shape (n_rows, d).

    Constant columns are allowed: a tree never splits on them.

    Raises:
        ValueError: not two-dimensional, no columns, another number of rows, or values that are NaN or infinite
            (which xgboost would otherwise take for missing).
    """
    with np.errstate(over="ignore"):
        matrix = np.asarray(features, dtype=precision)
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise ValueError(f"features must be a matrix (boundaries, features), got shape {matrix.shape}")
    if len(matrix) != n_rows:
        raise ValueError(f"features have {len(matrix)} rows but the target has {n_rows}")
    bad = np.argwhere(~np.isfinite(matrix))
    if len(bad):
        row, column = bad[0]
        wide = "single" if precision is np.float32 else "double"
        raise ValueError(
            f"features hold {len(bad)} values that are NaN, infinite or beyond {wide} precision, the first at row {row}, "
            f"column {column}"
        )
    return matrix


def checked_target(target: ArrayLike, task: Task) -> np.ndarray:
    """`target` as a vector (n,): float64 for regression, integer or string labels for classification.

    Raises:
        ValueError: not one-dimensional, missing values, or labels that are floats.
    """
    values = np.asarray(target)
    if values.ndim != 1:
        raise ValueError(f"target must be a vector (boundaries,), got shape {values.shape}")
    missing = np.flatnonzero(pd.isna(values))
    if len(missing):
        raise ValueError(f"target lacks {len(missing)} values, the first at row {missing[0]}; drop those boundaries")
    if task == "regression":
        values = values.astype(np.float64)
        if not np.isfinite(values).all():
            raise ValueError(f"target is infinite at row {np.flatnonzero(~np.isfinite(values))[0]}")
    elif values.dtype.kind == "f":
        raise ValueError(f"class labels must be integers or strings, got {values.dtype}")
    return values


def checked_names(names: Sequence[str] | None, n: int, what: str) -> list[str]:
    """`names` (one for each of `n` things called `what`), or "0", "1", ... for None.

    Raises:
        ValueError: another number than `n`, or a name that occurs twice.
    """
    if names is None:
        return [str(i) for i in range(n)]
    listed = [str(name) for name in names]
    if len(listed) != n:
        raise ValueError(f"got {len(listed)} {what} names, need {n}")
    repeated = pd.Index(listed)[pd.Index(listed).duplicated()]
    if len(repeated):
        raise ValueError(f"{what} {repeated[0]!r} occurs more than once")
    return listed
