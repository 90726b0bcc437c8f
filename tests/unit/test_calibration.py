"""Reliability, calibration error, temperature and distance in feature space, where the answers are known."""

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import chi

from gbscape.learn.calibration import (
    RELIABILITY_COLUMNS,
    expected_calibration_error,
    fit_temperature,
    reliability,
)
from gbscape.learn.dropout_network import DropoutNetwork, activations
from gbscape.learn.feature_space import KNOWN, class_distance, fit_feature_space, outlier_score


def two_classes(confidence):
    p = np.asarray(confidence, float)
    return np.stack([p, 1 - p], axis=1)


def test_reliability_counts_what_it_should():
    # confidences 0.6 (one of two right), 0.75 (right), 1 (wrong), and 0.9 for the second class (right)
    table = reliability(two_classes([0.6, 0.6, 0.75, 1.0, 0.1]), [0, 1, 0, 1, 1], bins=4)
    assert list(table) == RELIABILITY_COLUMNS
    assert table["count"].tolist() == [0, 0, 2, 3]  # 0.75 is in the upper one
    np.testing.assert_allclose(table["confidence"][2:], [0.6, (0.75 + 1 + 0.9) / 3])
    np.testing.assert_allclose(table["accuracy"][2:], [0.5, 2 / 3])
    assert table["accuracy"][:2].isna().all()
    expected = (2 * 0.1 + 3 * ((0.75 + 1 + 0.9) / 3 - 2 / 3)) / 5
    assert expected_calibration_error(table) == pytest.approx(expected)


@pytest.mark.parametrize(("accuracy", "error"), [(0.8, 0.0), (0.6, 0.2), (1.0, 0.2)])
def test_calibration_error_is_the_gap_of_a_classifier_of_one_confidence(accuracy, error):
    labels = (np.arange(1000) >= 1000 * accuracy).astype(int)
    assert expected_calibration_error(reliability(two_classes(np.full(1000, 0.8)), labels)) == pytest.approx(error)


@pytest.mark.parametrize(
    ("probabilities", "labels", "bins", "message"),
    [
        (np.ones(3) / 3, [0], 5, "n labels"),
        (two_classes([0.5]), [0, 1], 5, "n labels"),
        (np.empty((0, 2)), [], 5, "n labels"),
        ([[0.5, 0.6]], [0], 5, "sum to 1"),
        ([[1.5, -0.5]], [0], 5, "sum to 1"),
        (two_classes([0.5]), [0], 0, "at least one bin"),
    ],
)
def test_bad_probabilities_are_refused(probabilities, labels, bins, message):
    with pytest.raises(ValueError, match=message):
        reliability(probabilities, labels, bins)


@pytest.fixture(scope="module")
def calibrated():
    """Logits (20000, 4), and labels drawn from their softmax."""
    rng = np.random.default_rng(0)
    logits = 1.5 * rng.standard_normal((20_000, 4))
    labels = (softmax(logits, axis=1).cumsum(axis=1) < rng.random((20_000, 1))).sum(axis=1)
    return logits, labels


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_temperature_undoes_a_factor_on_calibrated_logits(calibrated, factor):
    logits, labels = calibrated
    temperature = fit_temperature(factor * logits, labels)
    assert temperature == pytest.approx(factor, rel=0.03)
    before, after = (
        expected_calibration_error(reliability(softmax(factor * logits / t, axis=1), labels)) for t in (1, temperature)
    )
    assert after < 0.012
    assert after < before / 5 or factor == 1


def test_temperature_of_passes_is_that_of_their_mean(calibrated):
    """Passes that are alike change nothing; noise between passes makes their mean less certain, so that it needs less."""
    logits, labels = (part[:4000] for part in calibrated)
    alone = fit_temperature(2 * logits, labels)
    assert fit_temperature(np.stack([2 * logits] * 3), labels) == pytest.approx(alone, rel=1e-3)
    noisy = 2 * logits + 3 * np.random.default_rng(1).standard_normal((10, *logits.shape))
    temperature = fit_temperature(noisy, labels)

    def loss(t):
        p = softmax(noisy / t, axis=2).mean(axis=0)
        return -np.log(p[np.arange(len(labels)), labels]).mean()

    assert loss(temperature) <= min(loss(t) for t in np.linspace(0.2, 6, 60)) + 1e-6


