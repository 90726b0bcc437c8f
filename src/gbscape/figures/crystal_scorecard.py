"""Scorecard of the crystal classification: what was measured beside what was published, and the verdicts' rules."""

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from gbscape.crystal.annealing import change_at
from gbscape.figures.columns import require_columns
from gbscape.figures.scorecard import COLUMNS, scorecard_row, write_with_rules

RULES = """\
Accuracies of models: reached if no lower than the larger of the published number and the goal, after rounding to two digits \
as published; elsewhere than on all 108 classes: not comparable. Those of established methods, which are to agree, have no verdict, for they depend on the versions of the \
programs: the note says how far apart they are. Goals that have no published number: reached if no lower. Numbers of atoms, boxes and \
clusters: reached if equal; only maps that bear the name of the published sample are compared. Structures: reached if the \
most likely class is the published one. Clusters where grains or phases are known: reached if the adjusted Rand index, over the boxes in a cluster, is at least \
0.9. Boundaries, in known samples: reached if the mutual information tells boxes across a boundary from those inside with an area \
under the ROC curve of at least 0.7 (0.5: chance). Ranks of classes by their number of boxes, which follow from the thesis's text: reached if equal. \
Annealing: reached if the mutual information falls. Precipitate: reached if it is found, with an intersection over union of at least 0.5. \
Shares of confident labels among boxes of no class, and calibration errors, were not published."""

GOALS_PERCENT: Mapping[tuple[float, float], float] = {
    (0.0, 0.0): 100.0, (0.01, 0.0): 100.0, (0.1, 0.0): 98.0, (0.0, 0.3): 99.9,
}  # fmt: skip
"""Goals of the accuracy of models, by displacement and fraction of missing atoms."""

_PUBLISHED_CLASSES = 108
_ROUNDING = 0.005  # accuracies are published with two digits
_AGREES, _SEEN, _FOUND = 0.9, 0.7, 0.5
_OF_NO_CLASS = ("gas", "gas without close pairs", "liquid")
_WITH_DISTANCE = "probability_and_distance"
_OF_BACKGROUND = "; the distance was set by other boxes of such gases"
_RULE_NAMES = {
    "probability": "by probability alone",
    "mutual_information": "by mutual information alone",
    _WITH_DISTANCE: "by probability and distance",
}
_AUC = "area under the ROC curve of mutual information at boundaries"
_RATIO = "mean mutual information at boundaries over that inside"
_OVERLAP = "precipitate, intersection over union"
_INTERPOLATED_RIGHT = "interpolated boxes of the right class"
_INTERPOLATED_ERROR = "mean error of interpolated mutual information"
_AS_PERCENT = ("accuracy inside grains", _INTERPOLATED_RIGHT)
_LABELLED = "boxes labelled "
_RANK = "rank of "


def crystal_scorecard_data(
    accuracies: pd.DataFrame | None,
    calibration: Mapping[str, pd.DataFrame],
    confident: Mapping[str, pd.DataFrame],
    summaries: Mapping[str, pd.DataFrame],
    agreements: Mapping[str, pd.DataFrame],
    annealing: pd.DataFrame | None,
    ranking: pd.DataFrame | None,
    published: pd.DataFrame,
    n_classes: int,
) -> pd.DataFrame:
    """Return the scorecard, columns `gbscape.figures.scorecard.COLUMNS`.

    Args:
        accuracies: of `gbscape.figures.defect_accuracy.defect_accuracy_data`; None: nothing was tested.
        calibration, confident: tables of `gbscape.crystal.judge_model`, by the name of the model.
        summaries: of `gbscape.crystal.map_summary.map_summary`, by the name of the map.
        agreements: of `gbscape.crystal.cluster_boxes.agreement_table`, by the name of the map.
        annealing: of `gbscape.crystal.annealing.cumulative_change`; None: no series.
        ranking: of `gbscape.crystal.rank_structures.rank_structures`; None: no structures.
        published: of `gbscape.crystal.published.published_numbers`.
        n_classes: number of classes that were tested.
    """
    rows = _accuracy_rows(accuracies, n_classes) if accuracies is not None else []
    for model, table in calibration.items():
        rows += _calibration_rows(model, table)
    for model, table in confident.items():
        rows += _confident_rows(model, table)
    for name, table in summaries.items():
        rows += _map_rows(name, table, published[published["subject"].map(slug) == slug(name)])
    for name, table in agreements.items():
        rows += _agreement_rows(name, table, published[published["subject"].map(slug) == slug(name)])
    if annealing is not None:
        rows += _annealing_rows(annealing)
    if ranking is not None:
        rows += _structure_rows(ranking, published)
    return pd.DataFrame(rows, columns=COLUMNS)


def write_crystal_scorecard(data: pd.DataFrame, path: str | Path) -> None:
    """Write the scorecard as an HTML table."""
    write_with_rules(data, path, "Scorecard of the crystal classification", RULES)


