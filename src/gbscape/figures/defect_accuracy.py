"""Accuracy of models and of established methods on defective structures, as curves and as the thesis's tables 5.1 to 5.3 and
A.1 to A.3 (Leitherer 2021)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from gbscape.figures.columns import require_columns
from gbscape.figures.html_table import write_html_table
from gbscape.figures.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, SKY, VERMILION, draw_message, figure

Table = Literal["5.1", "5.2", "5.3", "A.1", "A.2", "A.3"]

COLUMNS = ["method", "is_model", "classes", "displacement", "missing", "accuracy_percent", "published_percent"]
"""`classes` is "own", of those that the method is made for, or "all". Published figures of ARISE stand beside every model."""
OTHER_COLUMNS = ["method", "classes", "displacement", "missing", "accuracy"]
"""Of tables of established methods: `method` as printed, `accuracy` from 0 to 1."""
MODEL_COLUMNS = ["displacement", "missing", "accuracy"]

METHOD_NAMES = {
    "spglib_loose": "spglib (loose)", "spglib_tight": "spglib (tight)", "ptm": "PTM", "cna": "CNA", "a-cna": "a-CNA", "baa": "BAA",
}  # fmt: skip
"""Established methods as they are printed."""
_COUNT_COLUMNS = ["method", "made_for", "displacement", "missing", "right_space_group", "answers"]
_ARISE = "ARISE"
_HIGH_DISPLACEMENT, _HIGH_MISSING = 0.07, 0.25
"""From these levels on a column is in the second table, not in the first."""
_COLOURS = (BLUE, VERMILION, GREEN, PURPLE)
_OTHER_COLOURS = (ORANGE, SKY, "#8C510A", "#66A61E", "#762A83", GREY)
_CAPTION = """\
Share of right answers in percent, and beneath it the thesis's figure where its text gives one. Displacements are the largest ones \
along an axis in percent of the nearest-neighbour distance. Models: structures with the right class, of all structures of the test \
set. Established methods: atoms (spglib: structures) with the right space group, of periodic structures {classes}. A dash: not \
measured."""


def defect_accuracy_data(
    models: Mapping[str, pd.DataFrame], others: pd.DataFrame | None, published: pd.DataFrame
) -> pd.DataFrame:
    """Accuracies of all methods at all levels of defects, with the published ones, `COLUMNS`.

    Args:
        models: of `gbscape.crystal.evaluation.accuracies`, by the name of the model as it is to be printed.
        others: `OTHER_COLUMNS`; None: no established method was tested.
        published: of `gbscape.crystal.published.published_numbers`.

    Raises:
        ValueError: a column is missing.
    """
    parts = []
    for name, table in models.items():
        require_columns(table, MODEL_COLUMNS, f"the accuracies of {name}")
        parts.append(table[MODEL_COLUMNS].assign(method=name, is_model=True, classes="all"))
    if others is not None:
        require_columns(others, OTHER_COLUMNS, "the accuracies of established methods")
        parts.append(others[OTHER_COLUMNS].assign(is_model=False))
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    data = pd.concat(parts, ignore_index=True)
    data["accuracy_percent"] = 100 * data["accuracy"].astype(float)
    data["subject"] = data["method"].where(~data["is_model"].astype(bool), _ARISE)
    keys = ["subject", "classes", "displacement", "missing"]
    known = published[published["quantity"] == "accuracy"].rename(columns={"value": "published_percent"})
    rounded = {c: lambda frame, c=c: frame[c].astype(float).round(6) for c in ("displacement", "missing")}
    data, known = data.assign(**rounded), known.assign(**rounded)
    return data.merge(known[[*keys, "published_percent"]], on=keys, how="left", validate="many_to_one")[COLUMNS]


def as_models_are_used(accuracies: pd.DataFrame) -> pd.DataFrame:
    """Accuracies of a model as it is used: with its temperature, where it has one.

    Args:
        accuracies: of `gbscape.crystal.judge_model`, which also has those without temperature.
    """
    calibrated = accuracies["calibrated"].astype(bool)
    return accuracies[calibrated if calibrated.any() else ~calibrated]


