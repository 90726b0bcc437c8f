"""Which features the models use: the most important ones by name, and how quickly their shares add up."""

import math
from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from gbscape.config.figures import Figures
from gbscape.figures.columns import require_columns, rows_of_target, single_target
from gbscape.figures.labels import (
    in_usual_order,
    representation_colours,
    representation_label,
    shortened,
    target_label,
)
from gbscape.figures.style import GREY, draw_message, figure, say_instead
from gbscape.learn.tables import IMPORTANCE_COLUMNS

COLUMNS = ["representation", "target", "rank", "feature", "importance_mean", "importance_std", "cumulative"]

_LONGEST_NAME = 30


def importance_data(importance: pd.DataFrame, target: str) -> pd.DataFrame:
    """Rank the features of each representation by their mean share of the gain, columns `COLUMNS`.

    `rank` counts from 1, equal shares in the order of the features; `cumulative` is the sum of the shares up to the rank.
    Of the features that no tree has used only the first one is listed.

    Args:
        importance: columns IMPORTANCE_COLUMNS of `gbscape.learn.tables`; may have no rows.
        target: the property that was learned.

    Raises:
        ValueError: a column is missing, or there are rows but none of this target.
    """
    require_columns(importance, IMPORTANCE_COLUMNS, "the table of importances")
    rows = rows_of_target(importance, target, "the table of importances")
    frames = []
    for name in in_usual_order(rows["representation"]):
        ranked = rows[rows["representation"] == name].sort_values("importance_mean", ascending=False, kind="stable")
        ranked = ranked.head(int((ranked["importance_mean"] > 0).sum()) + 1)
        share = ranked["importance_mean"].to_numpy(float)
        frames.append(ranked.assign(rank=np.arange(1, len(ranked) + 1), cumulative=np.cumsum(share)))
    return pd.concat(frames, ignore_index=True)[COLUMNS] if frames else pd.DataFrame(columns=COLUMNS)


def plot_importance(data: pd.DataFrame, path: str | Path, settings: Figures) -> None:
    """Draw, for each representation, its `settings.top_features` first features beside the curve of summed shares.

    Args:
        data: as `importance_data` returns it.
        path: the picture (.svg, .png or .pdf).
        settings: how many features are named.

    Raises:
        ValueError: a column is missing, or there is more than one target.
    """
    require_columns(data, COLUMNS, "the data of the importances")
    if data.empty:
        draw_message(path, "There are no feature importances: no representation was learned from.")
        return
    target = single_target(data, "a picture of importances")
    names = in_usual_order(data["representation"])
    colours = representation_colours(names)
    columns = min(2, len(names))
    lines = math.ceil(len(names) / columns)
    shown = min(settings.top_features, int(data["rank"].max()))
    with figure(path, 5.4 * columns, lines * (0.95 + 0.155 * shown) + 0.3) as fig:
        fig.suptitle(
            f"{target_label(target)}: share of the gain, mean and s.d. over the splits",
            x=0.01,
            ha="left",
            fontsize=9.5,
        )
        grid = fig.subplots(lines, 2 * columns, squeeze=False, width_ratios=(1.25, 1) * columns)
        pairs = [(row[2 * i], row[2 * i + 1]) for row in grid for i in range(columns)]
        for (bars, curve), name in zip(pairs, names, strict=False):
            rows = data[data["representation"] == name]
            bars.set_title(fill(representation_label(name), 32), color=colours[name], weight="bold", fontsize=8.5)
            _draw_bars(bars, rows.head(shown).query("importance_mean > 0"), colours[name], shown)
            _draw_curve(curve, rows, colours[name], shown)
        for pair in pairs[len(names) :]:
            for ax in pair:
                ax.set_visible(False)


def _draw_bars(ax: Axes, rows: pd.DataFrame, colour: str, places: int) -> None:
    share, spread = (100 * rows[c].to_numpy(float) for c in ("importance_mean", "importance_std"))
    y = np.arange(len(rows))
    if not len(rows):
        say_instead(ax, "no feature was used")
        return
    error = np.vstack([np.minimum(share, spread), spread])
    ax.barh(y, share, height=0.72, color=colour, xerr=error, error_kw={"ecolor": "#555555", "elinewidth": 0.7})
    ax.set_yticks(y, [shortened(str(name), _LONGEST_NAME) for name in rows["feature"]], fontsize=7)
    ax.set_ylim(places - 0.4, -0.6)
    ax.set_xlim(0, max(1.05 * float((share + spread).max()), 1.0))
    ax.tick_params(axis="y", length=0)
    ax.tick_params(axis="x", labelsize=7)
    ax.set_xlabel("share of a feature (%)", fontsize=7.5)


def _draw_curve(ax: Axes, rows: pd.DataFrame, colour: str, shown: int) -> None:
    rank, total = rows["rank"].to_numpy(float), 100 * rows["cumulative"].to_numpy(float)
    ax.fill_between(rank[:shown], total[:shown], color=colour, alpha=0.2, lw=0)
    ax.plot(rank, total, color=colour, marker="o" if len(rank) == 1 else None)
    ax.set_xscale("log")
    ax.set(xlim=(1, max(10.0, rank[-1])), ylim=(0, 103))
    ax.xaxis.set_major_locator(LogLocator(10))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.tick_params(labelsize=7)
    ax.grid(axis="y")
    ax.set_xlabel("number of features", fontsize=7.5)
    ax.set_ylabel("their summed share (%)", fontsize=7.5)
    if total[-1] > 90:
        n90 = int(np.searchsorted(total, 90) + 1)
        ax.plot([n90, n90], [0, 90], color=GREY, lw=0.7, ls=":")
        text = f"90 % with {n90} of {len(rank)}"
        ax.text(
            0.97,
            0.05,
            text,
            transform=ax.transAxes,
            ha="right",
            fontsize=7,
            bbox={"fc": "white", "ec": "none", "alpha": 0.8, "pad": 1},
        )
