"""Greedy orthogonal least squares against least squares by brute force, and what its ensembles do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gbscape.learn.orthogonal_least_squares import (
    best_size,
    fit_ensemble,
    mean_absolute_errors,
    orthogonal_least_squares,
)


def sample(seed, n=20, d=8):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, d)) * 10.0 ** rng.integers(-2, 3, d) + rng.normal(size=d)
    return features, features[:, :3] @ [1.0, -2.0, 0.5] + rng.normal(size=n)


def squared_error(features, targets, columns, weights):
    """Of the best model with these columns, by another route."""
    design = np.column_stack([np.ones(len(targets)), features[:, columns]]) * np.sqrt(weights)[:, None]
    solution = np.linalg.lstsq(design, targets * np.sqrt(weights), rcond=None)[0]
    return float(((design @ solution - targets * np.sqrt(weights)) ** 2).sum()), solution


@given(seed=st.integers(0, 2**31), weighted=st.booleans())
@settings(max_examples=30)
def test_each_step_takes_the_best_further_column_and_each_model_is_least_squares(seed, weighted):
    features, targets = sample(seed)
    counts = (
        np.random.default_rng(seed).integers(0, 3, len(targets)).astype(float) if weighted else np.ones(len(targets))
    )
    counts[:4] = 1  # enough of them
    path = orthogonal_least_squares(features, targets, 5, counts)
    taken: list[int] = []
    for size in range(1, len(path.columns) + 1):
        errors = {
            column: squared_error(features, targets, [*taken, column], counts)[0]
            for column in range(features.shape[1])
            if column not in taken
        }
        taken.append(int(path.columns[size - 1]))
        assert errors[taken[-1]] <= min(errors.values()) * (1 + 1e-8) + 1e-12
        _, solution = squared_error(features, targets, taken, counts)
        model = path.model(size)
        assert model.intercept == pytest.approx(solution[0], rel=1e-6, abs=1e-8)
        assert model.weights == pytest.approx(solution[1:], rel=1e-6, abs=1e-8)


def test_rows_that_count_twice_are_rows_that_are_there_twice():
    features, targets = sample(3)
    counts = np.tile([2.0, 1.0], 10)
    twice = np.repeat(np.arange(20), counts.astype(int))
    by_weight = orthogonal_least_squares(features, targets, 4, counts).model(4)
    by_rows = orthogonal_least_squares(features[twice], targets[twice], 4).model(4)
    assert by_weight.columns.tolist() == by_rows.columns.tolist()
    assert by_weight.predict(features) == pytest.approx(by_rows.predict(features))


def test_columns_that_teach_nothing_are_not_taken():
    features, targets = sample(5)
    features[:, 3] = 7.0
    features[:, 4] = 2 * features[:, 0] + features[:, 1]
    path = orthogonal_least_squares(features, targets, 100)
    assert 3 not in path.columns
    assert len({0, 1, 4} & set(path.columns.tolist())) == 2
    assert len(path.columns) == 6
    assert len(set(path.columns.tolist())) == 6


def test_the_model_without_features_is_the_mean():
    features, targets = sample(1)
    model = orthogonal_least_squares(features, targets, 3).model(0)
    assert model.predict(features) == pytest.approx(targets.mean())
    with pytest.raises(ValueError, match="0 to 3 features, not 4"):
        orthogonal_least_squares(features, targets, 3).model(4)


def test_units_of_the_features_do_not_matter():
    features, targets = sample(2)
    factors = 10.0 ** np.arange(-4, 4)
    path, scaled = (orthogonal_least_squares(x, targets, 5) for x in (features, features * factors + 3))
    assert path.columns.tolist() == scaled.columns.tolist()
    assert path.model(5).predict(features) == pytest.approx(scaled.model(5).predict(features * factors + 3))


def test_random_subsets_choose_among_what_they_see():
    features, targets = sample(4, n=40, d=30)
    first, again, other = (
        orthogonal_least_squares(features, targets, 6, subset=0.2, rng=np.random.default_rng(seed))
        for seed in (0, 0, 1)
    )
    assert first.columns.tolist() == again.columns.tolist() != other.columns.tolist()
    assert len(set(first.columns.tolist())) == 6
    with pytest.raises(ValueError, match="needs a generator"):
        orthogonal_least_squares(features, targets, 6, subset=0.2)


def test_sizes_are_chosen_by_what_was_held_back():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 40))
    targets = features[:, 7] - features[:, 11] + 0.3 * rng.normal(size=60)
    path = orthogonal_least_squares(features[:40], targets[:40], 30)
    errors = mean_absolute_errors(path, features[40:], targets[40:])
    assert sorted(path.columns[:2].tolist()) == [7, 11]
    assert 2 <= best_size([errors]) < 20
    assert errors[-1] > errors.min()  # more features than the data bear
    assert best_size([np.array([3.0, 1.0]), np.array([3.0, 2.0, 2.5, 0.0])]) == 3


def test_ensembles_forget_what_single_models_take_by_chance():
    rng = np.random.default_rng(1)
    better = []
    for seed in range(8):
        features = rng.normal(size=(160, 60))
        targets = features[:, :6] @ np.linspace(1, 0.3, 6) + 0.7 * rng.normal(size=160)
        train, test = slice(0, 50), slice(50, None)
        path = orthogonal_least_squares(features[train], targets[train], 30)
        single = np.abs(path.model(30).predict(features[test]) - targets[test]).mean()
        ensemble = fit_ensemble(features[train], targets[train], 30, 15, 0.3, np.random.default_rng(seed))
        mean, spread = ensemble.predict(features[test])
        better.append(np.abs(mean - targets[test]).mean() < single)
        assert (spread > 0).all()
    assert sum(better) >= 7


def test_ensembles_are_the_same_again():
    features, targets = sample(6)
    first, again = (
        fit_ensemble(features, targets, 4, 5, 0.5, np.random.default_rng(3)).predict(features)[0] for _ in range(2)
    )
    assert np.array_equal(first, again)
    with pytest.raises(ValueError, match="four rows"):
        fit_ensemble(features[:3], targets[:3], 2, 2, 1.0, np.random.default_rng(0))


@pytest.mark.parametrize(("n_targets", "counts"), [(19, None), (20, np.ones(3)), (20, np.eye(20)[0])])
def test_shapes_that_do_not_match_are_refused(n_targets, counts):
    features, targets = sample(0)
    with pytest.raises(ValueError, match="20 rows of features need"):
        orthogonal_least_squares(features, targets[:n_targets], 2, counts)
