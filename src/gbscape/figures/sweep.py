"""How well a property is learned against the parameters of a sweep."""

import math
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gbscape.figures.columns import require_columns, rows_of_target, single_target
from gbscape.figures.labels import (
    in_usual_order,
    parameter_label,
    representation_colours,
    representation_label,
    target_label,
)
from gbscape.figures.style import draw_message, figure
from gbscape.learn.tables import SCORE_COLUMNS

COLUMNS = [
    "representation", "target", "member", "accuracy_mean_percent", "accuracy_std_percent", "mae_mean_j_m2", "mae_std_j_m2",
    "n_splits",
]  # fmt: skip
"""Followed by a column for each parameter that is swept, empty for the representations that do not have it."""

_PANEL_INCH = 2.7


def sweep_data(scores: pd.DataFrame, target: str) -> pd.DataFrame:
    """Mean and standard deviation over the splits of each member of each sweep, columns `COLUMNS` and the parameters.

    Args:
        scores: columns SCORE_COLUMNS of `gbscape.learn.tables`.
        target: the property.

    Raises:
        ValueError: a column is missing, or there are rows but none of this target.
    """
    require_columns(scores, SCORE_COLUMNS, "the table of scores")
    of_target = rows_of_target(scores, target, "the table of scores")
    rows = []
    for member in in_usual_order(name for name in of_target["representation"] if "~" in name):
        base, *parameters = member.split("~")
        values = of_target[of_target["representation"] == member].pivot_table(
            index="split", columns="metric", values="value"
        )
        row: dict[str, object] = {"representation": base, "target": target, "member": member, "n_splits": len(values)}
        for metric, column in (("accuracy_percent", "accuracy_{}_percent"), ("mae_j_m2", "mae_{}_j_m2")):
            if metric in values:
                row[column.format("mean")] = values[metric].mean()
                row[column.format("std")] = values[metric].std(ddof=0)
        rows.append(row | {key: _number(value) for key, _, value in (text.partition("=") for text in parameters)})
    table = pd.DataFrame(rows)
    return table.reindex(columns=[*COLUMNS, *(name for name in table if name not in COLUMNS)])


def plot_sweep(data: pd.DataFrame, path: str | Path) -> None:
    """Draw a panel for each swept representation: accuracy with its spread against one parameter, or a map over two.

    Of three parameters and more, the last two make the map, and each combination of the others has a panel.

    Args:
        data: as `sweep_data` returns it.
        path: the picture (.svg, .png or .pdf).

    Raises:
        ValueError: a column is missing, or there is more than one target.
    """
    require_columns(data, COLUMNS, "the data of the sweep")
    if data.empty:
        draw_message(path, "No parameter was swept.")
        return
    target = single_target(data, "a picture of sweeps")
    panels = [
        (name, title, rows, parameters)
        for name in in_usual_order(data["representation"])
        for title, rows, parameters in _panels(data[data["representation"] == name])
    ]
    columns = min(3, len(panels))
    lines = math.ceil(len(panels) / columns)
    mapped = pd.concat([rows for _, _, rows, parameters in panels if len(parameters) > 1] or [data])
    limits = float(mapped["accuracy_mean_percent"].min()), float(mapped["accuracy_mean_percent"].max())
    colours = representation_colours(name for name, *_ in panels)
    with figure(path, columns * _PANEL_INCH + 1.0, lines * 2.3 + 0.4) as fig:
        axes = fig.subplots(lines, columns, squeeze=False)
        for ax in axes.flat[len(panels) :]:
            ax.set_visible(False)
        maps = []
        for ax, (name, title, rows, parameters) in zip(axes.flat, panels, strict=False):
            if len(parameters) == 1:
                _draw_line(ax, rows, parameters[0], colours[name])
            else:
                _draw_map(ax, rows, parameters, limits)
                maps.append(ax)
            ax.set_title(fill(f"{representation_label(name)}{title}", 34), fontsize=8)
        _draw_bar(fig, maps, limits)
        fig.suptitle(f"{target_label(target)}: accuracy (%)", fontsize=9)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _panels(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame, list[str]]]:
    """(title, rows, parameters of the axes) of each panel of one representation."""
    parameters = [name for name in rows.columns.difference(COLUMNS, sort=False) if rows[name].notna().any()]
    outer, axes = parameters[:-2], parameters[-2:]
    if not outer:
        return [("", rows, axes)]
    return [
        (", " + ", ".join(parameter_label(f"{k}={v:g}" if isinstance(v, float) else f"{k}={v}") for k, v in zip(outer, values, strict=True)), part, axes)
        for values, part in rows.groupby(outer, sort=False)
    ]  # fmt: skip


def _draw_line(ax: Axes, rows: pd.DataFrame, parameter: str, colour: str) -> None:
    values = rows[parameter]
    x = values.to_numpy(float) if pd.api.types.is_numeric_dtype(values) else np.arange(len(values))
    mean, std = (rows[f"accuracy_{what}_percent"].to_numpy(float) for what in ("mean", "std"))
    ax.errorbar(x, mean, std, color=colour, marker="o", ms=4, lw=1.4, elinewidth=0.8, capsize=2)
    ax.set_xticks(x, [f"{value:g}" if isinstance(value, float) else str(value) for value in values])
    ax.set(xlabel=parameter_label(parameter), ylabel="accuracy (%)")
    ax.grid(axis="y")


def _draw_map(ax: Axes, rows: pd.DataFrame, parameters: Sequence[str], limits: tuple[float, float]) -> None:
    table = rows.pivot_table(index=parameters[0], columns=parameters[1], values="accuracy_mean_percent", sort=False)
    spread = rows.pivot_table(index=parameters[0], columns=parameters[1], values="accuracy_std_percent", sort=False)
    shown: NDArray[np.float64] = table.to_numpy(float)
    ax.imshow(shown, cmap="viridis", vmin=limits[0], vmax=limits[1], aspect="auto", origin="lower")
    middle = (limits[0] + limits[1]) / 2
    for (i, j), value in np.ndenumerate(shown):
        if np.isfinite(value):
            ax.text(
                j, i, f"{value:.1f}\n± {spread.iloc[i, j]:.1f}", ha="center", va="center", fontsize=6.5,
                color="white" if value < middle else "black",
            )  # fmt: skip
    for names, axis, parameter in ((table.columns, ax.xaxis, parameters[1]), (table.index, ax.yaxis, parameters[0])):
        axis.set_ticks(range(len(names)), [f"{n:g}" if isinstance(n, float) else str(n) for n in names])
        axis.set_label_text(parameter_label(parameter))
    ax.tick_params(length=0)


def _draw_bar(fig: Figure, maps: Sequence[Axes], limits: tuple[float, float]) -> None:
    if maps and limits[1] > limits[0]:
        fig.colorbar(maps[0].images[0], ax=list(maps), label="accuracy (%)", shrink=0.8)
