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


def test_the_scale_is_the_quantile_of_errors_of_left_out_values() -> None:
    vectors, values, _ = _data(30, 6, 0.1)
    scaled = []
    for out in range(30):
        rest = np.arange(30) != out
        model = fit_ridge(vectors[rest], values[rest], 1e-3)
        spread = np.sqrt(vectors[out] @ model.inverse @ vectors[out])
        scaled.append(abs(model.predict(vectors[[out]])[0] - values[out]) / spread)
    assert fit_ridge(vectors, values, 1e-3).scale == pytest.approx(np.quantile(scaled, 0.6827), rel=1e-6)


def test_standard_deviations_hold_for_what_is_behind_noisy_values() -> None:
    within = []
    for seed in range(40):
        vectors, values, weights = _data(60, 20, 0.05, seed)
        model = fit_ridge(vectors, values, 1e-6)
        new = np.random.default_rng(1000 + seed).normal(size=(500, 20)) * np.logspace(0, -2, 20)
        error = np.abs(model.predict(new) - new @ weights)
        within.append(np.mean(error < model.standard_deviation(new)))
        # Far from all that was learned the prediction is less certain.
        assert model.standard_deviation(10 * new) == pytest.approx(10 * model.standard_deviation(new))
    assert 0.683 < np.mean(within) < 0.97  # noise of the left-out values widens them


def test_standard_deviations_hold_where_the_model_is_too_simple() -> None:
    within = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        hidden = rng.normal(size=(560, 30)) * np.logspace(0, -1, 30)
        values = hidden @ rng.normal(size=30)
        vectors = hidden[:, :15]  # what the others say is an error of the model, without noise
        model = fit_ridge(vectors[:60], values[:60], 1e-6)
        error = np.abs(model.predict(vectors[60:]) - values[60:])
        within.append(np.mean(error < model.standard_deviation(vectors[60:])))
    assert np.mean(within) == pytest.approx(0.683, abs=0.05)


def test_cross_validation_takes_the_lambda_with_the_least_left_out_error() -> None:
    vectors, values, _ = _data(40, 30, 1.0)

    def left_out(ridge_lambda: float) -> float:  # by refitting
        rest = [np.arange(40) != out for out in range(40)]
        errors = [fit_ridge(vectors[r], values[r], ridge_lambda).predict(vectors[~r])[0] - values[~r][0] for r in rest]
        return float(np.mean(np.square(errors)))

    best = min(LAMBDAS, key=left_out)
    assert LAMBDAS[0] < best < LAMBDAS[-1]
    assert fit_ridge(vectors, values, None).ridge_lambda == best


def test_too_little_data() -> None:
    with pytest.raises(ValueError, match="at least two vectors"):
        fit_ridge(np.ones((1, 2)), np.ones(1), 1.0)


@pytest.mark.parametrize(("n", "d"), [(30, 6), (20, 50)])
def test_with_an_intercept_errors_of_left_out_values_are_those_of_refitting(n: int, d: int) -> None:
    vectors, values, _ = _data(n, d, 0.1)
    vectors, values = vectors + 3.0, values - 7.0
    candidates = np.logspace(-4, 2, 7)
    scaled, errors = [], {}
    for ridge_lambda in candidates:
        left_out = []
        for out in range(n):
            rest = np.arange(n) != out
            model = fit_ridge(vectors[rest], values[rest], ridge_lambda, intercept=True)
            reference = SklearnRidge(alpha=ridge_lambda, solver="svd").fit(vectors[rest], values[rest])
            predicted = model.predict(vectors[[out]])[0]
            assert predicted == pytest.approx(reference.predict(vectors[[out]])[0], rel=1e-6)
            left_out.append(abs(predicted - values[out]))
            if ridge_lambda == candidates[3]:
                centred = vectors[out] - model.centre
                scaled.append(left_out[-1] / np.sqrt(1 / (n - 1) + centred @ model.inverse @ centred))
        errors[ridge_lambda] = np.mean(np.square(left_out))
    whole = fit_ridge(vectors, values, None, intercept=True, candidates=candidates)
    assert whole.ridge_lambda == min(errors, key=errors.__getitem__)
    whole = fit_ridge(vectors, values, candidates[3], intercept=True)
    assert whole.scale == pytest.approx(np.quantile(scaled, 0.6827), rel=1e-6)


def test_noise_on_fewer_rows_than_columns_is_not_interpolated() -> None:
    rng = np.random.default_rng(0)
    vectors, values = rng.normal(size=(60, 200)), 5 + rng.normal(size=60)
    model = fit_ridge(vectors, values, None, intercept=True, candidates=np.logspace(-4, 6, 41))
    assert model.ridge_lambda > 10
    new = rng.normal(size=(500, 200))
    assert np.sqrt(np.mean((model.predict(new) - 5) ** 2)) < 0.5
    assert np.mean(np.abs(model.predict(new) - 5) < model.standard_deviation(new)) > 0.5
