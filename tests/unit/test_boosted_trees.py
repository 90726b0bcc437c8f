"""Boosted trees, their evaluation over splits and the learning curve."""

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from pandas.testing import assert_frame_equal

from gbscape.config.learn import BoostedTrees, Learn, LearningCurve, Smote
from gbscape.learn.boosted_trees import fit_boosted_trees
from gbscape.learn.evaluation import evaluate, evaluate_random
from gbscape.learn.learning_curve import learning_curve
from gbscape.learn.splits import cross_validation_folds, numbered_split
from gbscape.learn.tables import (
    CONFUSION_COLUMNS,
    IMPORTANCE_COLUMNS,
    LEARNING_CURVE_COLUMNS,
    PREDICTION_COLUMNS,
    SCORE_COLUMNS,
)

N = 120
IDS = [f"b{i:03d}" for i in range(N)]


@pytest.fixture(scope="module")
def problem():
    """Features (N, 6) and energies that depend on the first two columns, with noise of 0.02 J/m^2."""
    rng = np.random.default_rng(0)
    features = rng.standard_normal((N, 6))
    energies = 1.1 + 0.2 * np.tanh(features[:, 0]) + 0.1 * np.abs(features[:, 1]) + 0.02 * rng.standard_normal(N)
    return features, energies


def run(features, target, task="regression", settings=None, seed=0, **kwargs):
    settings = settings or Learn(n_splits=3)
    keywords = {"representation": "SOAP", "target_name": "energy", "ids": IDS} | kwargs
    return evaluate(features, target, task, settings, seed, **keywords)


def mean_score(result, metric):
    return result.scores.query("metric == @metric")["value"].mean()


@pytest.mark.parametrize(
    ("task", "objective", "metric", "classes"),
    [
        ("regression", "reg:squarederror", "rmse", None),
        ("classification", "binary:logistic", "logloss", 2),
        ("classification", "multi:softprob", "mlogloss", 3),
    ],
)
def test_number_of_trees_is_the_best_of_cross_validation(problem, task, objective, metric, classes):
    """Against every fold trained on its own to the end, and the winner refitted to all rows."""
    features, target = problem
    if classes:
        # Noisy labels, so that too many trees over-fit.
        noisy = target + 0.1 * np.random.default_rng(1).standard_normal(N)
        target = np.digitize(noisy, np.quantile(noisy, np.arange(1, classes) / classes))
    settings = BoostedTrees(max_trees=120, early_stopping_rounds=15, folds=4)
    model = fit_boosted_trees(features, target, task, settings, None, seed=3)

    parameters = {"objective": objective, "eval_metric": metric, "eta": 0.1, "max_depth": 3, "tree_method": "exact"}
    parameters |= {"nthread": 1}  # threads of so small a problem would only wait for each other
    parameters |= {"num_class": classes} if classes == 3 else {}
    losses = []
    for train, validation in cross_validation_folds(target, task, 4, 3):
        record = {}
        parts = [xgb.DMatrix(features[rows], target[rows]) for rows in (train, validation)]
        xgb.train(parameters, parts[0], 120, evals=[(parts[1], "v")], evals_result=record, verbose_eval=False)
        losses.append(record["v"][metric])
    mean_loss = np.mean(losses, axis=0)
    # The first round that is the best so far and not beaten in the next 15.
    best = next(i for i, loss in enumerate(mean_loss) if loss == mean_loss[: i + 16].min())
    assert model.n_trees == best + 1
    assert 1 < model.n_trees < 105
    np.testing.assert_allclose(model.validation_loss, mean_loss[: model.n_trees], rtol=1e-5)

    refit = xgb.train(parameters, xgb.DMatrix(features, target), model.n_trees).predict(xgb.DMatrix(features))
    if classes:
        refit = refit.argmax(axis=1) if classes == 3 else refit > 0.5
    np.testing.assert_allclose(model.predict(features), refit, rtol=1e-6)


def test_noise_stops_early_and_slow_learning_reaches_the_limit(problem):
    features, energies = problem
    noise = np.random.default_rng(1).standard_normal(N)
    assert fit_boosted_trees(features, noise, "regression", BoostedTrees(), None, 0).n_trees < 10
    slow = BoostedTrees(learning_rate=0.001, max_trees=30)
    assert fit_boosted_trees(features, energies, "regression", slow, None, 0).n_trees == 30


