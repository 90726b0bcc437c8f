"""Regressions of energies an atom on the vectors of cells, all by the same call: what selects features, and what does not."""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso, LassoLarsCV, Ridge
from sklearn.model_selection import KFold

from gbscape.config.alloy import Regression
from gbscape.config.learn import BoostedTrees
from gbscape.learn.boosted_trees import fit_boosted_trees
from gbscape.learn.orthogonal_least_squares import (
    best_size,
    fit_ensemble,
    mean_absolute_errors,
    orthogonal_least_squares,
)
from gbscape.learn.ridge import fit_ridge

Array = NDArray[np.float64]


_PENALTIES = np.logspace(-4, 6, 41)
"""Of ridge regression on columns of deviation 1, the sum of whose squares is the number of rows."""
_MOST_STEPS_OF_LASSO = 1000
_MOST_PASSES_OF_LASSO = 3000


class Fitted(NamedTuple):
    """A regression that was fitted."""

    predict: Callable[[Array], Array]
    """(n,) energies of vectors (n, d)."""
    spread: Callable[[Array], Array] | None
    """(n,) standard deviations, of those that have any."""
    n_features: float
    """That it uses, of an ensemble the mean of its members."""


def fit_greedy(features: Array, targets: Array, settings: Regression, seed: int) -> Fitted:
    """Orthogonal least squares, its size chosen by cross-validation inside these rows."""
    errors = []
    for train, held in KFold(settings.folds, shuffle=True, random_state=seed).split(features):
        path = orthogonal_least_squares(features[train], targets[train], settings.most_features)
        errors.append(mean_absolute_errors(path, features[held], targets[held]))
    size = best_size(errors)
    model = orthogonal_least_squares(features, targets, size).model(size)
    return Fitted(model.predict, None, size)


def fit_unstopped(features: Array, targets: Array, settings: Regression, seed: int) -> Fitted:
    """Orthogonal least squares that goes on for as many features as it is allowed: no validation says when to end."""
    path = orthogonal_least_squares(features, targets, settings.most_features)
    model = path.model(len(path.columns))
    return Fitted(model.predict, None, len(path.columns))


def fit_bootstrapped(features: Array, targets: Array, settings: Regression, seed: int) -> Fitted:
    """An ensemble of greedy models on bootstrapped rows, each step of which chooses among random features."""
    ensemble = fit_ensemble(
        features, targets, settings.most_features, settings.members, settings.subset, np.random.default_rng(seed)
    )
    sizes = [len(member.columns) for member in ensemble.members]
    return Fitted(lambda x: ensemble.predict(x)[0], lambda x: ensemble.predict(x)[1], float(np.mean(sizes)))


def fit_all_by_ridge(features: Array, targets: Array, settings: Regression, seed: int) -> Fitted:
    """Ridge regression on all features, its penalty by leave-one-out."""
    scaled, scale = standardised(features)
    ridge = fit_ridge(scaled, targets, None, intercept=True, candidates=_PENALTIES)
    return Fitted(lambda x: ridge.predict(scale(x)), lambda x: ridge.standard_deviation(scale(x)), features.shape[1])


def fit_averaged_ridge(features: Array, targets: Array, settings: Regression, seed: int) -> Fitted:
    """The mean of ridge regressions on all features of bootstrapped rows, the penalty that of `fit_all_by_ridge`: `fit_bootstrapped`
    without selection."""
    scaled, scale = standardised(features)
    penalty = fit_ridge(scaled, targets, None, intercept=True, candidates=_PENALTIES).ridge_lambda
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(len(targets), size=len(targets)) for _ in range(settings.members))
    members = [Ridge(penalty).fit(scaled[rows], targets[rows]) for rows in drawn]

    def each(others: Array) -> Array:
        return np.array([member.predict(scale(others)) for member in members])

    return Fitted(lambda x: each(x).mean(axis=0), lambda x: each(x).std(axis=0), features.shape[1])


def fit_lasso(features: Array, targets: Array, settings: Regression, seed: int) -> Fitted:
    """LASSO, its penalty by cross-validation along whole paths of least angles, itself by coordinate descent.

    Of columns as alike as these the former is fast and gets lost now and then, which a mean over folds bears and a model does not; the
    latter does not, and is not at its very end after so many passes.
    """
    scaled, scale = standardised(features)
    folds = KFold(settings.folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # hundreds, and both as said
        penalty = LassoLarsCV(cv=folds, max_iter=_MOST_STEPS_OF_LASSO).fit(scaled, targets).alpha_
        lasso = Lasso(penalty, max_iter=_MOST_PASSES_OF_LASSO).fit(scaled, targets)
    return Fitted(lambda x: lasso.predict(scale(x)), None, int((lasso.coef_ != 0).sum()))


def fit_trees(features: Array, targets: Array, settings: Regression, seed: int) -> Fitted:
    """Gradient-boosted trees, their number by cross-validation."""
    trees = fit_boosted_trees(features, targets, "regression", BoostedTrees(), None, seed)
    return Fitted(trees.predict, None, int((trees.importance() > 0).sum()))


REGRESSIONS: dict[str, Callable[[Array, Array, Regression, int], Fitted]] = {
    "greedy": fit_greedy,
    "bootstrapped": fit_bootstrapped,
    "unstopped": fit_unstopped,
    "ridge": fit_all_by_ridge,
    "averaged_ridge": fit_averaged_ridge,
    "lasso": fit_lasso,
    "trees": fit_trees,
}
"""By name."""


def standardised(features: Array) -> tuple[Array, Callable[[Array], Array]]:
    """Columns of mean 0 and deviation 1, those that do not vary 0, and what does the same to others."""
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    varies = deviation > 1e-12 * np.maximum(np.abs(mean), 1e-300)
    factor = np.where(varies, 1 / np.where(varies, deviation, 1.0), 0.0)

    def scale(others: Array) -> Array:
        return np.asarray((others - mean) * factor)

    return scale(features), scale
