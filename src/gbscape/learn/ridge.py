"""Ridge regression in closed form, its leave-one-out errors, and the uncertainty of its predictions."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_WITHIN_ONE = 0.6827  # share of a normal distribution within one standard deviation
LAMBDAS = np.logspace(-9, 1, 41)
"""Candidates for cross-validation."""


class Ridge(NamedTuple):
    """Weights of a ridge regression of d features, and what their uncertainty needs."""

    weights: Array
    """(d,)."""
    inverse: Array
    """(d, d) inverse of X^T X + lambda I."""
    ridge_lambda: float
    scale: float
    """Of the standard deviations, in units of what is learned: such that 68.27 % of the training values, each left out in turn,
    are within one standard deviation of their predictions (a conformal scale: errors need not be normal)."""

    def predict(self, vectors: Array) -> Array:
        """Predictions (n,) for vectors (n, d)."""
        return vectors @ self.weights

    def standard_deviation(self, vectors: Array) -> Array:
        """Of the predictions (n,): that of weights learned with a Gaussian prior, scale sqrt(x.(X^T X + lambda I)^-1 x). Noise of
        the values themselves is not added: what is predicted is what they are without it."""
        spread = np.einsum("ni,ni->n", vectors @ self.inverse, vectors)
        return np.asarray(self.scale * np.sqrt(spread))


def fit_ridge(vectors: Array, values: Array, ridge_lambda: float | None) -> Ridge:
    """Least squares with a penalty lambda |w|^2 (Tamura et al. 2020, equation 5).

    Args:
        vectors: (n, d).
        values: (n,).
        ridge_lambda: None: that of `LAMBDAS` with the least leave-one-out error.

    Raises:
        ValueError: lengths that differ, or fewer than two vectors.
    """
    if len(vectors) != len(values) or len(values) < 2:
        raise ValueError(
            f"a regression needs at least two vectors and as many values, got {len(vectors)} and {len(values)}"
        )
    u, singular, vt = np.linalg.svd(vectors, full_matrices=True)
    squares = np.zeros(vectors.shape[1])
    squares[: len(singular)] = singular**2
    projected = u[:, : len(singular)].T @ values
    if ridge_lambda is None:
        ridge_lambda = float(
            min(LAMBDAS, key=lambda its: np.mean(_left_out(u, singular, projected, values, its)[0] ** 2))
        )
    residuals, leverage = _left_out(u, singular, projected, values, ridge_lambda)
    weights = vt[: len(singular)].T @ (singular / (singular**2 + ridge_lambda) * projected)
    inverse = (vt.T / (squares + ridge_lambda)) @ vt
    # Without the value itself x.A x is leverage / (1 - leverage).
    scale = np.quantile(np.abs(residuals) * np.sqrt((1 - leverage) / np.maximum(leverage, 1e-12)), _WITHIN_ONE)
    return Ridge(weights, inverse, ridge_lambda, float(scale))


def _left_out(u: Array, singular: Array, projected: Array, values: Array, ridge_lambda: float) -> tuple[Array, Array]:
    """Leave-one-out residuals (n,) and leverages (n,)."""
    basis = u[:, : len(singular)]
    shrinkage = singular**2 / (singular**2 + ridge_lambda)
    leverage = np.minimum((basis**2) @ shrinkage, 1 - 1e-12)
    return (values - basis @ (shrinkage * projected)) / (1 - leverage), leverage
