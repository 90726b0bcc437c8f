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
    centre: Array | None = None
    """(d,) mean of the vectors; None without an intercept."""
    level: float = 0.0
    """Prediction at the centre."""
    of_level: float = 0.0
    """What not knowing the level adds to the variance: one over the number of vectors; 0 without an intercept."""

    def predict(self, vectors: Array) -> Array:
        """Predictions (n,) for vectors (n, d)."""
        return self.level + self._centred(vectors) @ self.weights

    def standard_deviation(self, vectors: Array) -> Array:
        """Of the predictions (n,): that of weights learned with a Gaussian prior, scale sqrt(x.(X^T X + lambda I)^-1 x), x from the
        centre, and 1/n more with an intercept. Noise of the values themselves is not added: what is predicted is what they are
        without it."""
        centred = self._centred(vectors)
        spread = self.of_level + np.einsum("ni,ni->n", centred @ self.inverse, centred)
        return np.asarray(self.scale * np.sqrt(spread))

    def _centred(self, vectors: Array) -> Array:
        # Those of a million atoms are not copied for nothing.
        return vectors if self.centre is None else vectors - self.centre


def fit_ridge(
    vectors: Array, values: Array, ridge_lambda: float | None, intercept: bool = False, candidates: Array = LAMBDAS
) -> Ridge:
    """Least squares with a penalty lambda |w|^2 (Tamura et al. 2020, equation 5).

    Args:
        vectors: (n, d).
        values: (n,).
        ridge_lambda: None: that of the candidates with the least leave-one-out error.
        intercept: a constant is learned too, without penalty.
        candidates: for lambda.

    Raises:
        ValueError: lengths that differ, or fewer than two vectors.
    """
    if len(vectors) != len(values) or len(values) < 2:
        raise ValueError(
            f"a regression needs at least two vectors and as many values, got {len(vectors)} and {len(values)}"
        )
    centre = vectors.mean(axis=0) if intercept else None
    level, of_level = (float(values.mean()), 1 / len(values)) if intercept else (0.0, 0.0)
    values = values - level
    u, singular, vt = np.linalg.svd(vectors if centre is None else vectors - centre, full_matrices=True)
    squares = np.zeros(vectors.shape[1])
    squares[: len(singular)] = singular**2
    projected = u[:, : len(singular)].T @ values
    if ridge_lambda is None:
        ridge_lambda = float(
            min(candidates, key=lambda its: np.mean(_left_out(u, singular, projected, values, its, of_level)[0] ** 2))
        )
    residuals, leverage = _left_out(u, singular, projected, values, ridge_lambda, of_level)
    weights = vt[: len(singular)].T @ (singular / (singular**2 + ridge_lambda) * projected)
    inverse = (vt.T / (squares + ridge_lambda)) @ vt
    # Without the value itself x.A x is leverage / (1 - leverage).
    scale = np.quantile(np.abs(residuals) * np.sqrt((1 - leverage) / np.maximum(leverage, 1e-12)), _WITHIN_ONE)
    return Ridge(weights, inverse, ridge_lambda, float(scale), centre, level, of_level)


def _left_out(
    u: Array, singular: Array, projected: Array, values: Array, ridge_lambda: float, of_level: float
) -> tuple[Array, Array]:
    """Leave-one-out residuals (n,) and leverages (n,), to which a level that is learned adds its own."""
    basis = u[:, : len(singular)]
    shrinkage = singular**2 / (singular**2 + ridge_lambda)
    leverage = np.minimum(of_level + (basis**2) @ shrinkage, 1 - 1e-12)
    return (values - basis @ (shrinkage * projected)) / (1 - leverage), leverage
