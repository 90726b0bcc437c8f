"""A slice through the model: structure types, and predicted energies (figures 2 and 7 of Tamura et al. 2020)."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from gbscape.figures.columns import require_columns
from gbscape.figures.crystal_style import UNCERTAINTY_COLOURS
from gbscape.figures.replica_style import TYPE_COLOURS
from gbscape.figures.style import figure
from gbscape.replica.tables import SLICE_COLUMNS

_PANEL_INCH = 5.0
_DIAMETER_ANGSTROM = 2.2
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
    with figure(path, _PANEL_INCH + 2.0, _PANEL_INCH + 0.7) as fig:
        ax = fig.subplots()
        _label_axes(ax, data)
        ax.scatter(data["x"], data["y"], _disc_area(data), data["type"].map(TYPE_COLOURS), linewidths=0)
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
        ("standard_deviation_ev", "Standard deviation (meV)", False),
    )
    with figure(path, 2 * _PANEL_INCH + 1.0, _PANEL_INCH + 1.5) as fig:
        for ax, (column, label, from_zero) in zip(fig.subplots(1, 2, sharey=True), panels, strict=True):
            _label_axes(ax, data)
            ax.label_outer()
            values = data[column] if from_zero else 1000 * data[column]
            low = 0.0 if from_zero else float(values.min())
            high = max(float(np.percentile(values, _LIMIT_PERCENTILE)), low + 1e-9)
            drawn = ax.scatter(
                data["x"], data["y"], _disc_area(data), values, cmap=UNCERTAINTY_COLOURS, vmin=low, vmax=high,
                linewidths=0,
            )  # fmt: skip
            fig.colorbar(
                drawn, ax=ax, label=label, location="bottom", shrink=0.8, extend="both" if from_zero else "max"
            )


def _label_axes(ax: Axes, data: pd.DataFrame) -> None:
    ax.set(xlabel="x (Å)", ylabel="y (Å)", aspect="equal")
    ax.set_xlim(0, float(data["x"].max()))
    ax.set_ylim(0, float(data["y"].max()))


def _disc_area(data: pd.DataFrame) -> float:
    """Area in square points of discs of the size of atoms."""
    points_per_angstrom = 72 * _PANEL_INCH / float(data["x"].max())
    return float((_DIAMETER_ANGSTROM * points_per_angstrom) ** 2)
