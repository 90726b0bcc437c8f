"""Scorecard of the atomic energies: what was measured beside what was published, and the verdicts' rules."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from gbscape.figures.columns import require_columns
from gbscape.figures.replica_style import strategy_label
from gbscape.figures.scorecard import COLUMNS, scorecard_row, write_with_rules
from gbscape.replica.tables import ERROR_COLUMNS, PREDICTION_COLUMNS

RULES = """\
Atoms: reached if equal. Components, and the variance of two of them, depend on the model and on the width of SOAP's Gaussians, which is not published: no verdict. \
Errors of the strategies depend on what computes the energies (the paper: DFT) and have no verdict; what the paper claims, that uncertainty reduction beats random \
sampling, has: reached if the ratio of its error to that of Random 1, a mean over the seeds, is below 1. Published numbers for another number of training atoms are left out. Shares within one and two standard deviations: \
reached if no farther than 10 and 5 % from those of a normal distribution. The averaged error falls with the radius: reached if it is lower at 3.5 Å than at the atom."""

_UR, _RANDOM = "uncertainty", "random_1"
_ERRORS = {"rmse_ev": "RMSE", "max_error_ev": "largest error"}
_WITHIN = {1: (68.3, 10.0), 2: (95.5, 5.0)}
_FAR_ANGSTROM = 3.5
_AT_REST_EV_ANGSTROM = 0.05


def replica_scorecard_data(
    summary: pd.DataFrame,
    components: pd.DataFrame,
    n_components: int,
    errors: pd.DataFrame,
    predictions: pd.DataFrame,
    descriptions: pd.DataFrame,
    radii: pd.DataFrame,
    published: pd.DataFrame,
    backend: str,
) -> pd.DataFrame:
    """Return the scorecard, columns `gbscape.figures.scorecard.COLUMNS`.

    Args:
        summary: of `gbscape.replica.predict.summarise_predictions`.
        components: of `gbscape.replica.figure_data.tabulate_components`.
        n_components: of the vectors.
        errors, predictions: of `gbscape.replica.evaluate`.
        descriptions: of `gbscape.replica.figure_data.tabulate_descriptions`.
        radii: of `gbscape.replica.figure_data.tabulate_radii`.
        published: of `gbscape.replica.published.published_numbers`.
        backend: what computed the energies.
    """
    require_columns(errors, ERROR_COLUMNS, "the errors")
    require_columns(predictions, PREDICTION_COLUMNS, "the predictions")
    largest = errors[errors["size"] == errors.groupby("strategy")["size"].transform("max")]
    size = int(largest["size"].max())
    known = {  # numbers for another size of the training set are not comparable
        (its["quantity"], its["strategy"]): its["value"]
        for its in published.to_dict("records")
        if np.isnan(its["size"]) or its["size"] == size
    }
    values = dict(zip(summary["quantity"], summary["value"], strict=True))
    shares = components[["first_share", "second_share"]].iloc[0].sum()
    atoms = known.get(("atoms", ""))
    force = values["largest force"]
    rows = [
        scorecard_row("atoms of the model", _number(atoms), f"{values['atoms']:.0f}",
                      verdict="" if atoms is None else "reached" if values["atoms"] == atoms else "not comparable"),
        scorecard_row("largest force left by the minimisation", "", f"{force:.2f} eV/Å",
                      note="the model is not quite at rest" if force > _AT_REST_EV_ANGSTROM else ""),
        scorecard_row("principal components with 99.99 % of the variance", _number(known.get(("components", ""))),
                      str(n_components)),
        scorecard_row("variance of the first two components",
                      _number(known.get(("variance of the first two components", "")), " %"), f"{100 * shares:.0f} %"),
    ]  # fmt: skip
    rows += _error_rows(largest, known, backend)
    rows += _ratio_rows(largest, known)
    rows += _description_rows(descriptions)
    rows += _calibration_rows(predictions, values)
    rows += _radius_rows(radii, known)
    predicted, exact = (values.get(f"energy of the boundaries, {which}") for which in ("predicted", "exact"))
    if predicted is not None:
        note = "" if exact is None else f"exact: {exact:.3f} J/m²"
        rows.append(scorecard_row("energy of the boundaries per area", "", f"{predicted:.3f} J/m²", note=note))
    return pd.DataFrame(rows, columns=COLUMNS)


def write_replica_scorecard(data: pd.DataFrame, path: str | Path) -> None:
    """Write the scorecard as an HTML table."""
    write_with_rules(data, path, "Scorecard of the atomic energies", RULES)


