"""Training and test error of the energy against the number of training boundaries (as Homer et al. 2019, Fig. 2)."""

from pathlib import Path
from textwrap import fill

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from gbscape.figures.columns import require_columns, rows_of_target, single_target
from gbscape.figures.labels import in_usual_order, representation_colours, representation_label, target_label
from gbscape.figures.panels import panel_grid
from gbscape.figures.style import draw_message, figure
from gbscape.learn.tables import LEARNING_CURVE_COLUMNS

COLUMNS = ["representation", "target", "set", "n_train", "mae_mean_j_m2", "mae_std_j_m2", "n_repeats"]

_MAX_LINES = 5
"""More representations than this get a panel each."""
_FAINT = "#D0D0D0"


def learning_curve_data(learning_curve: pd.DataFrame, target: str) -> pd.DataFrame:
    """Average the errors over the repeats, columns `COLUMNS`, by representation, set and size.

    `mae_std_j_m2` is the standard deviation over the `n_repeats` repeats (0 for one).

    Args:
        learning_curve: columns LEARNING_CURVE_COLUMNS of `gbscape.learn.tables`; may have no rows.
        target: the property; energies in J/m^2.

    Raises:
        ValueError: a column is missing, or there are rows but none of this target.
    """
    require_columns(learning_curve, LEARNING_CURVE_COLUMNS, "the table of the learning curve")
    rows = rows_of_target(learning_curve, target, "the table of the learning curve")
    if rows.empty:
        return pd.DataFrame(columns=COLUMNS)
    errors = rows.groupby(["representation", "target", "set", "n_train"])["mae_j_m2"]
    data = errors.agg(mae_mean_j_m2="mean", mae_std_j_m2=lambda e: e.std(ddof=0), n_repeats="size").reset_index()
    place = {name: i for i, name in enumerate(in_usual_order(data["representation"]))}
    return data.sort_values(
        ["representation", "set", "n_train"],
        key=lambda c: c.map(place) if c.name == "representation" else c,
        ignore_index=True,
    )[COLUMNS]


def plot_learning_curve(data: pd.DataFrame, path: str | Path) -> None:
    """Draw test errors (solid) and training errors (dashed) with bands of one standard deviation over the repeats.

    Up to five representations share a panel. More get a panel each, with the test errors of the others in grey.

    Args:
        data: as `learning_curve_data` returns it.
        path: the picture (.svg, .png or .pdf).

    Raises:
        ValueError: a column is missing, or there is more than one target.
    """
    require_columns(data, COLUMNS, "the data of the learning curve")
    if data.empty:
        draw_message(path, "There is no learning curve: no energy was learned.")
        return
    target = single_target(data, "a picture of learning curves")
    names = in_usual_order(data["representation"])
    colours = representation_colours(names)
    top = 1.05 * float((data["mae_mean_j_m2"] + data["mae_std_j_m2"]).max())
    labels = {
        "xlabel": "Training boundaries",
        "ylabel": f"{target_label(target)}, MAE (J m$^{{-2}}$)",
    }
    sets = [
        Line2D([], [], color="#444444", marker="o", ms=3.5, label="test"),
        Line2D([], [], color="#444444", marker="o", ms=3.5, mfc="white", ls=(0, (3, 1.5)), label="training"),
        Patch(color="#444444", alpha=0.15, lw=0, label="± 1 s.d. of repeats"),
    ]
    if len(names) <= _MAX_LINES:
        with figure(path, 6.4, 3.8) as fig:
            ax = fig.subplots()
            for name in names:
                _draw(ax, data[data["representation"] == name], colours[name])
            ax.set(ylim=(0, top), **labels)
            _set_sizes(ax, data)
            ax.grid(axis="y")
            lines = [Line2D([], [], color=colours[n], lw=2.5, label=fill(representation_label(n), 32)) for n in names]
            fig.legend(handles=[*lines, Line2D([], [], ls="", label=""), *sets], loc="outside right upper")
        return
    with panel_grid(path, len(names), width_inch=2.2, height_inch=1.9) as (fig, axes):
        for ax, name in zip(axes, names, strict=True):
            for other in names:
                line = data[(data["representation"] == other) & (data["set"] == "test")]
                ax.plot(line["n_train"], line["mae_mean_j_m2"], color=_FAINT, lw=0.7, zorder=1)
            _draw(ax, data[data["representation"] == name], colours[name])
            ax.set_ylim(0, top)
            ax.set_title(fill(representation_label(name), 30), fontsize=8)
        _set_sizes(axes[0], data)
        fig.supxlabel(labels["xlabel"], fontsize=9)
        fig.supylabel(labels["ylabel"], fontsize=9)
        others = Line2D([], [], color=_FAINT, lw=0.9, label="test, the others")
        fig.legend(handles=[*sets, others], loc="outside upper center", ncols=4)


def _draw(ax: Axes, rows: pd.DataFrame, colour: str) -> None:
    for name in ("test", "train"):
        line = rows[rows["set"] == name]
        x, mean, std = (line[c].to_numpy(float) for c in ("n_train", "mae_mean_j_m2", "mae_std_j_m2"))
        test = name == "test"
        ax.fill_between(x, mean - std, mean + std, color=colour, alpha=0.15 if test else 0.06, lw=0, zorder=2)
        if len(x) == 1:
            ax.errorbar(x, mean, std, fmt="none", ecolor=colour, alpha=0.4, zorder=2)
        ax.plot(
            x, mean, color=colour, marker="o", ms=3.5, mfc=colour if test else "white", mec=colour,
            ls="-" if test else (0, (3, 1.5)), lw=1.6 if test else 1.1, zorder=4 if test else 3,
        )  # fmt: skip


def _set_sizes(ax: Axes, data: pd.DataFrame) -> None:
    low, high = float(data["n_train"].min()), float(data["n_train"].max())
    margin = max(0.05 * (high - low), 0.5)
    ax.set_xlim(low - margin, high + margin)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
