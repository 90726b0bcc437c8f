"""How well the energies of atoms are predicted: parity, error against the size of the training set, and averaged over the
surroundings (figures 4, 5 and 8 of Tamura et al. 2020)."""

from pathlib import Path

import numpy as np
import pandas as pd

from gbscape.figures.bands import draw_mean_and_band
from gbscape.figures.columns import require_columns
from gbscape.figures.panels import panel_grid
from gbscape.figures.replica_style import TYPE_COLOURS, strategy_colour, strategy_label
from gbscape.figures.style import GREY, INK, draw_message, figure
from gbscape.replica.tables import (
    COMPUTED_COLUMNS,
    DESCRIPTION_COLUMNS,
    ERROR_COLUMNS,
    PREDICTION_COLUMNS,
    RADIUS_COLUMNS,
)

_QUANTITIES = {
    "rmse_ev": "RMSE, test atoms (meV)",
    "max_error_ev": "Largest error, test atoms (meV)",
    "rmse_all_ev": "RMSE, all atoms (meV)",
    "max_error_all_ev": "Largest error, all atoms (meV)",
}


def plot_energy_parity(data: pd.DataFrame, path: str | Path) -> None:
    """Draw predicted against computed energies of training and test atoms of the first seed, a panel a strategy.

    Args:
        data: predictions of `gbscape.replica.evaluate`.
        path: the picture.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, PREDICTION_COLUMNS, "the predictions")
    first = data[data["seed"] == data["seed"].min()]
    strategies = list(first["strategy"].unique())
    limits = [first[["computed_ev", "predicted_ev"]].min().min(), first[["computed_ev", "predicted_ev"]].max().max()]
    margin = 0.04 * (limits[1] - limits[0])
    with panel_grid(path, len(strategies), 2.9, 2.9) as (fig, axes):
        for number, (ax, strategy) in enumerate(zip(axes, strategies, strict=True)):
            ax.plot(limits, limits, color=GREY, lw=0.8, ls=(0, (3, 2)))
            rows = first[first["strategy"] == strategy]
            for name, marker, colour, alpha in (
                ("training", "s", GREY, 0.5),
                ("test", "o", strategy_colour(strategy), 0.9),
            ):
                of_set = rows[rows["set"] == name]
                ax.scatter(of_set["computed_ev"], of_set["predicted_ev"], 12, marker=marker, color=colour, alpha=alpha,
                           linewidths=0, label=f"{name} atoms" if number == 0 else None)  # fmt: skip
            residual = 1000 * (rows["predicted_ev"] - rows["computed_ev"])[rows["set"] == "test"]
            ax.text(0.04, 0.96, f"RMSE {np.sqrt((residual**2).mean()):.0f} meV\nlargest {residual.abs().max():.0f} meV",
                    transform=ax.transAxes, va="top", color=INK)  # fmt: skip
            ax.set(title=strategy_label(strategy), xlabel="Computed (eV)", ylabel="Predicted (eV)", aspect="equal")
            ax.set_xlim(limits[0] - margin, limits[1] + margin)
            ax.set_ylim(limits[0] - margin, limits[1] + margin)
            ax.label_outer()
        fig.legend(loc="outside lower center", ncols=2)


def plot_computed(data: pd.DataFrame, path: str | Path) -> None:
    """Draw the computed energies against those of the potential in the whole model, coloured by structure type.

    Args:
        data: of `gbscape.replica.figure_data.tabulate_computed`.
        path: the picture.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, COMPUTED_COLUMNS, "the computed energies")
    energies = data[["potential_ev", "computed_ev"]]
    limits = [float(energies.min().min()), float(energies.max().max())]
    difference = data["computed_ev"] - data["potential_ev"]
    with figure(path, 5.2, 3.9, layout="compressed") as fig:  # which leaves room for the labels of a square
        ax = fig.subplots()
        ax.plot(limits, limits, color=GREY, lw=0.8, ls=(0, (3, 2)))
        for name, rows in data.groupby("type"):
            ax.scatter(rows["potential_ev"], rows["computed_ev"], 14, color=TYPE_COLOURS[str(name)], edgecolors=INK,
                       linewidths=0.3, label=f"{name} ({len(rows)})")  # fmt: skip
        correlation = np.corrcoef(data["potential_ev"], data["computed_ev"])[0, 1]
        title = f"RMS difference {1000 * np.sqrt((difference**2).mean()):.0f} meV, correlation {correlation:.3f}"
        ax.set_title(title, loc="left", color=INK)
        ax.set(xlabel="Whole model, potential (eV)", ylabel="Replica cell (eV)", aspect="equal")
        fig.legend(loc="outside right upper")


