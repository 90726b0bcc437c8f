"""A slice through the model: structure types, and predicted energies (figures 2 and 7 of Tamura et al. 2020)."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gbscape.figures.columns import require_columns
from gbscape.figures.crystal_style import UNCERTAINTY_COLOURS
from gbscape.figures.replica_style import TYPE_COLOURS
from gbscape.figures.style import figure
from gbscape.replica.figure_data import SLICE_COLUMNS

_WIDTH_INCH = 6.0
_NEAREST_ANGSTROM = 2.5  # diameter of the discs
_LIMIT_PERCENTILE = 99.8


def plot_structure_types(data: pd.DataFrame, path: str | Path) -> None:
    """Draw the atoms of a slice coloured by structure type.

    Args:
        data: of `gbscape.replica.figure_data.tabulate_slice`.
        path: the picture.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, SLICE_COLUMNS, "the slice of the model")
    with figure(path, _WIDTH_INCH + 1.3, _WIDTH_INCH) as fig:
        ax = _axes(fig, data)
        ax.scatter(data["x"], data["y"], _size(ax, data), data["type"].map(TYPE_COLOURS), linewidths=0)
        there = [name for name in TYPE_COLOURS if (data["type"] == name).any()]
        handles = [
            Line2D(
                [],
                [],
                ls="",
                marker="o",
                color=TYPE_COLOURS[name],
                label=f"{name}, {(data['type'] == name).mean():.1%}",
            )
            for name in there
        ]
        fig.legend(handles=handles, loc="outside right upper")


def plot_predicted_energies(data: pd.DataFrame, path: str | Path) -> None:
    """Draw the atoms of a slice coloured by their predicted energy over that of the crystal and by its uncertainty.

    Args:
        data: of `gbscape.replica.figure_data.tabulate_slice`.
        path: the picture.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, SLICE_COLUMNS, "the slice of the model")
    panels = (
        ("predicted_ev", "Predicted energy over the crystal's (eV)", True),
        ("standard_deviation_ev", "Standard deviation (eV)", False),
    )
    with figure(path, 2 * _WIDTH_INCH - 1.5, _WIDTH_INCH - 0.4) as fig:
        for number, (column, label, from_zero) in enumerate(panels):
            ax = _axes(fig, data, (1, 2, number + 1))
            low = 0.0 if from_zero else float(data[column].min())
            high = max(float(np.percentile(data[column], _LIMIT_PERCENTILE)), low + 1e-9)
            drawn = ax.scatter(
                data["x"], data["y"], _size(ax, data), data[column], cmap=UNCERTAINTY_COLOURS, vmin=low, vmax=high,
                linewidths=0,
            )  # fmt: skip
            fig.colorbar(
                drawn, ax=ax, label=label, location="bottom", shrink=0.8, extend="both" if from_zero else "max"
            )


def _axes(fig: Figure, data: pd.DataFrame, place: tuple[int, int, int] = (1, 1, 1)) -> Axes:
    ax: Axes = fig.add_subplot(*place)
    ax.set(xlabel="x (Å)", ylabel="y (Å)", aspect="equal")
    ax.set_xlim(0, float(data["x"].max()))
    ax.set_ylim(0, float(data["y"].max()))
    return ax


def _size(ax: Axes, data: pd.DataFrame) -> float:
    """Area in square points of discs that nearly touch."""
    fig = ax.figure
    inch = min(fig.get_figwidth() / max(len(fig.axes), 1), fig.get_figheight()) * 0.75  # type: ignore[union-attr]
    diameter = 72 * inch * _NEAREST_ANGSTROM / float(data["x"].max())
    return float(np.clip(diameter**2, 0.3, 200))