def test_features_are_learned_better_than_random(problem):
    features, energies = problem
    settings = Learn(n_splits=3)
    learned = run(features, energies, settings=settings)
    random = evaluate_random(energies, "regression", settings, 0, target_name="energy", ids=IDS)
    assert mean_score(learned, "mae_j_m2") < 0.4 * mean_score(random, "mae_j_m2")
    assert mean_score(learned, "accuracy_percent") > mean_score(random, "accuracy_percent") + 5
    assert mean_score(learned, "r2") > 0.7
    assert mean_score(random, "r2") < 0
    ranked = learned.importance.sort_values("importance_mean", ascending=False)["feature"]
    assert set(ranked[:2]) == {"0", "1"}
    assert learned.importance["importance_mean"].sum() == pytest.approx(1)


def test_over_sampling_raises_the_balanced_accuracy():
    rng = np.random.default_rng(0)
    labels = np.repeat(["thermally_activated", "immobile"], [320, 40])
    features = rng.standard_normal((360, 5)) + 0.6 * (labels == "immobile")[:, None]
    scores = {}
    for name, smote in (("smote", Smote()), ("none", None)):
        settings = Learn(n_splits=6, smote=smote)
        result = run(features, labels, "classification", settings, ids=[str(i) for i in range(360)])
        scores[name] = mean_score(result, "balanced_accuracy_percent")
    assert scores["smote"] > scores["none"] + 5


def test_frames(problem):
    features, energies = problem
    names = [f"n{i}" for i in range(6)]
    result = run(features, energies, settings=Learn(n_splits=2), feature_names=names)
    assert list(result.scores.columns) == SCORE_COLUMNS
    assert list(result.predictions.columns) == PREDICTION_COLUMNS
    assert list(result.importance.columns) == IMPORTANCE_COLUMNS
    assert list(result.confusion.columns) == CONFUSION_COLUMNS
    assert result.confusion.empty
    assert result.importance["feature"].tolist() == names
    assert result.scores["metric"].tolist() == ["accuracy_percent", "mae_j_m2", "rmse_j_m2", "r2", "n_trees"] * 2
    assert result.scores[["n_train", "n_test"]].drop_duplicates().to_numpy().tolist() == [[60, 60]]
    for _, rows in result.predictions.groupby("split"):
        assert sorted(rows["id"]) == IDS
        np.testing.assert_array_equal(rows.set_index("id")["y_true"].loc[IDS], energies)
    test = result.predictions.query("set == 'test'")
    mae = (test["y_true"] - test["y_pred"]).abs().groupby(test["split"]).mean()
    np.testing.assert_allclose(result.scores.query("metric == 'mae_j_m2'")["value"], mae)


@pytest.mark.parametrize("labels", [["coupled", "uncoupled"], [0, 1, 2], ["a", "b", "c", "d"]])
def test_class_labels_come_back_as_they_were(problem, labels):
    features, energies = problem
    bins = np.digitize(energies, np.quantile(energies, np.arange(1, len(labels)) / len(labels)))
    target = pd.Categorical.from_codes(bins, labels)
    result = run(features, target, "classification", Learn(n_splits=1), target_name="mobility")
    assert set(result.predictions["y_pred"]) <= set(labels)
    assert mean_score(result, "accuracy_percent") > 100 / len(labels) + 10
    test = result.predictions.query("set == 'test'")
    counted = test.groupby(["y_true", "y_pred"]).size()
    listed = result.confusion.query("count > 0").set_index(["y_true", "y_pred"])["count"]
    assert counted.to_dict() == listed.to_dict()
    assert len(result.confusion) == len(labels) ** 2


def test_same_seed_same_results(problem):
    features, energies = problem
    labels = (energies > np.quantile(energies, 0.7)).astype(int)
    for target, task in ((energies, "regression"), (labels, "classification")):
        first, again, other = (run(features, target, task, Learn(n_splits=2), seed=seed) for seed in (5, 5, 6))
        for frame in ("scores", "predictions", "importance", "confusion"):
            assert_frame_equal(getattr(first, frame), getattr(again, frame))
        assert not first.predictions.equals(other.predictions)


def test_splits_do_not_depend_on_features_or_their_number(problem):
    features, energies = problem
    two = run(features, energies, settings=Learn(n_splits=2)).predictions
    three = run(features[:, ::-1], energies, settings=Learn(n_splits=3), representation="ST").predictions
    assert_frame_equal(
        two[["split", "id", "set", "y_true"]], three.query("split < 2")[["split", "id", "set", "y_true"]]
    )


