"""Further models: against scikit-learn, and that nothing of a test row's target or of other rows gets in."""

import numpy as np
import pytest
from pandas.testing import assert_frame_equal
from pydantic import ValidationError
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.gaussian_process.kernels import RBF, Matern
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from gbscape.config.learn import Average, KernelModel, Learn, LearningCurve, RandomisedTrees
from gbscape.learn.evaluation import evaluate, evaluate_model
from gbscape.learn.models import fit_and_predict, kernel_matrix, ridge_in_kernel
from gbscape.learn.splits import cross_validation_folds, numbered_split
from gbscape.learn.tables import CONFUSION_COLUMNS, PREDICTION_COLUMNS, SCORE_COLUMNS

N = 100
IDS = [f"b{i:03d}" for i in range(N)]
TRAIN, TEST = np.arange(60), np.arange(60, N)
QUICK = {"lengths": (1.0, 4.0), "penalties": (1e-4, 1e-2), "costs": (1.0, 10.0)}
MODELS = {
    "kernel": KernelModel(of=("soap",), **QUICK),
    "trees": RandomisedTrees(of=("soap", "st"), n_trees=20),
    "both": Average(models=("kernel", "trees")),
}


@pytest.fixture(scope="module")
def problem():
    """Features of two representations, energies in J/m^2 that are smooth in them, and three unequal classes."""
    rng = np.random.default_rng(0)
    features = {"soap": 3 + rng.standard_normal((N, 5)) * [1, 2, 0.1, 5, 1], "st": rng.standard_normal((N, 3))}
    scaled = (features["soap"] - 3) / [1, 2, 0.1, 5, 1]
    energies = 1.0 + 0.2 * np.tanh(scaled[:, 0]) + 0.1 * scaled[:, 2] ** 2
    labels = np.array(["a", "b", "c"])[np.digitize(scaled[:, 0] + 0.5 * scaled[:, 1], [0.3, 1.2])]
    return features, energies, labels


def evaluated(problem, model, task, settings=None, seed=0, **changed):
    features, energies, labels = problem
    target = changed.get("target", energies if task == "regression" else labels)
    settings = settings or Learn(n_splits=2, models=MODELS)
    names = {name for part in settings.parts(model).values() for name in part.of}
    chosen = {name: features[name] for name in names}
    return evaluate_model(chosen, target, task, settings, seed, model=model, target_name="y", ids=IDS)


def predicted(problem, part, task, train_target=None, rows=TEST):
    features, energies, labels = problem
    target = (energies if task == "regression" else labels)[TRAIN] if train_target is None else train_target
    return fit_and_predict([part], features, TRAIN, target, rows, task, seed=1)


@pytest.mark.parametrize(("kernel", "reference"), [("gaussian", RBF), ("matern", lambda L: Matern(L, nu=2.5))])
def test_kernels_are_the_usual_ones(kernel, reference):
    points = np.random.default_rng(1).standard_normal((9, 4))
    squares = np.sum((points[:, None] - points) ** 2, axis=2)
    ours = kernel_matrix(KernelModel(of=("x",), kernel=kernel), squares, 1.7)
    np.testing.assert_allclose(ours, reference(1.7)(points), rtol=1e-12)


def test_weighted_kernel_ridge_is_that_of_scikit_learn():
    """scikit-learn's has no constant: with targets of weighted mean zero in the solution, both are the same."""
    rng = np.random.default_rng(2)
    points, weights = rng.standard_normal((30, 3)), rng.uniform(0.2, 3, 30)
    kernel, target = RBF(1.0)(points), rng.standard_normal(30)
    coefficients, constant = ridge_in_kernel(kernel, target, weights, 0.1)
    reference = KernelRidge(alpha=0.1, kernel="precomputed").fit(kernel, target - constant, sample_weight=weights)
    np.testing.assert_allclose(kernel @ coefficients, reference.predict(kernel), rtol=1e-9, atol=1e-12)

    # The constant is the best one: the objective has no slope there.
    def objective(a, b):
        return weights @ (target - kernel @ a - b) ** 2 + 0.1 * a @ kernel @ a

    best = objective(coefficients, constant)
    for step in (1e-3, -1e-3):
        assert objective(coefficients, constant + step) > best
        assert objective(coefficients + step * rng.standard_normal(30), constant) > best


def test_linear_kernel_is_ridge_regression(problem):
    features, energies, _ = problem
    part = KernelModel(of=("soap",), kernel="linear", penalties=(0.3,), relative_error=False)
    ours, chosen = predicted(problem, part, "regression")
    scaler = StandardScaler().fit(features["soap"][TRAIN])
    # Five columns of unit variance: the kernel is their mean product.
    at_train, at_test = (scaler.transform(features["soap"][rows]) / np.sqrt(5) for rows in (TRAIN, TEST))
    reference = Ridge(alpha=0.3).fit(at_train, energies[TRAIN]).predict(at_test)
    np.testing.assert_allclose(ours, reference, rtol=1e-9)
    assert chosen == {"penalty": 0.3}


