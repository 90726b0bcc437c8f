"""What models of amorphous cells say of what they never saw: elastic moduli, migration barriers, and all errors side by side."""

from pathlib import Path

import numpy as np
import pandas as pd

from gbscape.alloy.tables import ASKED_COLUMNS, BARRIER_COLUMNS, JUDGED_MODULI, MODULUS_COLUMNS
from gbscape.figures.alloy_style import DFT_COLOUR, MODEL_COLOURS, model_label, models_in_order, plain_logarithmic
from gbscape.figures.bands import draw_mean_and_band
from gbscape.figures.columns import require_columns
from gbscape.figures.panels import panel_grid
from gbscape.figures.style import GREY, INK, draw_message, figure

_MARKERS = {"bulk": "o", "shear": "s", "young": "^"}
_FARTHEST = 3.0
"""Moduli are drawn as far beyond those by DFT, in their range; what is beyond is drawn at the rim."""
_LEAST_RANGE_EV = 0.2
"""Energies along paths are drawn as far beyond those by DFT as these reach, and at least so far."""


def plot_moduli(data: pd.DataFrame, path: str | Path) -> None:
    """Draw elastic moduli by models against those by DFT, a panel a model: means over the draws, bars of one standard deviation.

    What lies far outside is drawn at the rim, as hollow marks.

    Args:
        data: of `gbscape.alloy.figure_data.tabulate_moduli`.
        path: the picture.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, MODULUS_COLUMNS, "the elastic moduli")
    if data.empty:
        draw_message(path, "No model was asked for elastic constants.")
        return
    names = models_in_order(data["model"])
    low, high = float(min(data["dft_gpa"].min(), 0)), float(data["dft_gpa"].max())
    margin = 0.3 * (high - low)
    bounds = low - margin, high + margin
    with panel_grid(path, len(names), 2.4, 2.4, max_columns=4) as (fig, axes):
        for ax, name in zip(axes, names, strict=True):
            of_model = data[data["model"] == name]
            ax.plot(bounds, bounds, color=GREY, lw=0.8, ls=(0, (3, 2)))
            for modulus, marker in _MARKERS.items():
                rows = of_model[of_model["modulus"] == modulus]
                means = rows.groupby("cell", sort=False).agg(
                    dft=("dft_gpa", "first"), mean=("predicted_gpa", "mean"), std=("predicted_gpa", "std")
                )
                inside = means["mean"].between(*bounds)
                shown = means["mean"].clip(*bounds)
                ax.errorbar(means["dft"][inside], means["mean"][inside], means["std"][inside].fillna(0.0), fmt="none",
                            ecolor=MODEL_COLOURS[name], elinewidth=0.7)  # fmt: skip
                ax.scatter(means["dft"], shown, 18, marker=marker, edgecolors=MODEL_COLOURS[name], linewidths=0.8,
                           facecolors=np.where(inside, MODEL_COLOURS[name], "white"),
                           label=modulus.capitalize() if ax is axes[0] else None, clip_on=False, zorder=3)  # fmt: skip
            judged = of_model[of_model["modulus"].isin(JUDGED_MODULI)]
            error = (judged["predicted_gpa"] - judged["dft_gpa"]).abs().mean()
            ax.text(0.04, 0.96, f"MAE {error:.0f} GPa", transform=ax.transAxes, va="top", color=INK)
            ax.set_title(model_label(name), fontsize=8)
            ax.set(xlim=bounds, ylim=bounds)
        fig.supxlabel("DFT (GPa)", fontsize=9)
        fig.supylabel("Model (GPa)", fontsize=9)
        fig.legend(loc="outside upper center", ncols=len(_MARKERS))


def plot_barriers(data: pd.DataFrame, path: str | Path) -> None:
    """Draw the energies along migration paths by DFT and by models, a panel a path: means over the draws, bands of one standard
    deviation.

    Args:
        data: of `gbscape.alloy.figure_data.tabulate_barriers`.
        path: the picture.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, BARRIER_COLUMNS, "the migration paths")
    if data.empty:
        draw_message(path, "No model was asked for migration paths.")
        return
    paths = list(dict.fromkeys(data["path"]))
    with panel_grid(path, len(paths), 3.4, 3.0, share_y=False) as (fig, axes):
        for ax, name in zip(axes, paths, strict=True):
            of_path = data[data["path"] == name]
            for model in models_in_order(data["model"]):
                along = of_path[of_path["model"] == model].groupby("distance_angstrom")["predicted_ev"]
                label = model_label(model) if ax is axes[0] else None
                draw_mean_and_band(ax, along, MODEL_COLOURS[model], label, lw=1.2, marker="o", ms=2.5)
            by_dft = of_path.groupby("distance_angstrom")["dft_ev"].first()
            ax.plot(by_dft.index, by_dft, color=DFT_COLOUR, lw=2.2, marker="s", ms=4, zorder=5,
                    label="DFT" if ax is axes[0] else None)  # fmt: skip
            ax.set(title=name.replace("_", " "), xlabel="Length of the path (Å)")
            beyond = max(float(by_dft.max() - by_dft.min()), _LEAST_RANGE_EV)
            ax.set_ylim(by_dft.min() - beyond, by_dft.max() + beyond)
        axes[0].set_ylabel("Energy over the start (eV)")
        fig.legend(loc="outside right upper")


def plot_alloy_errors(data: pd.DataFrame, path: str | Path) -> None:
    """Draw the error of each model in all that it was asked for, a panel each: a mark a draw, a line at their mean.

    Args:
        data: of `gbscape.alloy.figure_data.tabulate_errors`.
        path: the picture.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, ASKED_COLUMNS, "the errors")
    asked = list(dict.fromkeys(data["asked"]))
    names = models_in_order(data["model"])
    columns = min(4, len(asked))
    lines = -(-len(asked) // columns)
    with figure(path, 2.0 * columns + 1.6, lines * (0.22 * len(names) + 0.75) + 0.2) as fig:
        grid = fig.subplots(lines, columns, sharey=True, squeeze=False)
        for ax in grid.ravel()[len(asked) :]:
            ax.set_axis_off()
        for ax, what in zip(grid.ravel(), asked, strict=False):
            rows = data[data["asked"] == what]
            for place, name in enumerate(names):
                errors = rows.loc[rows["model"] == name, "error"]
                ax.scatter(errors, np.full(len(errors), place), 9, color=MODEL_COLOURS[name], alpha=0.6, linewidths=0)
                ax.plot([errors.mean()] * 2, [place - 0.35, place + 0.35], color=MODEL_COLOURS[name], lw=1.6)
            plain_logarithmic(ax, "x")
            ax.margins(x=0.15)
            ax.set(yticks=range(len(names)), yticklabels=[model_label(name) for name in names])
            ax.set_title(what, fontsize=8)
            ax.set_xlabel(f"MAE ({rows['unit'].iloc[0]})", fontsize=8)
            ax.grid(axis="x")
            ax.tick_params(labelsize=7)
        grid[0, 0].invert_yaxis()
