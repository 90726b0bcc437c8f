"""Pictures and scorecard of the alloy, from made-up tables."""

import numpy as np
import pandas as pd
import pytest

from gbscape.alloy.tables import (
    ASKED_COLUMNS,
    BARRIER_COLUMNS,
    ERROR_COLUMNS,
    MODULUS_COLUMNS,
    PREDICTION_COLUMNS,
    SIZE_COLUMNS,
)
from gbscape.figures import alloy_energies, alloy_extrapolation
from gbscape.figures.alloy_scorecard import alloy_scorecard_data, write_alloy_scorecard
from gbscape.figures.scorecard import COLUMNS

MODELS = ("bootstrapped", "averaged_ridge", "soap ridge")


EFFECT = "elastic moduli: error of greedy, bootstrapped ensemble over that of ridge, bootstrapped ensemble"


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def predictions(rng):
    rows = [
        [model, seed, f"cell_{number}", ratio, -3 - ratio + 0.05 * number, -3 - ratio + 0.05 * rng.normal(), spread]
        for model, spread in zip(MODELS, (0.01, np.nan, 0.02), strict=True)
        for seed in range(2)
        for number, ratio in enumerate((0.5, 0.5, 2.0))
    ]
    return pd.DataFrame(rows, columns=PREDICTION_COLUMNS)


@pytest.fixture
def curve():
    """Errors that fall as the square root of the number of cells."""
    rows = [
        ["unseen cells", model, seed, n, 3, 20, 100 / np.sqrt(n), 0]
        for model in MODELS
        for seed in range(2)
        for n in (10, 20, 40, 80)
    ]
    return pd.DataFrame(rows, columns=ERROR_COLUMNS)


@pytest.fixture
def asked():
    rows = [
        [what, model, seed, 20, 9, factor * base + seed, unit]
        for what, base, unit in (("unseen cells", 8, "meV/atom"), ("elastic moduli", 20, "GPa"))
        for model, factor in zip(MODELS, (1.0, 2.0, 1.5), strict=True)
        for seed in range(3)
    ]
    return pd.DataFrame(rows, columns=ASKED_COLUMNS)


def test_parity(predictions, tmp_path):
    alloy_energies.plot_alloy_parity(predictions, tmp_path / "parity.svg")
    text = (tmp_path / "parity.svg").read_text()
    assert text.count("MAE") == 3
    with pytest.raises(ValueError, match="spread_ev_atom"):
        alloy_energies.plot_alloy_parity(predictions.drop(columns="spread_ev_atom"), tmp_path / "other.svg")


def test_errors_by_size(tmp_path):
    rows = [
        [way, seed, n, 50 / (n + 1), 60 / (n + 1) + n]
        for way in ("greedy", "random")
        for seed in range(2)
        for n in range(4)
    ]
    alloy_energies.plot_alloy_sizes(pd.DataFrame(rows, columns=SIZE_COLUMNS), tmp_path / "sizes.svg")
    assert "Unseen cells" in (tmp_path / "sizes.svg").read_text()


def test_learning_curve_and_its_power_law(curve, tmp_path):
    alloy_energies.plot_alloy_learning_curve(curve, tmp_path / "curve.svg")
    assert (tmp_path / "curve.svg").exists()
    for exponent, cells in alloy_energies.power_law(curve).values():
        assert exponent == pytest.approx(-0.5)
        assert cells == pytest.approx(320)  # four times as many for half the error
    flat = curve.assign(mae_mev=5.0)
    assert all(np.isinf(cells) for _, cells in alloy_energies.power_law(flat).values())


def test_moduli_far_away_are_at_the_rim(tmp_path):
    rows = [
        ["Si", modulus, model, seed, 20, 90.0, 9e4 if model == "averaged_ridge" else 95.0 + seed]
        for modulus in ("bulk", "shear", "young")
        for model in MODELS
        for seed in range(2)
    ]
    data = pd.DataFrame(rows, columns=MODULUS_COLUMNS)
    alloy_extrapolation.plot_moduli(data, tmp_path / "moduli.svg")
    assert "MAE 89910 GPa" in (tmp_path / "moduli.svg").read_text()
    alloy_extrapolation.plot_moduli(data[:0], tmp_path / "none.svg")
    assert "No model was asked" in (tmp_path / "none.svg").read_text()


def test_barriers(tmp_path):
    rows = [
        ["hop", image, 0.5 * image, model, seed, 20, 0.3 * np.sin(image), 0.4 * np.sin(image)]
        for image in range(4)
        for model in MODELS
        for seed in range(2)
    ]
    data = pd.DataFrame(rows, columns=BARRIER_COLUMNS)
    alloy_extrapolation.plot_barriers(data, tmp_path / "barriers.svg")
    assert "DFT" in (tmp_path / "barriers.svg").read_text()
    alloy_extrapolation.plot_barriers(data[:0], tmp_path / "none.svg")
    assert "No model was asked" in (tmp_path / "none.svg").read_text()


def test_errors_of_all_that_was_asked(asked, tmp_path):
    alloy_extrapolation.plot_alloy_errors(asked, tmp_path / "errors.svg")
    assert "elastic moduli" in (tmp_path / "errors.svg").read_text()


def test_scorecard(asked, curve, predictions, tmp_path):
    card = alloy_scorecard_data(asked, curve, predictions)
    assert list(card) == COLUMNS
    card = card.set_index("item")
    assert card.loc["concentrations, cells of a test set", "measured"] == "2, 3"
    whole = card.loc["MAE, unseen cells, greedy, bootstrapped ensemble"]
    assert (whole["measured"], whole["verdict"]) == ("9.0 meV/atom", "reached")
    assert card.loc["MAE, unseen cells, ridge, bootstrapped ensemble", "verdict"] == ""
    ratio = card.loc[EFFECT]
    assert ratio["verdict"] == "reached"
    assert float(ratio["measured"]) == pytest.approx(np.mean([20 / 40, 21 / 41, 22 / 42]), abs=0.01)
    assert ratio["note"] == "below 1 for 3 of 3 draws, each asked for 9"
    within = [item for item in card.index if "within one standard deviation" in item]
    assert within == [  # of those that tell one
        "unseen cells within one standard deviation, greedy, bootstrapped ensemble",
        "unseen cells within one standard deviation, SOAP, ridge",
    ]
    its = predictions[predictions["model"] == "bootstrapped"]
    inside = (its["predicted_ev_atom"] - its["energy_ev_atom"]).abs() <= its["spread_ev_atom"]
    assert card.loc[within[0], "measured"] == f"{100 * inside.mean():.0f} %"
    assert card.loc["training cells for half the error, SOAP, ridge", "measured"] == "320"
    worse = asked.assign(error=asked["error"] * np.where(asked["model"] == "bootstrapped", 5, 1))
    card = alloy_scorecard_data(worse, curve, predictions).set_index("item")
    assert card.loc["MAE, unseen cells, greedy, bootstrapped ensemble", "verdict"] == "missed by 35.00 meV/atom"
    assert card.loc[EFFECT, "verdict"] == "missed"
    for too_little in (asked[asked["seed"] < 2], asked.assign(n_asked=4)):
        card = alloy_scorecard_data(too_little, curve, predictions).set_index("item")
        assert (card.loc[EFFECT, "published"], card.loc[EFFECT, "verdict"]) == ("", "")
    write_alloy_scorecard(card.reset_index(), tmp_path / "card.html")
    assert "Rules of the verdicts" in (tmp_path / "card.html").read_text()
