"""The atoms in the plane of the first two principal components of their vectors (figures 3 and 6 of Tamura et al. 2020)."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from gbscape.figures.columns import require_columns
from gbscape.figures.panels import panel_grid
from gbscape.figures.replica_style import TYPE_COLOURS, strategy_label
from gbscape.figures.style import INK, figure
from gbscape.replica.tables import COMPONENT_COLUMNS, REFERENCE, TEST

MODEL = "model"


def plot_components(data: pd.DataFrame, path: str | Path) -> None:
    """Draw up to 1000 atoms of each structure type.

    Args:
        data: of `gbscape.replica.figure_data.tabulate_components`.
        path: the picture.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, COMPONENT_COLUMNS, "the components")
    with figure(path, 6.4, 4.6) as fig:
        ax = fig.subplots()
        _draw_model(ax, data, alpha=0.7)
        _label_axes(ax, data)
        fig.legend(loc="outside right upper", markerscale=2)


def plot_selected(data: pd.DataFrame, path: str | Path) -> None:
    """Draw the first training set of every strategy, and the first test set, over the same atoms.

    Args:
        data: of `gbscape.replica.figure_data.tabulate_components`.
        path: the picture.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, COMPONENT_COLUMNS, "the components")
    strategies = [name for name in data["set"].unique() if name not in (MODEL, TEST, REFERENCE)]
    test = data[data["set"] == TEST]
    with panel_grid(path, len(strategies), 3.3, 2.9) as (fig, axes):
        for number, (ax, strategy) in enumerate(zip(axes, strategies, strict=True)):
            _draw_model(ax, data, alpha=0.25, label=False)
            chosen = data[data["set"] == strategy]
            ax.scatter(test["first"], test["second"], 14, facecolors="none", edgecolors="#B2182B", linewidths=0.8,
                       label="test atoms" if number == 0 else None)  # fmt: skip
            ax.scatter(chosen["first"], chosen["second"], 9, color=INK, marker="s", linewidths=0,
                       label="training atoms" if number == 0 else None)  # fmt: skip
            ax.set_title(strategy_label(strategy))
            _label_axes(ax, data)
            ax.label_outer()
        fig.legend(loc="outside lower center", ncols=2)


def _draw_model(ax: Axes, data: pd.DataFrame, alpha: float, label: bool = True) -> None:
    model = data[data["set"] == MODEL]
    for name in ("OTH", "BCC", "HCP", "FCC", "ICO"):
        rows = model[model["type"] == name]
        if len(rows):
            ax.scatter(
                rows["first"], rows["second"], 5, color=TYPE_COLOURS[name], alpha=alpha, linewidths=0,
                label=f"{name} ({len(rows)})" if label else None,
            )  # fmt: skip


def _label_axes(ax: Axes, data: pd.DataFrame) -> None:
    shares = data[["first_share", "second_share"]].iloc[0]
    ax.set(
        xlabel=f"First principal component ({shares['first_share']:.0%} of the variance)",
        ylabel=f"Second ({shares['second_share']:.0%})",
    )