@pytest.mark.parametrize("balanced", [True, False])
def test_support_vectors_are_chosen_as_by_a_grid_search(problem, balanced):
    features, _, labels = problem
    part = KernelModel(
        of=("soap",), kernel="gaussian", balanced=balanced, lengths=(0.5, 1.0, 3.0), costs=(0.1, 1.0, 30.0)
    )
    _, chosen = predicted(problem, part, "classification")
    codes = np.unique(labels[TRAIN], return_inverse=True)[1]
    folds = cross_validation_folds(codes, "classification", 5, 1)
    # The kernel's scale comes from all training rows, so the reference is given scaled columns.
    scaled = StandardScaler().fit_transform(features["soap"][TRAIN]) / np.sqrt(5)
    counts = np.bincount(codes)

    def score(estimator, rows, truth):
        right = estimator.predict(rows) == truth
        return np.sum(right / counts[truth]) if balanced else np.sum(right)

    search = GridSearchCV(
        SVC(class_weight="balanced" if balanced else None),
        {"gamma": [2.0, 0.5, 1 / 18], "C": [0.1, 1.0, 30.0]},
        scoring=score,
        cv=folds,
    ).fit(scaled, codes)
    table = {
        (round((2 * p["gamma"]) ** -0.5, 9), p["C"]): s
        for p, s in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True)
    }
    assert table[chosen["length"], chosen["cost"]] == pytest.approx(max(table.values()))


def test_randomised_trees_are_those_of_scikit_learn(problem):
    features, energies, labels = problem
    both = np.concatenate([features["soap"], features["st"]], axis=1)
    part = RandomisedTrees(of=("soap", "st"), n_trees=15, rows_per_leaf=2)
    shared = {"n_estimators": 15, "min_samples_leaf": 2, "max_features": "sqrt", "random_state": 1}
    classes = ExtraTreesClassifier(class_weight="balanced", **shared).fit(both[TRAIN], labels[TRAIN])
    assert predicted(problem, part, "classification")[0].tolist() == classes.predict(both[TEST]).tolist()
    weights = energies[TRAIN] ** -2
    forest = ExtraTreesRegressor(**shared).fit(both[TRAIN], energies[TRAIN], sample_weight=weights / weights.mean())
    np.testing.assert_allclose(predicted(problem, part, "regression")[0], forest.predict(both[TEST]), rtol=1e-9)


def test_average_is_the_mean_of_its_models(problem):
    features, energies, _ = problem
    parts = [MODELS["kernel"], MODELS["trees"]]
    single = [predicted(problem, part, "regression")[0] for part in parts]
    mean, chosen = fit_and_predict(parts, features, TRAIN, energies[TRAIN], TEST, "regression", seed=1)
    np.testing.assert_allclose(mean, np.mean(single, axis=0), rtol=1e-12)
    assert chosen == {}


@pytest.mark.parametrize("task", ["regression", "classification"])
@pytest.mark.parametrize("model", MODELS)
def test_models_learn_and_fill_the_tables(problem, model, task):
    result = evaluated(problem, model, task)
    assert list(result.scores.columns) == SCORE_COLUMNS
    assert list(result.predictions.columns) == PREDICTION_COLUMNS
    assert list(result.confusion.columns) == CONFUSION_COLUMNS
    assert result.importance.empty
    assert set(result.scores["representation"]) == {model}
    assert result.confusion.empty == (task == "regression")
    means = result.scores.groupby("metric")["value"].mean()
    assert means["r2"] > 0.3 if task == "regression" else means["balanced_accuracy_percent"] > 100 / 3 + 8
    assert_frame_equal(result.predictions, evaluated(problem, model, task).predictions)
    # The same splits as the boosted trees'.
    trees = evaluate(
        problem[0]["soap"], problem[1 if task == "regression" else 2], task, Learn(n_splits=2), 0,
        representation="soap", target_name="y", ids=IDS,
    ).predictions  # fmt: skip
    columns = ["split", "id", "set", "y_true"]
    assert_frame_equal(result.predictions[columns], trees[columns])


@pytest.mark.parametrize("task", ["regression", "classification"])
@pytest.mark.parametrize("model", MODELS)
def test_targets_of_test_rows_do_not_matter(problem, model, task, monkeypatch):
    """With the split held, other targets of its test rows change no prediction; of training rows, they do."""
    _, energies, labels = problem
    target = energies if task == "regression" else labels
    split = numbered_split(target, task, 0.5, 0, 0)
    monkeypatch.setattr("gbscape.learn.evaluation.numbered_split", lambda *_: split)
    settings = Learn(n_splits=1, models=MODELS)
    plain = evaluated(problem, model, task, settings).predictions
    other = target.copy()
    other[split.test] = np.random.default_rng(3).permutation(target[split.test])
    assert not np.array_equal(other, target)
    assert_frame_equal(plain[["id", "y_pred"]], evaluated(problem, model, task, settings, target=other).predictions[["id", "y_pred"]])  # fmt: skip
    other = target.copy()
    other[split.train] = np.random.default_rng(3).permutation(target[split.train])
    changed = evaluated(problem, model, task, settings, target=other).predictions
    assert not plain["y_pred"].equals(changed["y_pred"])