def slug(name: str) -> str:
    """A name in small letters with an underscore for all that is neither letter nor digit: `STEM image, graphene` becomes
    `stem_image_graphene`. Maps and structures whose names are those of published ones are compared with these.
    """
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _accuracy_rows(accuracies: pd.DataFrame, n_classes: int) -> list[dict[str, object]]:
    require_columns(
        accuracies,
        ["method", "is_model", "classes", "displacement", "missing", "accuracy_percent", "published_percent"],
        "the accuracies under defects",
    )
    rows = []
    for r in accuracies.to_dict("records"):
        goal = GOALS_PERCENT.get((r["displacement"], r["missing"])) if r["is_model"] else None
        known = not pd.isna(r["published_percent"])
        if goal is None and not known:
            continue
        measured = f"{r['accuracy_percent']:.2f} %"
        published = f"{r['published_percent']:.2f} %" if known else ""
        if r["is_model"]:
            wanted = max(x for x in (goal, r["published_percent"]) if x is not None and not pd.isna(x))
            short = wanted - r["accuracy_percent"]
            verdict = "reached" if short <= _ROUNDING else f"missed by {short:.2f} %"
            above = goal is not None and (not known or goal > r["published_percent"])
            note = f"goal {goal:g} %" if above else ""
        else:
            verdict, note = "", f"differs by {r['accuracy_percent'] - r['published_percent']:+.2f} %"
        if n_classes != _PUBLISHED_CLASSES:
            verdict, note = "not comparable", f"{n_classes} classes, the thesis has {_PUBLISHED_CLASSES}"
        whose = "model " if r["is_model"] else ""
        of = "" if r["is_model"] else ", of its own classes" if r["classes"] == "own" else ", of all classes"
        item = f"Accuracy, {whose}{r['method']}{of}, {_level(r['displacement'], r['missing'])}"
        rows.append(scorecard_row(item, published, measured, "", verdict, note))
    return rows


def _level(displacement: float, missing: float) -> str:
    parts = [f"{100 * displacement:g} % displacement"] if displacement > 0 else []
    parts += [f"{100 * missing:g} % missing"] if missing > 0 else []
    return " and ".join(parts) or "pristine"


def _calibration_rows(model: str, table: pd.DataFrame) -> list[dict[str, object]]:
    rows = []
    for r in table[table["defect"] == "all"].to_dict("records"):
        rows.append(
            scorecard_row(
                f"Expected calibration error, model {model}, {_temperature(r['calibrated'])}",
                "",
                f"{100 * r['expected_calibration_error']:.2f} %",
                "",
                "",
                f"{r['rows']} defective structures, {100 * r['accuracy']:.2f} % right",
            )
        )
    return rows


def _confident_rows(model: str, table: pd.DataFrame) -> list[dict[str, object]]:
    chosen = table[table["boxes"].isin(_OF_NO_CLASS)]
    return [
        scorecard_row(
            f"Confident labels among boxes of {r['boxes']}, model {model}, {_temperature(r['calibrated'])}, "
            f"{_RULE_NAMES.get(r['rule'], r['rule'])}",
            "",
            f"{100 * r['confident']:.1f} %",
            "",
            "",
            f"{r['n']} boxes" + (_OF_BACKGROUND if r["rule"] == _WITH_DISTANCE and r["boxes"] != "liquid" else ""),
        )
        for r in chosen.to_dict("records")
    ]


def _temperature(calibrated: object) -> str:
    return "calibrated" if str(calibrated) == "True" else "as trained"


def _map_rows(name: str, summary: pd.DataFrame, published: pd.DataFrame) -> list[dict[str, object]]:
    known = dict(zip(published["quantity"], published["value"], strict=True))
    rows = []
    for r in summary.to_dict("records"):
        quantity, value = str(r["quantity"]), float(r["value"])
        note = f"{r['boxes']} boxes"
        if quantity in known:
            verdict = "reached" if value == known[quantity] else f"missed by {abs(value - known[quantity]):g}"
            if quantity.startswith(_LABELLED):
                verdict = ""
            rows.append(scorecard_row(f"Map {name}, {quantity}", f"{known[quantity]:g}", f"{value:g}", "", verdict))
        elif quantity == "boxes":
            rows.append(scorecard_row(f"Map {name}, {quantity}", "", f"{value:g}", "", ""))
        elif quantity == "boxes computed":
            note = f"of {r['boxes']} classified, the others are interpolated"
            rows.append(scorecard_row(f"Map {name}, {quantity}", "", f"{value:g}", "", "", note))
        elif quantity == _INTERPOLATED_ERROR:
            rows.append(scorecard_row(f"Map {name}, {quantity}", "", f"{value:.4f} bits", "", "", note))
        elif quantity in (_AUC, _RATIO, _OVERLAP, *_AS_PERCENT):
            least = {_AUC: _SEEN, _OVERLAP: _FOUND}.get(quantity)
            verdict = "" if least is None else "reached" if value >= least else f"missed by {least - value:.2f}"
            measured = f"{100 * value:.2f} %" if quantity in _AS_PERCENT else f"{value:.3f}"
            goal = "" if least is None else f"goal {least:g}"
            rows.append(scorecard_row(f"Map {name}, {quantity}", goal, measured, "", verdict, note))
    return rows + _rank_rows(name, summary, known)