def test_temperature_of_errorless_rows_is_the_lowest(calibrated):
    logits = calibrated[0][:500]
    assert fit_temperature(logits, logits.argmax(axis=1)) == pytest.approx(0.05, rel=0.3)


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.zeros((3, 2)), [0, 1], "n labels"),
        (np.zeros((0, 2)), [], "n labels"),
        ([[np.inf, 0.0]], [0], "finite"),
        (np.zeros((2, 2)), [0, 2], "whole numbers from 0 to 1"),
        (np.zeros((2, 2)), [0.0, 1.0], "whole numbers from 0 to 1"),
    ],
)
def test_bad_logits_are_refused(logits, labels, message):
    with pytest.raises(ValueError, match=message):
        fit_temperature(logits, labels)


@pytest.fixture(scope="module")
def clouds():
    """A network of 3 classes, and rows (3000, 4) around 3 points with one covariance, with labels."""
    rng = np.random.default_rng(0)
    spread = np.array([[1, 0, 0, 0], [0.5, 1, 0, 0], [0, 0.5, 1, 0], [0, 0, 0, 3.0]])
    centres = 30 * rng.standard_normal((3, 4))
    labels = np.arange(3000) % 3
    rows = centres[labels] + rng.standard_normal((3000, 4)) @ spread.T
    return DropoutNetwork(4, (6, 5), 3, 0.1).eval(), rows, labels, centres, spread


def test_distance_is_mahalanobis_distance_to_the_nearest_class(clouds):
    network, rows, labels, centres, spread = clouds
    space = fit_feature_space(network, rows, labels, layer=None, quantile=0.95)
    tried = np.vstack([centres + np.array([0, 0, 0, 5.0]), (centres[0] + centres[1]) / 2])
    difference = np.linalg.solve(spread, (tried[:, None] - centres).reshape(-1, 4).T)
    expected = np.linalg.norm(difference, axis=0).reshape(4, 3).min(axis=1)
    np.testing.assert_allclose(class_distance(network, space, tried), expected, rtol=0.05)
    # distances of a normal distribution in 4 dimensions are chi distributed
    assert space.threshold == pytest.approx(chi(4).ppf(0.95), rel=0.03)
    assert (class_distance(network, space, rows) > space.threshold).mean() == pytest.approx(0.05, abs=0.001)
    far = np.random.default_rng(1).uniform(-300, 300, (200, 4))
    assert (class_distance(network, space, far) > space.threshold).mean() > 0.99


def test_what_is_nearer_to_the_background_is_not_known(clouds):
    network, rows, labels, centres, _ = clouds
    plain = fit_feature_space(network, rows, labels, layer=None)
    step = centres[1] - centres[0]
    # within the threshold of class 0
    edge = centres[0] + 0.4 * plain.threshold / class_distance(network, plain, [centres[0] + step / 2])[0] * step
    other = edge + np.random.default_rng(2).normal(0, 0.01, (50, 4))
    space = fit_feature_space(network, rows, labels, layer=None, background=[other])
    np.testing.assert_array_equal(class_distance(network, space, rows), class_distance(network, plain, rows))
    assert space.threshold == plain.threshold
    tried = np.vstack([centres, edge, 10 * centres])
    np.testing.assert_allclose(
        outlier_score(network, plain, tried), class_distance(network, plain, tried) / plain.threshold
    )
    assert (outlier_score(network, plain, tried) > KNOWN).tolist() == [False] * 4 + [True] * 3
    assert (outlier_score(network, space, tried) > KNOWN).tolist() == [False] * 3 + [True] * 4


def test_a_hidden_layer_is_a_feature_space(clouds):
    network, rows, labels, _, _ = clouds
    last = fit_feature_space(network, rows, labels)
    assert last.layer == 1
    assert last.whitening.shape == (5, 5)
    assert last.means.shape == (3, 5)
    hidden = activations(network, rows)[1]
    bare = DropoutNetwork(5, (2,), 3, 0.1)
    direct = fit_feature_space(bare, hidden, labels, layer=None)
    np.testing.assert_allclose(
        class_distance(network, last, rows[:20]), class_distance(bare, direct, hidden[:20]), rtol=1e-4
    )
    held_out = fit_feature_space(network, rows, labels, quantile=1.0, held_out=rows[:10])
    assert held_out.threshold == pytest.approx(class_distance(network, last, rows[:10]).max())


def test_bad_feature_spaces_are_refused(clouds):
    network, rows, labels, _, _ = clouds
    for arguments, message in (
        ({"layer": 2}, "no hidden layer 2"),
        ({"quantile": 0}, r"in \(0, 1\]"),
        ({"labels": np.zeros(3000, int)}, "all classes from 0 to 2 occur"),
        ({"labels": labels[:10]}, "labels must be 3000 numbers"),
        ({"features": np.eye(3, 4)[labels], "layer": None}, "all alike"),
    ):
        given = {"network": network, "features": rows, "labels": labels} | arguments
        with pytest.raises(ValueError, match=message):
            fit_feature_space(**given)