def plot_selection_errors(data: pd.DataFrame, path: str | Path) -> None:
    """Draw the errors against the size of the training set: means over the seeds, bands of one standard deviation.

    Args:
        data: errors of `gbscape.replica.evaluate`.
        path: the picture.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, ERROR_COLUMNS, "the errors")
    quantities = [name for name in _QUANTITIES if data[name].notna().any()]
    with figure(path, 7.2, 2.5 * (len(quantities) // 2) + 0.5) as fig:
        axes = fig.subplots(len(quantities) // 2, 2, sharex=True).ravel()
        for ax, quantity in zip(axes, quantities, strict=True):
            for strategy, rows in data.groupby("strategy", sort=False):
                by_size = (1000 * rows[quantity]).groupby(rows["size"])
                label = strategy_label(str(strategy)) if ax is axes[0] else None
                draw_mean_and_band(ax, by_size, strategy_colour(str(strategy)), label, marker="o", ms=3, lw=1.3)
            ax.set(ylabel=_QUANTITIES[quantity])
            ax.set_ylim(0, None)
            ax.grid(axis="y")
        for ax in axes[-2:]:
            ax.set_xlabel("Training atoms")
        fig.legend(loc="outside right upper")


def plot_descriptions(data: pd.DataFrame, path: str | Path) -> None:
    """Draw the errors with different vectors at equal numbers of computed energies, means and standard deviations over seeds.

    Args:
        data: of `gbscape.replica.figure_data.tabulate_descriptions`.
        path: the picture.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, DESCRIPTION_COLUMNS, "the errors with different vectors")
    if data.empty:
        draw_message(path, "No strategy was evaluated with all vectors.")
        return
    names = list(dict.fromkeys(data["vectors"]))
    strategies = list(dict.fromkeys(data["strategy"]))
    quantities = [name for name in _QUANTITIES if data[name].notna().any()]
    labels = [f"{name} ({data.loc[data['vectors'] == name, 'n_features'].iloc[0]})" for name in names]
    with figure(path, 7.2, (0.32 * len(names) * len(strategies) + 0.7) * (len(quantities) // 2) + 0.4) as fig:
        axes = fig.subplots(len(quantities) // 2, 2, sharey=True).ravel()
        height = 0.8 / len(strategies)
        for ax, quantity in zip(axes, quantities, strict=True):
            for number, strategy in enumerate(strategies):
                rows = 1000 * data[data["strategy"] == strategy].groupby("vectors")[quantity].agg(["mean", "std"])
                rows = rows.reindex(names)
                ax.barh(np.arange(len(names)) + (number - (len(strategies) - 1) / 2) * height, rows["mean"], height,
                        xerr=rows["std"].fillna(0.0), color=strategy_colour(strategy), error_kw={"lw": 0.8},
                        label=strategy_label(strategy) if ax is axes[0] else None)  # fmt: skip
            ax.set(xlabel=_QUANTITIES[quantity], yticks=range(len(names)), yticklabels=labels)
            ax.grid(axis="x")
        axes[0].invert_yaxis()
        fig.legend(loc="outside upper center", ncols=len(strategies))


def plot_averaged_error(data: pd.DataFrame, path: str | Path) -> None:
    """Draw the error averaged over the atoms within a radius, for the worst test atom of each coordination number.

    Args:
        data: of `gbscape.replica.figure_data.tabulate_radii`.
        path: the picture.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, RADIUS_COLUMNS, "the averaged errors")
    if data.empty:
        draw_message(path, "The energies of the atoms around the test atoms are not known.")
        return
    with figure(path, 5.6, 3.6) as fig:
        ax = fig.subplots()
        numbers = sorted(data["coordination"].unique())
        for place, number in enumerate(numbers):
            rows = data[data["coordination"] == number]
            shade = 0.15 + 0.7 * place / max(len(numbers) - 1, 1)
            ax.plot(rows["radius_angstrom"], 1000 * rows["averaged_error_ev"], color=(shade, 0.45, 1 - shade), lw=1.1,
                    label=f"coordination {number}")  # fmt: skip
        mean = 1000 * data.groupby("radius_angstrom")["averaged_error_ev"].mean()
        ax.plot(mean.index, mean, color=INK, lw=2.2, label="mean")
        ax.set(xlabel="Radius (Å)", ylabel="Averaged error (meV)")
        ax.set_ylim(0, None)
        ax.grid(axis="y")
        fig.legend(loc="outside right upper")