def test_constant_columns_do_not_matter(problem):
    features, energies = problem
    padded = np.column_stack([np.zeros(N), features, np.full(N, 3.0)])
    plain, wide = (run(x, energies, settings=Learn(n_splits=1)) for x in (features, padded))
    assert_frame_equal(plain.scores, wide.scores)
    assert wide.importance["importance_mean"].iloc[[0, -1]].tolist() == [0, 0]


def test_drawn_columns_are_counted_as_the_original_ones(problem):
    """The four of 300 columns that a fit draws: the model is xgboost's on them, and its gains stand in their places."""
    features, energies = problem
    wide = np.random.default_rng(2).standard_normal((N, 300))
    wide[:, :6] = features
    wide[:, ::2] = 7.0
    settings = BoostedTrees(columns_per_fit=4, columns_per_tree=None, max_trees=30)
    model = fit_boosted_trees(wide, energies, "regression", settings, None, 0)
    assert len(model.columns) == 4
    assert (model.columns % 2 == 1).all(), "a constant column was drawn"
    parameters = {"eta": 0.1, "max_depth": 3, "tree_method": "exact", "nthread": 1}
    reference = xgb.train(parameters, xgb.DMatrix(wide[:, model.columns], energies), model.n_trees)
    np.testing.assert_allclose(model.predict(wide), reference.predict(xgb.DMatrix(wide[:, model.columns])), rtol=1e-6)
    gain = reference.get_score(importance_type="total_gain")
    share = model.importance()
    assert share.shape == (300,)
    for i, column in enumerate(model.columns):
        assert share[column] == pytest.approx(gain.get(f"f{i}", 0.0) / sum(gain.values()))
    assert share.sum() == pytest.approx(1)
    # What was not drawn is not looked at, and another seed draws others.
    other = np.where(np.isin(np.arange(300), model.columns), wide, 0.0)
    np.testing.assert_array_equal(model.predict(other), model.predict(wide))
    assert set(fit_boosted_trees(wide, energies, "regression", settings, None, 1).columns) != set(model.columns)


def test_a_short_part_of_a_concatenation_is_seen_beside_a_long_one(problem):
    """Six columns that tell the energy, before 3000 that do not: without parts they would hardly be drawn."""
    features, energies = problem
    wide = np.column_stack([features, np.random.default_rng(2).standard_normal((N, 3000))])
    settings = BoostedTrees(columns_per_fit=200, columns_per_tree=20, max_trees=40)
    together, apart = (fit_boosted_trees(wide, energies, "regression", settings, None, 0, s) for s in ((), (6, 3000)))
    assert (together.columns < 6).sum() < 3
    assert (apart.columns[:6] == np.arange(6)).all()
    assert len(apart.columns) == 200
    assert apart.importance()[:6].sum() > 0.6
    # Without a draw, parts make no difference.
    every = BoostedTrees(columns_per_fit=None, columns_per_tree=None, max_trees=10)
    plain, parted = (fit_boosted_trees(wide, energies, "regression", every, None, 0, s) for s in ((), (6, 3000)))
    np.testing.assert_array_equal(plain.predict(wide), parted.predict(wide))
    with pytest.raises(ValueError, match=r"parts of \[6, 10\] columns do not make the 3006"):
        fit_boosted_trees(wide, energies, "regression", settings, None, 0, (6, 10))


def test_each_tree_sees_the_columns_that_it_may(problem):
    features, energies = problem
    settings = BoostedTrees(columns_per_tree=1, max_trees=40)
    trees = fit_boosted_trees(features, energies, "regression", settings, None, 0).booster.trees_to_dataframe()
    used = trees.query("Feature != 'Leaf'").groupby("Tree")["Feature"].nunique()
    assert (used == 1).all()
    assert trees["Feature"].nunique() > 3