def method_accuracies(counts: pd.DataFrame) -> pd.DataFrame:
    """Accuracies of established methods at each level of defects, `OTHER_COLUMNS`: over the answers of all classes that they
    are made for, and over those of all.

    Args:
        counts: of `gbscape.crystal.compare_methods.tabulate_scores`.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(counts, _COUNT_COLUMNS, "the answers of established methods")
    keys = ["method", "displacement", "missing"]
    parts = []
    for classes, rows in (("own", counts[counts["made_for"].astype(bool)]), ("all", counts)):
        sums = rows.groupby(keys, sort=False, as_index=False)[["right_space_group", "answers"]].sum()
        parts.append(sums.assign(classes=classes, accuracy=sums["right_space_group"] / sums["answers"]))
    data = pd.concat(parts, ignore_index=True)
    data["method"] = data["method"].replace(METHOD_NAMES)
    return data[OTHER_COLUMNS]


def plot_defect_accuracy(data: pd.DataFrame, path: str | Path) -> None:
    """Draw accuracy against displacement, against missing atoms, and against both together.

    Established methods are drawn on the classes that they are made for; published figures of ARISE are open squares.

    Args:
        data: as `defect_accuracy_data` returns it, or read back from its table.
        path: the picture.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, COLUMNS, "the data of accuracies under defects")
    if data.empty:
        draw_message(path, "No model was tested on defective structures.")
        return
    models = data[data["is_model"].astype(bool)]
    others = data[~data["is_model"].astype(bool) & (data["classes"] == "own")]
    colours = {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(dict.fromkeys(models["method"]))}
    colours |= {name: _OTHER_COLOURS[i % len(_OTHER_COLOURS)] for i, name in enumerate(dict.fromkeys(others["method"]))}
    kinds = ("displaced", "missing", "both")
    drawn = [kind for kind in kinds if len(_of_kind(data, kind))] or list(kinds[:1])
    with figure(path, 2.6 * len(drawn) + 1.5, 5.2) as fig:
        grid = fig.subplots(2, len(drawn), sharex="col", squeeze=False)
        for column, kind in enumerate(drawn):
            for ax in grid[:, column]:
                for frame, style in (
                    (others, {"lw": 1.0, "ms": 3, "ls": (0, (3, 1.5))}),
                    (models, {"lw": 1.6, "ms": 4}),
                ):
                    for name, rows in frame.groupby("method", sort=False):
                        _draw_curve(ax, rows, kind, colours[str(name)], **style)
                if len(models):
                    _draw_published(ax, models, kind)
                ax.grid(axis="y")
            _set_levels(grid[1, column], _level(_of_kind(data, kind), kind))
            grid[1, column].set_xlabel(
                {
                    "displaced": "Displacement (%)",
                    "missing": "Missing atoms (%)",
                    "both": "Displacement, with missing atoms (%)",
                }[kind]
            )
        best = models["accuracy_percent"].min() if len(models) else 0.0
        for ax in grid[0]:
            ax.set_ylim(-3, 103)
        for ax in grid[1]:
            ax.set_ylim(min(99.0, best - 0.1 * (100 - best)), 100 + 0.05 * (100 - min(99.0, best)))
        for ax, text in zip(grid[:, 0], ("Right (%)", "Right (%), enlarged"), strict=True):
            ax.set_ylabel(text)
        handles, labels = _without_repeats(fig.axes)
        fig.legend(handles, labels, loc="outside right upper")


def accuracy_table(data: pd.DataFrame, table: Table) -> pd.DataFrame:
    """One of the thesis's tables: a row for each method, a column for each level of defects, cells of text.

    Tables 5.1 and A.1 are of pristine structures and moderate defects, 5.2 and A.2 of large ones, 5.3 and A.3 of displacements
    and missing atoms together; those of chapter 5 count the classes that a method is made for, those of the appendix all.

    Args:
        data: as `defect_accuracy_data` returns it.
        table: which one.

    Raises:
        ValueError: a column is missing, or another table.
    """
    require_columns(data, COLUMNS, "the data of accuracies under defects")
    if table not in ("5.1", "5.2", "5.3", "A.1", "A.2", "A.3"):
        raise ValueError(f"the thesis's tables of accuracies are 5.1 to 5.3 and A.1 to A.3, got {table!r}")
    is_model = data["is_model"].astype(bool)
    rows = data[is_model | (data["classes"] == ("own" if table.startswith("5") else "all"))]
    displaced, missing = rows["displacement"] > 0, rows["missing"] > 0
    high = (rows["displacement"] >= _HIGH_DISPLACEMENT) | (rows["missing"] >= _HIGH_MISSING)
    wanted = {"1": ~(displaced & missing) & ~high, "2": ~(displaced & missing) & high, "3": displaced & missing}
    rows = rows[wanted[table[-1]]]
    both = rows["displacement"].gt(0) & rows["missing"].gt(0)
    levels = rows.assign(both=both)[["both", "missing", "displacement"]].drop_duplicates()
    levels = levels.sort_values(["both", "missing", "displacement"])
    methods = list(dict.fromkeys([*rows.loc[~rows["is_model"].astype(bool), "method"], *rows["method"]]))
    cells: dict[str, list[str]] = {"Method": methods}
    for level in levels.to_dict("records"):
        d, m = level["displacement"], level["missing"]
        at_level = rows[(rows["displacement"] == d) & (rows["missing"] == m)].set_index("method")
        cells[_level_name(d, m)] = [_cell(at_level, method) for method in methods]
    return pd.DataFrame(cells)


