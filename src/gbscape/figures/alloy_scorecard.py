"""Scorecard of the alloy: errors of all that models were asked for, and what the selection of features does to them."""

from pathlib import Path

import pandas as pd

from gbscape.alloy.tables import ASKED_COLUMNS, UNSEEN
from gbscape.figures.alloy_energies import power_law
from gbscape.figures.alloy_style import model_label, models_in_order
from gbscape.figures.columns import require_columns
from gbscape.figures.scorecard import COLUMNS, scorecard_row, write_with_rules

GOAL_MEV = 10.0
FEWEST_DRAWS, FEWEST_ASKED = 3, 5
"""Of a verdict on the selection."""
RULES = f"""\
Sinz et al. (2020) give no numbers in what is at hand of their paper, its abstract. Energies of unseen cells: reached if the mean over the draws of the model that it is about, \
greedy selection averaged over bootstrapped training sets, is at most {GOAL_MEV:g} meV/atom, a goal of our own. Its claim, that the selection of features lowers errors in \
what was never seen: reached if the ratio of the error of models that select to that of models alike that do not (greedy selection to ridge regression, and the means of either over \
bootstrapped training sets), a mean over at least {FEWEST_DRAWS} draws, is below 1 by more than its standard deviation. That is over draws of training cells, which share most of them, and says nothing of how \
few crystals, strained cells or paths were asked for; of fewer than {FEWEST_ASKED}, as of paths, there is no verdict. All other rows have none either."""

SELECTED = "bootstrapped"
EFFECTS = [("bootstrapped", "averaged_ridge"), ("greedy", "ridge"), ("greedy", "unstopped")]
"""Models that are compared: with and without selection, averaged and single; with and without an end of the selection."""
_OF_SELECTION = EFFECTS[:2]


def alloy_scorecard_data(errors: pd.DataFrame, learning_curve: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Return the scorecard, columns `gbscape.figures.scorecard.COLUMNS`.

    Args:
        errors: of `gbscape.alloy.figure_data.tabulate_errors`.
        learning_curve: of `gbscape.alloy.evaluate.learning_curve`.
        cells: predictions of unseen cells of `gbscape.alloy.evaluate`, maybe with spreads.
    """
    require_columns(errors, ASKED_COLUMNS, "the errors")
    rows = [
        scorecard_row("concentrations, cells of a test set", "",
                      f"{cells['concentration'].nunique()}, {len(cells.groupby(['model', 'seed']).get_group(_first(cells)))}"),
    ]  # fmt: skip
    for asked, of_task in errors.groupby("asked", sort=False):
        unit = of_task["unit"].iloc[0]
        for model in models_in_order(of_task["model"]):
            its = of_task[of_task["model"] == model]["error"]
            judged = asked == UNSEEN and model == SELECTED
            rows.append(
                scorecard_row(
                    f"MAE, {asked}, {model_label(model)}",
                    "",
                    f"{its.mean():.1f} {unit}",
                    _spread(its, unit),
                    _goal(its.mean()) if judged else "",
                    f"{of_task.loc[its.index, 'n_features'].mean():.0f} features, {len(its)} draws",
                )
            )
    rows += _effect_rows(errors)
    for model in models_in_order(cells.loc[cells["spread_ev_atom"].notna(), "model"]):
        its = cells[cells["model"] == model]
        error = (its["predicted_ev_atom"] - its["energy_ev_atom"]).abs()
        within = 100 * (error <= its["spread_ev_atom"]).groupby(its["seed"]).mean()
        rows.append(
            scorecard_row(
                f"{UNSEEN} within one standard deviation, {model_label(model)}",
                "",
                f"{within.mean():.0f} %",
                _spread(within, "%"),
                note="68 % if errors are normal and deviations right",
            )
        )
    for model, (exponent, cells_for_half) in power_law(learning_curve).items():
        rows.append(
            scorecard_row(
                f"training cells for half the error, {model_label(model)}",
                "",
                f"{cells_for_half:.0f}" if cells_for_half < 1e6 else "",
                note=f"error goes as the number of cells to the {exponent:.2f}, of {learning_curve['n_train'].max()}",
            )
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def write_alloy_scorecard(data: pd.DataFrame, path: str | Path) -> None:
    """Write the scorecard as an HTML table."""
    write_with_rules(data, path, "Scorecard of the alloy's energies", RULES)


def _effect_rows(errors: pd.DataFrame) -> list[dict[str, object]]:
    rows = []
    for asked, of_task in errors.groupby("asked", sort=False):
        by_model = {name: its.set_index("seed")["error"] for name, its in of_task.groupby("model")}
        n_asked = int(of_task["n_asked"].iloc[0])
        for selecting, other in EFFECTS:
            if not {selecting, other} <= by_model.keys():
                continue
            ratio = (by_model[selecting] / by_model[other]).dropna()
            judged = (selecting, other) in _OF_SELECTION and len(ratio) >= FEWEST_DRAWS and n_asked >= FEWEST_ASKED
            lower = ratio.mean() < 1 - ratio.std()
            rows.append(
                scorecard_row(
                    f"{asked}: error of {model_label(selecting)} over that of {model_label(other)}",
                    "below 1" if judged else "",
                    f"{ratio.mean():.2f}",
                    f"{ratio.std():.2f}" if len(ratio) > 1 else "",
                    ("reached" if lower else "missed") if judged else "",
                    f"below 1 for {int((ratio < 1).sum())} of {len(ratio)} draws, each asked for {n_asked}",
                )
            )
    return rows


def _first(cells: pd.DataFrame) -> tuple[object, object]:
    return cells["model"].iloc[0], cells["seed"].iloc[0]


def _goal(mean_mev: float) -> str:
    return "reached" if mean_mev <= GOAL_MEV else f"missed by {mean_mev - GOAL_MEV:.2f} meV/atom"


def _spread(errors: "pd.Series[float]", unit: str) -> str:
    return f"{errors.std():.1f} {unit}" if len(errors) > 1 else ""