def test_what_ran_before_does_not_matter(problem):
    """xgboost draws columns from one generator of the process, which other fits leave in another state."""
    features, energies = problem
    settings = BoostedTrees(columns_per_tree=2, max_trees=20)
    first = fit_boosted_trees(features, energies, "regression", settings, None, 0).predict(features)
    fit_boosted_trees(features[:50], energies[:50], "regression", settings, None, 5)
    again = fit_boosted_trees(features, energies, "regression", settings, None, 0).predict(features)
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_targets_of_test_rows_do_not_matter(problem, task, monkeypatch):
    features, energies = problem
    target = energies if task == "regression" else np.digitize(energies, np.quantile(energies, [0.5, 0.8]))
    split = numbered_split(target, task, 0.5, 0, 0)
    monkeypatch.setattr("gbscape.learn.evaluation.numbered_split", lambda *_: split)
    settings = Learn(n_splits=1, trees=BoostedTrees(max_trees=30, columns_per_tree=3, columns_per_fit=5))
    plain = run(features, target, task, settings).predictions["y_pred"]
    for part, same in ((split.test, True), (split.train, False)):
        other = target.copy()
        other[part] = np.random.default_rng(1).permutation(target[part])
        assert not np.array_equal(other, target)
        assert run(features, other, task, settings).predictions["y_pred"].equals(plain) == same


def test_progress_is_reported_for_each_split(problem):
    seen = []

    def track(items):
        for item in items:
            seen.append(item)
            yield item

    run(*problem, settings=Learn(n_splits=2, trees=BoostedTrees(max_trees=2)), track=track)
    assert seen == [0, 1]


def test_learning_curve(problem):
    features, energies = problem
    settings = Learn(n_splits=3, learning_curve=LearningCurve(fractions=[0.2, 0.5, 1.0], repeats=3))
    keywords = {"representation": "SOAP", "target_name": "energy"}
    curve = learning_curve(features, energies, settings, 0, **keywords)
    assert list(curve.columns) == LEARNING_CURVE_COLUMNS
    assert len(curve) == 3 * 3 * 2
    assert sorted(set(curve["n_train"])) == [12, 30, 60]
    mean = curve.groupby(["set", "n_train"])["mae_j_m2"].mean()
    assert mean["test"].is_monotonic_decreasing
    assert (mean["train"] < mean["test"]).all()
    # With all training rows it is the evaluation of the same split.
    whole = curve.query("set == 'test' and n_train == 60")["mae_j_m2"]
    expected = run(features, energies, settings=settings).scores.query("metric == 'mae_j_m2'")["value"]
    np.testing.assert_allclose(whole, expected, rtol=1e-12)
    assert_frame_equal(curve, learning_curve(features, energies, settings, 0, **keywords))


def test_learning_curve_leaves_out_sizes_with_fewer_boundaries_than_folds(problem):
    settings = Learn(learning_curve=LearningCurve(fractions=[0.05, 0.5], repeats=1), trees=BoostedTrees(max_trees=5))
    with pytest.warns(UserWarning, match=r"sizes \[3\] of the learning curve are left out: .* 5 folds"):
        curve = learning_curve(*problem, settings, 0, representation="SOAP", target_name="energy")
    assert set(curve["n_train"]) == {30}


def test_bad_input_is_named(problem):
    features, energies = problem
    holed = features.copy()
    holed[7, 2] = np.nan
    with pytest.raises(ValueError, match=r"1 values that are NaN.* first at row 7, column 2"):
        run(holed, energies)
    with pytest.raises(ValueError, match="infinite or beyond single precision"):
        run(np.where(np.isnan(holed), 1e300, holed), energies)
    with pytest.raises(ValueError, match="features have 119 rows but the target has 120"):
        run(features[1:], energies)
    with pytest.raises(ValueError, match="must be a matrix"):
        run(features[:, 0], energies)
    with pytest.raises(ValueError, match="boundary 'b001' occurs more than once"):
        run(features, energies, ids=["b001", *IDS[1:]])
    with pytest.raises(ValueError, match="got 119 boundary names, need 120"):
        run(features, energies, ids=IDS[1:])
    with pytest.raises(ValueError, match="feature 'a' occurs more than once"):
        run(features, energies, feature_names=["a", "a", "c", "d", "e", "f"])
    with pytest.raises(ValueError, match="target lacks 1 values, the first at row 7"):
        run(features, np.where(np.arange(N) == 7, np.nan, energies))
    with pytest.raises(ValueError, match="target is infinite at row 7"):
        run(features, np.where(np.arange(N) == 7, np.inf, energies))
    with pytest.raises(ValueError, match="above zero, got 0 J/m"):
        run(features, np.where(np.arange(N) == 7, 0.0, energies))
    with pytest.raises(ValueError, match="must be a vector"):
        run(features, energies[:, None])
    with pytest.raises(ValueError, match="class labels must be integers or strings, got float64"):
        run(features, energies, "classification")
    with pytest.raises(ValueError, match="at least two classes, all training rows are immobile"):
        run(features, ["immobile"] * N, "classification")