def write_accuracy_table(data: pd.DataFrame, table: Table, path: str | Path) -> None:
    """Write one of the thesis's tables as HTML, see `accuracy_table`.

    Raises:
        ValueError: as `accuracy_table`.
    """
    classes = "of the classes that they are made for" if table.startswith("5") else "of all classes"
    title = {"1": "Accuracy on pristine and defective structures", "2": "Accuracy under large defects",
             "3": "Accuracy under displacements and missing atoms together"}[table[-1]]  # fmt: skip
    write_html_table(path, accuracy_table(data, table), f"{title} (as table {table})", _CAPTION.format(classes=classes))


def _level_name(displacement: float, missing: float) -> str:
    parts = [f"{100 * displacement:g} % displaced"] if displacement > 0 else []
    parts += [f"{100 * missing:g} % missing"] if missing > 0 else []
    return ", ".join(parts) or "Pristine"


def _cell(rows: pd.DataFrame, method: str) -> str:
    if method not in rows.index:
        return "–"
    row = rows.loc[method]
    published = row["published_percent"]
    return f"{row['accuracy_percent']:.2f}" + ("" if pd.isna(published) else f"\nthesis {published:.2f}")


def _of_kind(rows: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Rows of one kind of defects, pristine ones included where there are others."""
    displaced, missing = rows["displacement"] > 0, rows["missing"] > 0
    which = {"displaced": displaced & ~missing, "missing": missing & ~displaced, "both": displaced & missing}[kind]
    return rows[which | ~(displaced | missing)] if which.any() else rows[:0]


def _level(rows: pd.DataFrame, kind: str) -> "pd.Series[float]":
    return 100 * rows["missing" if kind == "missing" else "displacement"].astype(float)


def _draw_curve(ax: Axes, rows: pd.DataFrame, kind: str, colour: str, **style: object) -> None:
    rows = _of_kind(rows, kind)
    x = _level(rows, kind)
    order = x.to_numpy().argsort(kind="stable")
    ax.plot(
        x.iloc[order], rows["accuracy_percent"].iloc[order], color=colour, marker="o", label=str(rows["method"].iloc[0]) if len(rows) else None,
        **style,  # type: ignore[arg-type]
    )  # fmt: skip


def _set_levels(ax: Axes, levels: "pd.Series[float]") -> None:
    """An axis of square roots, on which small levels do not crowd; ticks at levels that leave room between their labels."""
    ax.set_xscale("function", functions=(lambda x: np.sqrt(np.maximum(x, 0)), np.square))
    top = float(levels.max())
    ax.set_xlim(0, 1.05 * top)
    ticks: list[float] = []
    for level in sorted(set(levels), reverse=True):
        if not ticks or np.sqrt(ticks[-1]) - np.sqrt(level) >= 0.09 * np.sqrt(top):
            ticks.append(level)
    ax.set_xticks(ticks, labels=[f"{level:g}" for level in ticks])
    ax.minorticks_off()


def _draw_published(ax: Axes, models: pd.DataFrame, kind: str) -> None:
    known = _of_kind(models, kind).dropna(subset=["published_percent"]).drop_duplicates(["displacement", "missing"])
    ax.plot(
        _level(known, kind), known["published_percent"], ls="", marker="s", ms=6, mfc="none", mec=INK, mew=0.9,
        label="ARISE, thesis",
    )  # fmt: skip


def _without_repeats(axes: list[Axes]) -> tuple[list, list[str]]:
    found: dict[str, Any] = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return list(found.values()), list(found)
