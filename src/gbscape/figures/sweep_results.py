"""Numbers of the scorecards of a sweep's points against the settings that are swept over."""

import re
from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from gbscape.figures.columns import require_columns
from gbscape.figures.labels import parameter_label
from gbscape.figures.panels import panel_grid
from gbscape.figures.style import draw_message

COLUMNS = ["item", "unit", "setting", "value", "others", "measured", "spread"]
"""`setting` and its `value` are along the axis, `others` are the remaining ones as text."""

MOST_PANELS = 24


def sweep_results_data(table: pd.DataFrame) -> pd.DataFrame:
    """The numbers that differ between points, columns `COLUMNS`, in the order of the table.

    Args:
        table: as `gbscape.sweeps.results.tabulate_sweep` returns it.

    Raises:
        ValueError: it has no column `folder`, or no setting before it.
    """
    require_columns(table, ["folder"], "the table of the sweep")
    columns = list(table)
    settings, items = columns[: columns.index("folder")], columns[columns.index("folder") + 1 :]
    if not settings:
        raise ValueError("the table of the sweep has no setting before its column 'folder'")
    along = max(settings, key=lambda name: table[name].nunique())
    # What changes together with another setting is told by it.
    others = [name for name in settings if name != along and table.groupby(along)[name].nunique().max() > 1]
    rows = []
    for column in items:
        item, unit = re.fullmatch(r"(.*?)(?: \[(.*)\])?", column).groups("")  # type: ignore[union-attr]
        if item.endswith(", spread") or table[column].nunique() < 2:
            continue
        spread = f"{item}, spread [{unit}]" if unit else f"{item}, spread"
        for _, point in table.iterrows():
            rows.append(
                {
                    "item": item,
                    "unit": unit,
                    "setting": along,
                    "value": point[along],
                    "others": ", ".join(f"{name}={_text(point[name])}" for name in others),
                    "measured": point[column],
                    "spread": point.get(spread, np.nan),
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def plot_sweep_results(data: pd.DataFrame, path: str | Path) -> None:
    """Draw a panel for each number, with a line for each combination of the other settings.

    Args:
        data: as `sweep_results_data` returns it; of more than `MOST_PANELS` numbers the first are drawn.
        path: the picture (.svg, .png or .pdf).

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, COLUMNS, "the data of the sweep")
    if data.empty:
        draw_message(path, "No number of the scorecards differs between the points.")
        return
    data = data.fillna({"unit": "", "others": ""})
    items = list(dict.fromkeys(data["item"]))[:MOST_PANELS]
    lines = list(dict.fromkeys(data["others"]))
    colours = dict(zip(lines, colormaps["viridis"](np.linspace(0, 0.85, len(lines))), strict=True))
    ticks = list(dict.fromkeys(data["value"].sort_values()))
    setting = str(data["setting"].iloc[0])
    with panel_grid(path, len(items), 2.9, 2.1, share_y=False) as (fig, axes):
        for ax, item in zip(axes, items, strict=True):
            rows = data[data["item"] == item]
            for other, line in rows.groupby("others", sort=False):
                _draw_line(ax, line, ticks, colours[str(other)], str(other))
            unit = rows["unit"].iloc[0]
            ax.set_title(fill(item, 40), fontsize=8)
            ax.set_ylabel(unit)
            ax.grid(axis="y")
            if not _are_numbers(ticks):
                ax.set_xticks(range(len(ticks)), list(map(str, ticks)))
            elif all(float(value) == int(value) for value in ticks):
                ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        fig.supxlabel(parameter_label(setting.split(".")[-1]) if setting.endswith("_angstrom") else setting, fontsize=9)
        if lines != [""]:
            fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=min(3, len(lines)))


def _draw_line(ax: Axes, rows: pd.DataFrame, ticks: list[object], colour: object, label: str) -> None:
    numbers = _are_numbers(ticks)
    x = [value if numbers else ticks.index(value) for value in rows["value"]]
    order = np.argsort(np.asarray(x, float))
    spread = rows["spread"].fillna(0.0).to_numpy(float)
    ax.errorbar(
        np.asarray(x, float)[order], rows["measured"].to_numpy(float)[order], spread[order], color=colour, marker="o", ms=4,
        lw=1.2, elinewidth=0.8, capsize=2, label=label,
    )  # fmt: skip


def _are_numbers(values: list[object]) -> bool:
    return all(isinstance(value, int | float | np.number) and not isinstance(value, bool) for value in values)


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