def _error_rows(largest: pd.DataFrame, known: Mapping[tuple[str, str], float], backend: str) -> list[dict[str, object]]:
    rows = []
    for strategy, its in largest.groupby("strategy", sort=False):
        for column, name in _ERRORS.items():
            published = known.get((name.replace("largest", "max").lower(), str(strategy)))
            rows.append(
                scorecard_row(
                    f"{name} of {strategy_label(str(strategy))}, {its['size'].iloc[0]} training atoms",
                    "" if published is None else f"{1000 * published:.0f} meV",
                    f"{1000 * its[column].mean():.1f} meV",
                    spread=_spread_mev(its[column]),
                    note=f"energies by {backend}, {len(its)} test sets",
                )
            )
    return rows


def _ratio_rows(largest: pd.DataFrame, known: Mapping[tuple[str, str], float]) -> list[dict[str, object]]:
    by_seed = {name: rows.set_index("seed") for name, rows in largest.groupby("strategy")}
    its_size = int(largest.loc[largest["strategy"] == _UR, "size"].max()) if _UR in by_seed else 0
    if not {_UR, _RANDOM} <= by_seed.keys():
        return []
    rows = []
    for column, name in {
        **_ERRORS,
        "rmse_all_ev": "RMSE, all atoms",
        "max_error_all_ev": "largest error, all atoms",
    }.items():
        ratio = (by_seed[_UR][column] / by_seed[_RANDOM][column]).dropna()
        if ratio.empty:
            continue
        key = name.replace("largest", "max").lower()
        ours, theirs = known.get((key, _UR)), known.get((key, _RANDOM))
        rows.append(
            scorecard_row(
                f"{name}: uncertainty reduction over Random 1, {its_size} training atoms",
                "" if ours is None or theirs is None else f"{ours / theirs:.2f}",
                f"{ratio.mean():.2f}",
                spread=f"{ratio.std(ddof=0):.2f}" if len(ratio) > 1 else "",
                verdict="reached" if ratio.mean() < 1 else f"missed by {ratio.mean() - 1:.2f}",
                note=f"below 1 for {int((ratio < 1).sum())} of {len(ratio)} seeds",
            )
        )
    return rows


def _description_rows(descriptions: pd.DataFrame) -> list[dict[str, object]]:
    its = descriptions[descriptions["strategy"] == _UR]
    if its["vectors"].nunique() < 2:
        return []
    return [
        scorecard_row(
            f"RMSE with the vectors {name}, {n_features} components", "", f"{1000 * rows['rmse_ev'].mean():.1f} meV",
            spread=_spread_mev(rows["rmse_ev"]),
            note=f"uncertainty reduction, {rows['size'].iloc[0]} training atoms of its own",
        )
        for (name, n_features), rows in its.groupby(["vectors", "n_features"], sort=False)
    ]  # fmt: skip


def _calibration_rows(predictions: pd.DataFrame, values: Mapping[str, float]) -> list[dict[str, object]]:
    rows = []
    test = predictions[(predictions["set"] == "test") & (predictions["strategy"] == _UR)]
    scaled = (test["predicted_ev"] - test["computed_ev"]).abs() / test["standard_deviation_ev"]
    for number, (normal, tolerance) in _WITHIN.items():
        within = f"atoms within {number} standard deviations"
        of_test = 100 * float((scaled <= number).mean()) if len(test) else None
        for name, share in ((f"test {within}", of_test), (f"all {within}", values.get(within))):
            if share is None:
                continue
            off = abs(share - normal)
            rows.append(
                scorecard_row(
                    name, "", f"{share:.1f} %", verdict="reached" if off <= tolerance else f"missed by {off - tolerance:.1f} %",
                    note=f"normal distribution: {normal} %",
                )
            )  # fmt: skip
    return rows


def _radius_rows(radii: pd.DataFrame, known: Mapping[tuple[str, str], float]) -> list[dict[str, object]]:
    if radii.empty:
        return []
    mean = 1000 * radii.groupby("radius_angstrom")["averaged_error_ev"].mean()
    rows = []
    for radius in (0.0, _FAR_ANGSTROM):
        published = known.get((f"averaged error at {radius:g} Å", _UR))
        measured = float(np.interp(radius, mean.index.to_numpy(float), mean.to_numpy(float)))
        falls = "reached" if measured < mean.iloc[0] else "missed"
        rows.append(
            scorecard_row(
                f"averaged error within {radius:g} Å of the worst test atoms",
                "" if published is None else f"{published:.1f} meV",
                f"{measured:.1f} meV",
                verdict=falls if radius else "",
            )
        )
    return rows


def _spread_mev(errors_ev: "pd.Series[float]") -> str:
    return f"{1000 * errors_ev.std(ddof=0):.1f} meV" if len(errors_ev) > 1 else ""


def _number(value: float | None, unit: str = "") -> str:
    return "" if value is None else f"{value:.10g}{unit}"
