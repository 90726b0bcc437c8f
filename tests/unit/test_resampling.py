"""SMOTE: what it makes, and that it only ever sees training rows."""

import numpy as np
import pytest
import xgboost as xgb

from gbscape.config.learn import BoostedTrees, Learn, Smote
from gbscape.learn import boosted_trees, resampling
from gbscape.learn.boosted_trees import fit_boosted_trees
from gbscape.learn.evaluation import evaluate
from gbscape.learn.resampling import oversample

FOLDS = 4
LEARN = Learn(n_splits=3, trees=BoostedTrees(folds=FOLDS, max_trees=5))


@pytest.fixture
def imbalanced():
    """Column 0 is the row's own number, so that every row can be recognised wherever it turns up."""
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat([0, 1, 2], [60, 24, 12]))
    features = np.column_stack([np.arange(96), rng.standard_normal((96, 3)) + labels[:, None]])
    return features, labels


@pytest.fixture
def seen_by_smote(monkeypatch):
    """Column 0 of what each call of SMOTE was given."""
    seen = []

    class Recorder(resampling.SMOTE):
        def fit_resample(self, features, labels):
            seen.append(features[:, 0].tolist())
            return super().fit_resample(features, labels)

    monkeypatch.setattr(resampling, "SMOTE", Recorder)
    return seen


def test_smote_never_sees_test_rows(imbalanced, seen_by_smote):
    features, labels = imbalanced
    result = evaluate(
        features,
        labels,
        "classification",
        LEARN,
        0,
        representation="x",
        target_name="y",
        ids=[str(i) for i in range(96)],
    )
    assert len(seen_by_smote) == LEARN.n_splits * (FOLDS + 1)
    for split, rows in result.predictions.groupby("split"):
        train, test = (set(rows.query("set == @name")["id"].astype(int)) for name in ("train", "test"))
        assert len(train) == len(test) == 48
        calls = seen_by_smote[split * (FOLDS + 1) : (split + 1) * (FOLDS + 1)]
        for call in calls:
            assert len(call) == len(set(call)), "SMOTE was given synthetic rows"
            assert set(call) <= train
            assert not set(call) & test
        # Each fold keeps its own part of the training rows back; the final fit sees them all.
        kept_back = [train - set(call) for call in calls[:FOLDS]]
        assert sorted(row for part in kept_back for row in part) == sorted(train)
        assert set(calls[FOLDS]) == train


def test_validation_part_of_a_fold_is_not_resampled(imbalanced, seen_by_smote, monkeypatch):
    features, labels = imbalanced
    boosters = []

    class Recorder(xgb.Booster):
        def __init__(self, params=None, cache=None, model_file=None):
            boosters.append(cache)
            super().__init__(params, cache, model_file)

    monkeypatch.setattr(boosted_trees.xgb, "Booster", Recorder)
    fit_boosted_trees(features, labels, "classification", LEARN.trees, LEARN.smote, 0)
    of_folds = [cache for cache in boosters if len(cache) == 2]
    assert len(of_folds) == FOLDS
    validated = []
    for (train, validation), given in zip(of_folds, seen_by_smote, strict=False):
        rows = validation.get_data().toarray()[:, 0]
        assert not set(rows) & set(given)
        assert validation.get_label().tolist() == labels[rows.astype(int)].tolist()
        assert len(set(np.bincount(train.get_label().astype(int)))) == 1, "training part is not balanced"
        validated.extend(rows)
    assert sorted(validated) == list(range(96))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_nothing_is_learned_from_noise(n_classes):
    """Interpolated rows give away the class of their neighbours: noise looks learnable if they cross a split.

    The control does what must not be done, over-sampling before splitting, and shows that this test would notice.
    """
    rng = np.random.default_rng(1)
    labels = rng.permutation(np.repeat(np.arange(n_classes), [150, 30, 20][:n_classes]))
    features = rng.standard_normal((len(labels), 12))
    settings = Learn(n_splits=6, trees=BoostedTrees(max_trees=60))

    def balanced_accuracy(features, labels, settings):
        result = evaluate(
            features, labels, "classification", settings, 0,
            representation="noise", target_name="y", ids=[str(i) for i in range(len(labels))],
        )  # fmt: skip
        return result.scores.query("metric == 'balanced_accuracy_percent'")["value"].mean()

    honest = balanced_accuracy(features, labels, settings)
    assert honest == pytest.approx(100 / n_classes, abs=8)
    leaky = balanced_accuracy(*oversample(features, labels, Smote(), 0), settings.model_copy(update={"smote": None}))
    assert leaky > honest + 20

    # The same for the loss that chooses the number of trees: noise cannot beat the entropy of the class fractions.
    tree_settings = settings.trees
    honest_fit = fit_boosted_trees(features, labels, "classification", tree_settings, Smote(), 0)
    resampled = oversample(features, labels, Smote(), 0)
    leaky_fit = fit_boosted_trees(*resampled, "classification", tree_settings, None, 0)
    fractions = np.bincount(labels) / len(labels)
    assert honest_fit.validation_loss.min() > -np.sum(fractions * np.log(fractions))
    assert leaky_fit.validation_loss.min() < 0.8 * np.log(n_classes)