def _rank_rows(name: str, summary: pd.DataFrame, known: Mapping[str, float]) -> list[dict[str, object]]:
    labelled = summary[summary["quantity"].str.startswith(_LABELLED)]  # the most frequent class first
    labels = [str(quantity).removeprefix(_LABELLED) for quantity in labelled["quantity"]]
    note = ", ".join(f"{label} {value:g}" for label, value in zip(labels, labelled["value"], strict=True))
    rows = []
    for quantity, wanted in known.items():
        if quantity.startswith(_RANK):
            label = quantity.removeprefix(_RANK)
            rank = str(labels.index(label) + 1) if label in labels else f"none of the first {len(labels)}"
            verdict = "reached" if rank == f"{wanted:g}" else "not reproduced"
            item = f"Map {name}, rank of {label} by number of boxes"
            rows.append(scorecard_row(item, f"{wanted:g}", rank, "", verdict, note))
    return rows


def _annealing_rows(change: pd.DataFrame) -> list[dict[str, object]]:
    return [
        scorecard_row(
            f"Annealing, {r['from_minutes']:g} to {r['to_minutes']:g} minutes, change of mutual information",
            "falls",
            f"{100 * r['fractional_change']:+.1f} %",
            "",
            "reached" if r["fractional_change"] < 0 else "not reproduced",
            f"medians of shells up to {r['radius_angstrom']:g} Angstrom, summed",
        )
        for r in change_at(change).to_dict("records")
    ]


def _agreement_rows(name: str, table: pd.DataFrame, published: pd.DataFrame) -> list[dict[str, object]]:
    clusters = published.loc[published["quantity"] == "clusters", "value"]
    rows = []
    for r in table.to_dict("records"):
        layer = str(r["layer"]).replace("_", " ")
        if r["points_inside"]:
            rows.append(_rand_index_row(f"Map {name}, clusters of {layer}", r))
        if len(clusters):
            wanted, number = int(clusters.iloc[0]), int(r["clusters"])
            verdict = "reached" if number == wanted else f"missed by {abs(number - wanted)}"
            rows.append(scorecard_row(f"Map {name}, clusters of {layer}", wanted, number, "", verdict))
    return rows


def _rand_index_row(whose: str, r: Mapping[str, float]) -> dict[str, object]:
    found = r["adjusted_rand_index_clustered"]
    verdict = "reached" if found >= _AGREES else f"missed by {_AGREES - found:.2f}" if found == found else "missed"
    return scorecard_row(
        f"{whose}, adjusted Rand index with the true grains or phases",
        f"goal {_AGREES:g}",
        f"{found:.3f}",
        "",
        verdict,
        f"with outliers as a cluster {r['adjusted_rand_index']:.3f}; outliers inside {100 * r['outliers_inside']:.1f} %, "
        f"elsewhere {100 * r['outliers_between']:.1f} %",
    )


def _structure_rows(ranking: pd.DataFrame, published: pd.DataFrame) -> list[dict[str, object]]:
    rows = []
    subjects = published["subject"].map(slug)
    for name, ranked in ranking.groupby("structure", sort=False):
        known = published[subjects == slug(str(name))]
        classes = known[known["quantity"].str.startswith("probability of ")]
        first = ranked.sort_values("rank").iloc[0]
        by_slug = ranked.set_index(ranked["label"].map(slug))["probability"]
        for number, (row, value) in enumerate(zip(classes.to_dict("records"), classes["value"], strict=True)):
            label = str(row["quantity"]).removeprefix("probability of ")
            measured = by_slug.get(slug(label))
            verdict, note = "", ""
            if number == 0:  # the most likely class comes first in the table
                right = slug(str(first["label"])) == slug(label)
                verdict = "reached" if right else "not reproduced"
                note = "" if right else f"{first['label']}: {100 * first['probability']:.1f} %"
            about = "about " if row["exact"] == "about" else ""
            rows.append(
                scorecard_row(
                    f"Structure {name}, probability of {label}",
                    f"{about}{value:g} %",
                    "no such class" if measured is None else f"{100 * measured:.2f} %",
                    "",
                    verdict,
                    note,
                )
            )
        if classes.empty:
            rows.append(
                scorecard_row(
                    f"Structure {name}, most likely class",
                    "",
                    str(first["label"]),
                    "",
                    "",
                    f"probability {100 * first['probability']:.1f} %",
                )
            )
        information = known.loc[known["quantity"] == "mutual information", "value"]
        measured_bits = f"{first['mutual_information_bits']:.4f} bits"
        of_thesis = f"{information.iloc[0]:g}" if len(information) else ""
        rows.append(scorecard_row(f"Structure {name}, mutual information", of_thesis, measured_bits, "", ""))
    return rows
