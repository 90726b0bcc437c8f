"""All regressions on energies that are a sparse linear function of many features, and some noise."""

import numpy as np
import pytest

from gbscape.alloy.regression import REGRESSIONS
from gbscape.config.alloy import Regression

SETTINGS = Regression(most_features=25, members=6, folds=3, subset=0.25)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(140, 50)) @ np.diag(10.0 ** rng.integers(-2, 3, 50)) + 5
    features[:, 7] = 2.0  # does not vary
    scaled = (features - features.mean(axis=0)) / np.where(features.std(axis=0) > 0, features.std(axis=0), 1)
    targets = -4 + scaled[:, [1, 5, 9, 20]] @ [0.5, -0.3, 0.2, 0.1] + 0.02 * rng.normal(size=140)
    return features, targets


@pytest.mark.parametrize(
    ("name", "largest"),
    [
        ("greedy", 0.025),
        ("bootstrapped", 0.03),
        ("unstopped", 0.035),
        ("ridge", 0.04),
        ("averaged_ridge", 0.05),
        ("lasso", 0.03),
        ("trees", 0.3),
    ],
)
def test_each_learns_and_is_the_same_again(name, largest, data):
    features, targets = data
    train, test = slice(0, 100), slice(100, None)
    first, again = (REGRESSIONS[name](features[train], targets[train], SETTINGS, 3) for _ in range(2))
    predicted = first.predict(features[test])
    assert predicted.shape == (40,)
    assert np.abs(predicted - targets[test]).mean() < largest
    assert np.array_equal(predicted, again.predict(features[test]))
    if first.spread is not None:
        assert (first.spread(features[test]) > 0).all()


def test_what_selects_uses_few_features_and_what_does_not_all(data):
    features, targets = data
    used = {
        name: fit(features, targets, SETTINGS, 0).n_features for name, fit in REGRESSIONS.items() if name != "trees"
    }
    assert 4 <= used["greedy"] <= 20
    assert used["unstopped"] == 25
    assert used["ridge"] == used["averaged_ridge"] == 50
    assert used["lasso"] < 45
    assert used["bootstrapped"] < 25


def test_ridge_knows_how_sure_it_is_with_fewer_cells_than_features(data):
    features, targets = data
    rng = np.random.default_rng(1)
    features = np.hstack([features, rng.normal(size=(140, 400))])
    model = REGRESSIONS["ridge"](features[:80], targets[:80], SETTINGS, 0)
    error = np.abs(model.predict(features[80:]) - targets[80:])
    assert error.mean() < np.abs(targets[80:] - targets[:80].mean()).mean()
    assert 0.4 < (error <= model.spread(features[80:])).mean() < 0.95
