"""How well energies of amorphous cells are learned: parity, errors against the numbers of features and of training cells."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from gbscape.alloy.tables import ERROR_COLUMNS, PREDICTION_COLUMNS, SIZE_COLUMNS
from gbscape.figures.alloy_style import (
    MODEL_COLOURS,
    SELECTION_COLOURS,
    model_label,
    models_in_order,
    plain_logarithmic,
)
from gbscape.figures.bands import draw_mean_and_band
from gbscape.figures.columns import require_columns
from gbscape.figures.panels import panel_grid
from gbscape.figures.style import GREY, INK, figure

_FLAT = 0.01
"""A learning curve of a smaller exponent does not fall."""


def plot_alloy_parity(data: pd.DataFrame, path: str | Path) -> None:
    """Draw predicted against computed energies of unseen cells of all draws, over the mean of the cells of their concentration, a
    panel a model.

    What differs between concentrations is some eV and would hide what does not; where a model tells a spread, bars show it.

    Args:
        data: predictions of `gbscape.alloy.evaluate`.
        path: the picture.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, PREDICTION_COLUMNS, "the predictions")
    names = models_in_order(data["model"])
    mean = data.groupby("concentration")["energy_ev_atom"].transform("mean")
    data = data.assign(
        computed=1e3 * (data["energy_ev_atom"] - mean),
        predicted=1e3 * (data["predicted_ev_atom"] - mean),
        spread=1e3 * data["spread_ev_atom"],
    )
    limits = [data["computed"].min(), data["computed"].max()]
    margin = 0.05 * (limits[1] - limits[0])
    with panel_grid(path, len(names), 2.5, 2.5, max_columns=4) as (fig, axes):
        for ax, name in zip(axes, names, strict=True):
            rows = data[data["model"] == name]
            ax.plot(limits, limits, color=GREY, lw=0.8, ls=(0, (3, 2)))
            # Pixels, since of ten draws there are thousands.
            if rows["spread"].notna().any():
                ax.errorbar(rows["computed"], rows["predicted"], rows["spread"], fmt="none", ecolor=MODEL_COLOURS[name], elinewidth=0.5,
                            alpha=0.35, rasterized=True)  # fmt: skip
            ax.scatter(
                rows["computed"],
                rows["predicted"],
                7,
                color=MODEL_COLOURS[name],
                alpha=0.6,
                linewidths=0,
                rasterized=True,
            )
            error = (rows["predicted"] - rows["computed"]).abs().mean()
            ax.text(0.04, 0.96, f"MAE {error:.1f} meV/atom", transform=ax.transAxes, va="top", color=INK)
            ax.set_title(model_label(name), fontsize=8)
            ax.set_xlim(limits[0] - margin, limits[1] + margin)
            ax.set_ylim(limits[0] - margin, limits[1] + margin)
        fig.supxlabel("Computed, over the mean of the concentration (meV/atom)", fontsize=9)
        fig.supylabel("Predicted (meV/atom)", fontsize=9)


def plot_alloy_sizes(data: pd.DataFrame, path: str | Path) -> None:
    """Draw training and test errors against the number of features, a line a way to select them: means over the draws, bands of one
    standard deviation.

    Args:
        data: of `gbscape.alloy.evaluate.error_by_size`.
        path: the picture.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, SIZE_COLUMNS, "the errors by the number of features")
    names = [name for name in SELECTION_COLOURS if name in set(data["selection"])]
    of_test = data.groupby(["selection", "n_features"])["test_mev"].mean()
    # As many features as cells leave no training error, and any test error.
    limits = of_test.min() / 4, 1.1 * min(of_test.max(), 4 * of_test.xs(0, level="n_features").max())
    with figure(path, 7.4, 3.4) as fig:
        axes = fig.subplots(1, 2, sharey=True)
        for ax, column, title in zip(
            axes, ("training_mev", "test_mev"), ("Training cells", "Unseen cells"), strict=True
        ):
            for name in names:
                by_size = data[data["selection"] == name].groupby("n_features")[column]
                label = name if ax is axes[0] else None
                draw_mean_and_band(ax, by_size, SELECTION_COLOURS[name], label, logarithmic=True, lw=1.4)
            ax.set(title=title, xlabel="Features")
            plain_logarithmic(ax, "y")
            ax.set_ylim(limits)
            ax.grid(axis="y")
        axes[0].set_ylabel("MAE (meV/atom)")
        fig.legend(loc="outside upper center", ncols=len(names))


def plot_alloy_learning_curve(data: pd.DataFrame, path: str | Path) -> None:
    """Draw errors of unseen cells against the number of training cells, both scales logarithmic: means over the draws, bands of one
    standard deviation.

    Args:
        data: of `gbscape.alloy.evaluate.learning_curve`.
        path: the picture.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, ERROR_COLUMNS, "the learning curve")
    with figure(path, 5.4, 3.6) as fig:
        ax = fig.subplots()
        for name in models_in_order(data["model"]):
            by_size = data[data["model"] == name].groupby("n_train")["mae_mev"]
            colour, label = MODEL_COLOURS[name], model_label(name)
            draw_mean_and_band(ax, by_size, colour, label, logarithmic=True, lw=1.4, marker="o", ms=3)
        ax.set(xlabel="Training cells", ylabel="MAE of unseen cells (meV/atom)")
        plain_logarithmic(ax, "x")
        plain_logarithmic(ax, "y")
        ax.grid(axis="y")
        fig.legend(loc="outside right upper")


def power_law(data: pd.DataFrame) -> Mapping[str, tuple[float, float]]:
    """Exponent of the error against the number of training cells, and the number at which it would be half of what it is, by model: of a
    straight line through the upper half of the sizes on logarithmic scales.

    A curve that does not fall has an infinite number.
    """
    found = {}
    for name, rows in data.groupby("model"):
        by_size = rows.groupby("n_train")["mae_mev"].mean()
        upper = by_size[by_size.index >= by_size.index.to_series().median()]
        if len(upper) < 2:
            continue
        slope = float(np.polyfit(np.log(upper.index.to_numpy(float)), np.log(upper.to_numpy(float)), 1)[0])
        found[str(name)] = slope, float(by_size.index.max()) * 2 ** (-1 / slope) if slope < -_FLAT else np.inf
    return found
