"""Tables about a model: against what was put in, and on the small model."""

import numpy as np
import pandas as pd
import pytest

from gbscape.config.crystal_descriptor import CrystalDescriptor, DefectGrid
from gbscape.crystal.descriptor import describe
from gbscape.crystal.evaluation import (
    ACCURACY_COLUMNS,
    RULES,
    Judged,
    accuracies,
    calibration,
    confident_labels,
    confident_shares,
    judge,
)
from gbscape.crystal.training_set import SPECIMEN_COLUMNS, Rows, defective_features, gas_boxes
from tests.unit.conftest import CLASSES

LEVELS = DefectGrid(displacements=(0.02, 0.1), missing=(0.1, 0.3), repeats=1)


def judged_as(labels, confidence=0.95, information=0.02, classes=("a", "b", "c"), known=None):
    """Probabilities that give these labels."""
    p = np.full((len(labels), len(classes)), (1 - confidence) / (len(classes) - 1))
    p[np.arange(len(labels)), [classes.index(label) for label in labels]] = confidence
    return Judged(classes, p.astype(np.float32), np.full(len(labels), information), None, known)


@pytest.fixture(scope="module")
def rows(elemental):
    records = {label: defective_features(elemental[label], LEVELS, CrystalDescriptor()) for label in CLASSES}
    features = np.concatenate([record.pop("features") for record in records.values()])
    table = pd.concat([pd.DataFrame({"label": k} | record) for k, record in records.items()], ignore_index=True)
    return Rows(features, table)


@pytest.fixture(scope="module")
def judged(model, rows):
    return judge(model, rows.features, passes=60)


def test_accuracies_are_counted_right():
    table = pd.DataFrame(
        {"label": list("aabbc"), "displacement": [0, 0, 0.1, 0.1, 0.1], "missing": [0.2, 0.2, 0.2, 0.2, 0]}
    )
    found = accuracies(judged_as(list("abbac")), table)
    assert found.columns.tolist() == ACCURACY_COLUMNS
    assert found["defect"].tolist() == ["missing", "both", "displaced"]
    assert found["rows"].tolist() == [2, 2, 1]
    assert found["accuracy"].tolist() == [0.5, 0.5, 1.0]
    by_class = accuracies(judged_as(list("abbac")), table, by_class=True)
    assert by_class[["label", "rows", "accuracy"]].to_numpy().tolist() == [["a", 2, 0.5], ["b", 2, 0.5], ["c", 1, 1.0]]
    pristine = accuracies(judged_as(list("aab")), pd.DataFrame({"label": list("aaa")}))
    assert pristine[["defect", "rows"]].to_numpy().tolist() == [["pristine", 3]]
    assert pristine["accuracy"].item() == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="3 rows were judged, but the table has 5"):
        accuracies(judged_as(list("aab")), table)


def test_the_model_withstands_defects(judged, rows):
    found = accuracies(judged, rows.table).set_index(["displacement", "missing"])
    assert len(found) == 6
    assert found.loc[(0.02, 0.0), "accuracy"] > 0.95
    assert found["rows"].sum() == len(rows.table)
    information = found["mutual_information_bits"]
    assert information[(0.1, 0.0)] > information[(0.02, 0.0)]
    by_class = accuracies(judged, rows.table, by_class=True)
    assert len(by_class) == 6 * len(CLASSES)
    weighted = by_class.assign(right=by_class["rows"] * by_class["accuracy"]).groupby(["displacement", "missing"]).sum()
    np.testing.assert_allclose((weighted["right"] / weighted["rows"]).loc[found.index], found["accuracy"])


def test_calibration_is_that_of_each_kind(judged, rows):
    diagram, table = calibration(judged, rows.table)
    assert diagram["count"].sum() == len(rows.table)
    assert table["defect"].tolist() == ["displaced", "missing", "both", "all"]
    whole = table.set_index("defect").loc["all"]
    assert whole["rows"] == len(rows.table) == table["rows"].iloc[:-1].sum()
    assert whole["accuracy"] == pytest.approx((judged.labels == rows.table["label"]).mean())
    # always 95 % sure, right half of the time
    half = judged_as(list("abab"))
    _, table = calibration(half, pd.DataFrame({"label": list("aaaa")}))
    assert table["defect"].tolist() == ["pristine", "all"]
    assert table["expected_calibration_error"].tolist() == pytest.approx([0.45, 0.45])
    with pytest.raises(ValueError, match="no class here"):
        calibration(half, pd.DataFrame({"label": list("aaax")}))


def test_confident_labels_by_each_rule():
    known = np.array([True, False, True])
    sure = judged_as(list("abc"), 0.95, 0.02, known=known)
    found = confident_labels(sure)
    assert tuple(found) == RULES
    assert found["probability"].tolist() == [True] * 3
    assert found["mutual_information"].tolist() == [True] * 3
    assert found["probability_and_distance"].tolist() == [True, False, True]
    assert not confident_labels(sure, 0.96, 0.01)["probability"].any()
    assert not confident_labels(sure, 0.96, 0.01)["mutual_information"].any()
    assert "probability_and_distance" not in confident_labels(judged_as(list("abc")))


def test_a_gas_is_known_by_its_distance(model, judged):
    described = describe(gas_boxes(20, 14.0, 2.5, 0.6), CrystalDescriptor())
    assert not described.reasons
    gas = judge(model, described.vectors, passes=60)
    table = confident_shares({"gas": gas, "crystals": judged}).set_index(["boxes", "rule"])["confident"]
    assert table["gas", "probability_and_distance"] == 0.0
    assert table["crystals", "probability_and_distance"] > 0.5
    assert table["gas", "probability"] >= table["gas", "probability_and_distance"]


def test_a_temperature_of_1_is_the_published_behaviour(model, rows, judged):
    hot = judge(model, rows.features, passes=60, temperature=3.0)
    np.testing.assert_array_equal(
        judge(model, rows.features, passes=60, temperature=1.0).probabilities, judged.probabilities
    )
    assert hot.probabilities.max(axis=1).mean() < judged.probabilities.max(axis=1).mean()


def test_tables_name_what_structures_there_are(rows):
    assert set(SPECIMEN_COLUMNS) < set(rows.table.columns)
