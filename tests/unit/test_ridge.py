"""Ridge regression against scikit-learn and against refitting without each value."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge as SklearnRidge

from gbscape.learn.ridge import LAMBDAS, fit_ridge


def _data(n: int, d: int, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, d)) * np.logspace(0, -2, d)
    weights = rng.normal(size=d) / np.logspace(0, -2, d)
    return vectors, vectors @ weights + rng.normal(0, noise, n), weights


@pytest.mark.parametrize(("n", "d"), [(60, 8), (5, 8)])
def test_weights_are_those_of_scikit_learn(n: int, d: int) -> None:
    vectors, values, _ = _data(n, d, 0.1)
    expected = SklearnRidge(alpha=1e-2, fit_intercept=False, solver="svd").fit(vectors, values).coef_
    assert fit_ridge(vectors, values, 1e-2).weights == pytest.approx(expected, rel=1e-8)


def test_the_noise_is_found() -> None:
    vectors, values, _ = _data(2000, 10, 0.05)
    assert fit_ridge(vectors, values, 1e-6).noise == pytest.approx(0.05, rel=0.05)


def test_the_noise_is_the_quantile_of_errors_of_left_out_values() -> None:
    vectors, values, _ = _data(30, 6, 0.1)
    scaled = []
    for out in range(30):
        rest = np.arange(30) != out
        model = fit_ridge(vectors[rest], values[rest], 1e-3)
        spread = np.sqrt(1 + vectors[out] @ model.inverse @ vectors[out])
        scaled.append(abs(model.predict(vectors[[out]])[0] - values[out]) / spread)
    assert fit_ridge(vectors, values, 1e-3).noise == pytest.approx(np.quantile(scaled, 0.6827), rel=1e-6)


def test_standard_deviations_hold_for_new_values() -> None:
    within = []
    for seed in range(40):
        vectors, values, weights = _data(60, 20, 0.05, seed)
        model = fit_ridge(vectors, values, 1e-6)
        rng = np.random.default_rng(1000 + seed)
        new = rng.normal(size=(500, 20)) * np.logspace(0, -2, 20)
        error = np.abs(model.predict(new) - new @ weights - rng.normal(0, 0.05, 500))
        within.append(np.mean(error < model.standard_deviation(new)))
        # Far from all that was learned the prediction is less certain.
        assert model.standard_deviation(10 * new).mean() > 2 * model.standard_deviation(new).mean()
    assert np.mean(within) == pytest.approx(0.683, abs=0.03)


def test_cross_validation_finds_the_lambda_with_the_least_left_out_error() -> None:
    vectors, values, _ = _data(40, 30, 1.0)
    chosen = fit_ridge(vectors, values, None)

    def left_out(ridge_lambda: float) -> float:
        errors = []
        for out in range(40):
            rest = np.arange(40) != out
            errors.append(fit_ridge(vectors[rest], values[rest], ridge_lambda).predict(vectors[[out]])[0] - values[out])
        return float(np.mean(np.square(errors)))

    best = min(LAMBDAS[::4], key=left_out)
    assert left_out(best) >= 0.999 * np.mean(
        [left_out(its) for its in LAMBDAS if np.allclose(fit_ridge(vectors, values, its).weights, chosen.weights)]
    )


def test_too_little_data() -> None:
    with pytest.raises(ValueError, match="at least two vectors"):
        fit_ridge(np.ones((1, 2)), np.ones(1), 1.0)