@pytest.mark.parametrize("task", ["regression", "classification"])
@pytest.mark.parametrize("model", MODELS)
def test_test_rows_do_not_matter_to_each_other(problem, model, task):
    """Features of one test row are no part of what is said of another: nothing is scaled or chosen by them."""
    features, energies, labels = problem
    parts = list(Learn(models=MODELS).parts(model).values())
    target = (energies if task == "regression" else labels)[TRAIN]
    whole, _ = fit_and_predict(parts, features, TRAIN, target, TEST, task, seed=1)
    spoilt = {name: matrix.copy() for name, matrix in features.items()}
    for matrix in spoilt.values():
        matrix[TEST[1:]] *= 100
    alone, _ = fit_and_predict(parts, spoilt, TRAIN, target, TEST[:1], task, seed=1)
    if task == "regression":
        assert alone[0] == pytest.approx(whole[0], rel=1e-9)
    else:
        assert alone[0] == whole[0]


def test_nothing_is_learned_from_noise(problem):
    """Tuning that saw test rows would find something."""
    rng = np.random.default_rng(4)
    features = {"soap": rng.standard_normal((N, 30)), "st": rng.standard_normal((N, 5))}
    noise = (features, 1 + 0.1 * rng.standard_normal(N), rng.permutation(np.repeat(["a", "b"], N // 2)))
    settings = Learn(n_splits=5, models=MODELS)
    for model in MODELS:
        r2 = evaluated(noise, model, "regression", settings).scores.query("metric == 'r2'")["value"].mean()
        assert r2 < 0.05
        scores = evaluated(noise, model, "classification", settings).scores
        assert scores.query("metric == 'balanced_accuracy_percent'")["value"].mean() == pytest.approx(50, abs=10)


def test_scale_and_constant_columns_do_not_matter(problem):
    features, energies, _ = problem
    plain, _ = predicted(problem, MODELS["kernel"], "regression")
    padded = np.column_stack([np.full(N, 0.1), features["soap"] * [1e6, 1, 1e-6, 3, 1], np.zeros(N)])
    wide, _ = fit_and_predict([MODELS["kernel"]], {"soap": padded}, TRAIN, energies[TRAIN], TEST, "regression", seed=1)
    np.testing.assert_allclose(wide, plain, rtol=1e-7)


def test_models_learn_the_targets_that_they_are_for():
    models = {"k": KernelModel(of=("soap",)), "t": RandomisedTrees(of=("soap",), targets=("shear_class",))}
    assert Learn(models=models).models_for("energy") == ["k"]
    assert Learn(models=models).models_for("shear_class") == ["k", "t"]


def test_bad_models_are_named():
    kernel = KernelModel(of=("soap",))
    with pytest.raises(ValidationError, match=r"models.a.models: 'c' is not one of the models \['b'\]"):
        Learn(models={"b": kernel, "a": Average(models=("b", "c"))})
    with pytest.raises(ValidationError, match=r"'a' is not one of the models"):  # no average of averages
        Learn(models={"b": kernel, "c": kernel, "a": Average(models=("b", "c")), "d": Average(models=("a", "b"))})
    with pytest.raises(ValidationError, match="each may be named once"):
        Learn(models={"b": kernel, "a": Average(models=("b", "b"))})
    with pytest.raises(ValueError, match=r"learn.models.k.of: 'soap' is not one of the representations \['st'\]"):
        Learn(models={"k": kernel}).require_representations(["st"])
    for name in ("soap", "random"):
        with pytest.raises(ValueError, match=f"learn.models.{name}: .* choose another"):
            Learn(models={name: kernel}).require_representations(["soap"])
    with pytest.raises(ValueError, match=r"learn.representations: 'x' is not one of the representations"):
        Learn(representations=("soap", "x")).require_representations(["soap"])
    with pytest.raises(ValueError, match=r"learn.learning_curve.representations: 'x' is not one of"):
        Learn(learning_curve=LearningCurve(representations=("x",))).require_representations(["soap"])


def test_classes_that_cannot_be_learned_are_named(problem):
    features, _, _ = problem
    for labels, message in (
        (["a"] * 60, "all training rows are a"),
        (["a"] * 59 + ["z"], "class z has one training row"),
    ):
        with pytest.raises(ValueError, match=message):
            fit_and_predict([MODELS["kernel"]], features, TRAIN, np.array(labels), TEST, "classification", seed=1)
