"""Whether probabilities are what they say: reliability, expected calibration error, temperature (Guo, Pleiss, Sun and
Weinberger, Proc. ICML 70, 1321 (2017))."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, logsumexp

RELIABILITY_COLUMNS = ["lowest_confidence", "highest_confidence", "count", "confidence", "accuracy"]
TEMPERATURES = (0.05, 20.0)
"""Range in which the temperature is looked for."""


def reliability(probabilities: ArrayLike, labels: ArrayLike, bins: int = 15) -> pd.DataFrame:
    """Reliability diagram: accuracy against confidence, which is the probability of the most likely class.

    Args:
        probabilities: (n, classes).
        labels: (n,) true class numbers; a number that is no class counts as an error.
        bins: number of bins of equal width from 0 to 1; 1 is in the last, another limit in the bin above it.

    Returns:
        `RELIABILITY_COLUMNS`, a row for each bin: mean confidence and the fraction that is right, both nan in empty ones.

    Raises:
        ValueError: shapes that do not fit, no rows, or rows that are not probabilities.
    """
    p, true = np.asarray(probabilities, np.float64), np.asarray(labels)
    if p.ndim != 2 or len(p) == 0 or true.shape != (len(p),):
        raise ValueError(f"need (n, classes) probabilities and n labels, got {p.shape} and {true.shape}")
    if not ((p >= 0).all() and np.allclose(p.sum(axis=1), 1, atol=1e-4)):
        raise ValueError("rows of probabilities must be from 0 up and sum to 1")
    if bins < 1:
        raise ValueError(f"a reliability diagram needs at least one bin, got {bins}")
    confidence, right = p.max(axis=1), p.argmax(axis=1) == true
    number = np.minimum((confidence * bins).astype(int), bins - 1)
    counts = np.bincount(number, minlength=bins)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(number, weights=values, minlength=bins) / counts for values in (confidence, right)]
    limits = np.arange(bins + 1) / bins
    columns = [limits[:-1], limits[1:], counts, *means]
    return pd.DataFrame(dict(zip(RELIABILITY_COLUMNS, columns, strict=True)))


def expected_calibration_error(table: pd.DataFrame) -> float:
    """Mean over all rows of |accuracy - confidence| of their bins, from 0 to 1 (Guo et al. 2017, eq. 5).

    Args:
        table: from `reliability`.
    """
    filled = table[table["count"] > 0]
    gaps = (filled["accuracy"] - filled["confidence"]).abs()
    return float((filled["count"] * gaps).sum() / filled["count"].sum())


def fit_temperature(logits: ArrayLike, labels: ArrayLike) -> float:
    """The temperature by which logits are to be divided so that the cross entropy of the labels is least.

    With Monte-Carlo dropout the logits of every pass are divided by it, before the softmax and the mean over the passes
    (`gbscape.learn.monte_carlo_dropout.predict`), and it is the cross entropy of that mean which counts here: give the
    logits of some tens of passes (`sample_logits`). Above 1 makes predictions less certain. Classes keep their order in
    each pass, so that labels hardly change. Rows that are all classified right want a temperature of 0, and get the lower
    end of `TEMPERATURES`: fit on rows with errors, such as defective structures.

    Args:
        logits: (n, classes), or (passes, n, classes).
        labels: (n,) true class numbers.

    Raises:
        ValueError: shapes that do not fit, no rows, numbers that are not finite, unknown classes.
    """
    z, true = np.asarray(logits, np.float64), np.asarray(labels)
    z = z[None] if z.ndim == 2 else z
    if z.ndim != 3 or 0 in z.shape or true.shape != (z.shape[1],):
        raise ValueError(f"need ([passes,] n, classes) logits and n labels, got {np.shape(logits)} and {true.shape}")
    if not np.isfinite(z).all():
        raise ValueError("logits must be finite")
    if not (np.issubdtype(true.dtype, np.integer) and true.min() >= 0 and true.max() < z.shape[2]):
        raise ValueError(f"labels must be whole numbers from 0 to {z.shape[2] - 1}")

    def cross_entropy(log_temperature: float) -> float:
        log_p = log_softmax(z / np.exp(log_temperature), axis=2)[:, np.arange(len(true)), true]
        return float(-(logsumexp(log_p, axis=0) - np.log(len(z))).mean())

    low, high = np.log(TEMPERATURES)
    grid = np.linspace(low, high, 25)
    best = int(np.argmin([cross_entropy(t) for t in grid]))
    bounds = (grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)])
    return float(np.exp(minimize_scalar(cross_entropy, bounds=bounds, method="bounded", options={"xatol": 1e-5}).x))
