"""Train-test splits, cross-validation folds and the settings that shape them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gbscape.config.learn import Learn, LearningCurve
from gbscape.learn.splits import cross_validation_folds, numbered_split, train_test_rows


@settings(max_examples=50, deadline=None)
@given(n=st.integers(10, 400), fraction=st.floats(0.2, 0.8), seed=st.integers(0, 2**32 - 1))
def test_split_is_a_partition_of_the_requested_size(n, fraction, seed):
    train, test = train_test_rows(np.arange(n, dtype=float), "regression", fraction, seed)
    assert sorted([*train, *test]) == list(range(n))
    assert len(test) == round(fraction * n)


@settings(max_examples=50, deadline=None)
@given(counts=st.lists(st.integers(2, 60), min_size=2, max_size=4), seed=st.integers(0, 2**32 - 1))
def test_classes_keep_their_proportions(counts, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    train, test = train_test_rows(labels, "classification", 0.5, seed)
    assert sorted([*train, *test]) == list(range(len(labels)))
    for label, count in enumerate(counts):
        assert abs((labels[train] == label).sum() - count / 2) <= 1


def test_388_boundaries_split_in_halves():
    train, test = train_test_rows(np.ones(388), "regression", 0.5, seed=0)
    assert (len(train), len(test)) == (194, 194)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_split_depends_on_seed_and_number_only(task):
    target = np.arange(60) % 3
    first = numbered_split(target, task, 0.5, seed=4, number=2)
    again = numbered_split(target, task, 0.5, seed=4, number=2)
    np.testing.assert_array_equal(first.train, again.train)
    assert first.fit_seed == again.fit_seed
    for seed, number in ((4, 3), (5, 2)):
        other = numbered_split(target, task, 0.5, seed, number)
        assert not np.array_equal(first.train, other.train)
        assert first.fit_seed != other.fit_seed


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_folds_validate_every_row_once(task):
    target = np.arange(43) % 3
    folds = cross_validation_folds(target, task, folds=5, seed=0)
    assert len(folds) == 5
    assert sorted(np.concatenate([validation for _, validation in folds])) == list(range(43))
    for train, validation in folds:
        assert sorted([*train, *validation]) == list(range(43))


def test_too_little_to_split():
    with pytest.raises(ValueError, match=r"3 boundaries cannot be split with test_fraction 0.5"):
        train_test_rows(np.ones(3), "regression", 0.5, 0)
    with pytest.raises(ValueError, match="class mixed has one boundary"):
        train_test_rows(np.array(["mixed", *["immobile"] * 9]), "classification", 0.5, 0)
    with pytest.raises(ValueError, match="too few to put all 3 classes in each part"):
        train_test_rows(np.repeat([0, 1, 2], 3), "classification", 0.25, 0)
    with pytest.raises(ValueError, match="4 training boundaries are too few for 5 folds"):
        cross_validation_folds(np.ones(4), "regression", 5, 0)
    with pytest.raises(ValueError, match="largest class has 4 training boundaries"):
        cross_validation_folds(np.repeat([0, 1], 4), "classification", 5, 0)


@pytest.mark.parametrize("fractions", [[0.5, 0.5], [0.5, 0.2], [0.5, 1.1], [0.0, 1.0], []])
def test_learning_curve_fractions_must_increase_within_one(fractions):
    with pytest.raises(ValidationError, match="fractions"):
        LearningCurve(fractions=fractions)


def test_a_target_may_be_given_once():
    with pytest.raises(ValidationError, match="each target may be given once"):
        Learn(targets=["energy", "energy"])