def test_synthetic_rows_lie_between_two_rows_of_their_class():
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 1, 2], [30, 10, 5])
    features = rng.standard_normal((45, 4))
    grown, grown_labels = oversample(features, labels, Smote(k_neighbors=3), seed=0)
    np.testing.assert_array_equal(grown[:45], features)
    np.testing.assert_array_equal(grown_labels[:45], labels)
    assert np.bincount(grown_labels).tolist() == [30, 30, 30]
    for row, label in zip(grown[45:], grown_labels[45:], strict=True):
        to_row = np.linalg.norm(features[labels == label] - row, axis=1)
        apart = np.linalg.norm(features[labels == label][:, None] - features[labels == label], axis=2)
        np.fill_diagonal(apart, -np.inf)
        assert np.min(np.abs(to_row[:, None] + to_row - apart)) < 1e-12


def test_neighbours_are_reduced_for_a_small_class():
    features = np.random.default_rng(3).standard_normal((12, 2))
    labels = np.repeat([0, 1], [10, 2])
    grown, grown_labels = oversample(features, labels, Smote(k_neighbors=5), seed=0)
    assert np.bincount(grown_labels).tolist() == [10, 10]
    # Two rows leave one segment.
    start, end = features[10:]
    along = (grown[12:] - start) @ (end - start) / np.sum((end - start) ** 2)
    np.testing.assert_allclose(grown[12:], start + along[:, None] * (end - start), atol=1e-12)


def test_balanced_classes_are_left_alone():
    features, labels = np.eye(4), np.array([0, 1, 0, 1])
    grown, grown_labels = oversample(features, labels, Smote(), seed=0)
    np.testing.assert_array_equal(grown, features)
    np.testing.assert_array_equal(grown_labels, labels)


def test_same_seed_same_rows(imbalanced):
    first, again, other = (oversample(*imbalanced, Smote(), seed)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_class_of_one_row_cannot_be_interpolated():
    features = np.random.default_rng(4).standard_normal((11, 2))
    with pytest.raises(ValueError, match="class mixed has one training row: SMOTE needs two"):
        oversample(features, np.array([*["immobile"] * 10, "mixed"]), Smote(), seed=0)


@pytest.mark.parametrize(("rows", "folds", "needed"), [(2, 5, 3), (1, 5, 3), (3, 2, 4)])
def test_class_too_small_for_the_folds(rows, folds, needed):
    labels = np.repeat([0, 7], [20, rows])
    features = np.random.default_rng(5).standard_normal((len(labels), 2))
    settings = BoostedTrees(folds=folds, max_trees=3)
    message = f"class 7 has {rows} training rows: SMOTE within {folds} folds needs {needed}"
    with pytest.raises(ValueError, match=message):
        fit_boosted_trees(features, labels, "classification", settings, Smote(), 0)


@pytest.mark.filterwarnings("ignore:The least populated class")
@pytest.mark.parametrize(("rows", "folds"), [(3, 5), (3, 3), (4, 2)])
def test_smallest_class_that_fits_the_folds(rows, folds):
    labels = np.repeat([0, 1], [20, rows])
    features = np.random.default_rng(6).standard_normal((len(labels), 2))
    for seed in range(5):
        fit_boosted_trees(features, labels, "classification", BoostedTrees(folds=folds, max_trees=3), Smote(), seed)
