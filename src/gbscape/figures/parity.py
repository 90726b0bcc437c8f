"""Predicted against true values of test boundaries, a panel for each representation."""

from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from gbscape.figures.columns import require_columns, rows_of_target, single_target
from gbscape.figures.labels import in_usual_order, representation_colours, representation_label, target_label
from gbscape.figures.panels import panel_grid
from gbscape.figures.style import GREY, draw_message
from gbscape.learn.tables import PREDICTION_COLUMNS, RANDOM, SCORE_COLUMNS

COLUMNS = [
    "representation", "target", "id", "y_true", "y_pred_mean", "y_pred_std", "n_splits", "mae_j_m2", "accuracy_percent"
]  # fmt: skip


def parity_data(predictions: pd.DataFrame, scores: pd.DataFrame, target: str) -> pd.DataFrame:
    """Average what was predicted of each boundary over the splits in which it was a test row, columns `COLUMNS`.

    `y_pred_std` is the standard deviation over those `n_splits` splits (0 for one). `mae_j_m2` and `accuracy_percent`
    are the means over the splits of the scores of the representation, the same in all its rows. The baseline is left
    out. A target of classes gives no rows.

    Args:
        predictions: columns PREDICTION_COLUMNS of `gbscape.learn.tables`.
        scores: columns SCORE_COLUMNS there.
        target: the property; energies in J/m^2.

    Raises:
        ValueError: a column is missing, there are rows but none of this target, or a representation has no scores.
    """
    require_columns(predictions, PREDICTION_COLUMNS, "the table of predictions")
    require_columns(scores, SCORE_COLUMNS, "the table of scores")
    rows = rows_of_target(predictions, target, "the table of predictions")
    rows = rows[(rows["representation"] != RANDOM) & (rows["set"] == "test")]
    of_target = rows_of_target(scores, target, "the table of scores")
    if rows.empty or "mae_j_m2" not in set(of_target["metric"]):
        return pd.DataFrame(columns=COLUMNS)
    # Where classes are in the same table, the energies were read as texts.
    rows = rows.assign(y_true=pd.to_numeric(rows["y_true"]), y_pred=pd.to_numeric(rows["y_pred"]))
    means = of_target.pivot_table(index="representation", columns="metric", values="value", aggfunc="mean")
    frames = []
    for name in in_usual_order(rows["representation"]):
        if name not in means.index:
            raise ValueError(f"the table of scores has no rows of the representation {name!r}, target {target!r}")
        by_id = rows[rows["representation"] == name].groupby("id")
        frames.append(
            pd.DataFrame(
                {
                    "representation": name,
                    "target": target,
                    "y_true": by_id["y_true"].first(),
                    "y_pred_mean": by_id["y_pred"].mean(),
                    "y_pred_std": by_id["y_pred"].std(ddof=0),
                    "n_splits": by_id.size(),
                    "mae_j_m2": means.at[name, "mae_j_m2"],
                    "accuracy_percent": means.at[name, "accuracy_percent"],
                }
            ).reset_index()
        )
    return pd.concat(frames, ignore_index=True)[COLUMNS]


def plot_parity(data: pd.DataFrame, path: str | Path) -> None:
    """Draw predicted against true energies of one target, a panel for each representation, all to one scale.

    Args:
        data: as `parity_data` returns it.
        path: the picture (.svg, .png or .pdf).

    Raises:
        ValueError: a column is missing, or there is more than one target.
    """
    require_columns(data, COLUMNS, "the data of the parity plot")
    if data.empty:
        draw_message(
            path, "No energy was predicted for test boundaries\n(the properties that were learned are classes)."
        )
        return
    target = single_target(data, "a parity plot")
    names = in_usual_order(data["representation"])
    colours = representation_colours(names)
    low = float(min(data["y_true"].min(), (data["y_pred_mean"] - data["y_pred_std"]).min()))
    high = float(max(data["y_true"].max(), (data["y_pred_mean"] + data["y_pred_std"]).max()))
    margin = 0.05 * max(high - low, 0.1)
    ends = (low - margin, high + margin)
    quantity = target_label(target)
    with panel_grid(path, len(names), width_inch=2.35, height_inch=2.45) as (fig, axes):
        for ax, name in zip(axes, names, strict=True):
            _draw(ax, data[data["representation"] == name], colours[name], ends)
            ax.set_title(fill(representation_label(name), 30), fontsize=8.5)
        fig.supxlabel(f"{quantity}, true (J m$^{{-2}}$)", fontsize=9)
        fig.supylabel(f"{quantity}, predicted (J m$^{{-2}}$)", fontsize=9)


def _draw(ax: Axes, rows: pd.DataFrame, colour: str, ends: tuple[float, float]) -> None:
    ax.plot(ends, ends, color=GREY, lw=0.8, zorder=1)
    ax.errorbar(
        rows["y_true"], rows["y_pred_mean"], rows["y_pred_std"], fmt="none", ecolor=colour, elinewidth=0.8, alpha=0.3, zorder=2
    )  # fmt: skip
    size = float(np.clip(1500 / len(rows), 9, 22))
    ax.scatter(rows["y_true"], rows["y_pred_mean"], s=size, c=colour, edgecolors="white", linewidths=0.3, zorder=3)
    ax.set(xlim=ends, ylim=ends)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.set_aspect("equal")
    first = rows.iloc[0]
    text = f"MAE {first['mae_j_m2']:.3f} J m$^{{-2}}$\naccuracy {first['accuracy_percent']:.1f} %\n$n$ = {len(rows)}"
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0}
    # Low energies are predicted too high rather than high ones too low: this corner is the emptier one.
    ax.text(0.97, 0.04, text, transform=ax.transAxes, ha="right", fontsize=7, linespacing=1.35, bbox=box, zorder=4)
