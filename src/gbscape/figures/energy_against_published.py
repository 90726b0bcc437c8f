"""Computed energies beside the published ones: how many are reached, which are lower, which are missed."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from gbscape.config.figures import Figures
from gbscape.figures.columns import require_columns
from gbscape.figures.labels import boundary_label
from gbscape.figures.style import BLUE, GREEN, GREY, VERMILION, draw_message, figure, label_points

COLUMNS = ["id", "published_energy_j_m2", "energy_j_m2", "difference_j_m2", "outcome"]
OUTCOMES = ("reached", "lower", "missed")

_STYLES = {"reached": (BLUE, "o", 14), "lower": (GREEN, "v", 30), "missed": (VERMILION, "^", 30)}
_MAX_LABELS = 24


def energy_against_published_data(energies: pd.DataFrame, settings: Figures) -> pd.DataFrame:
    """Return the boundaries with a computed and a published energy, columns `COLUMNS`, by id.

    `outcome` is `missed` if the computed energy is more than `settings.reached_within_j_m2` above the published one,
    `lower` if it is more than `settings.lower_by_j_m2` below, `reached` between.

    Args:
        energies: columns id, energy_j_m2, published_energy_j_m2; energies in J/m^2, cells may be empty.
        settings: the two tolerances.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(energies, ["id", "energy_j_m2", "published_energy_j_m2"], "the table of energies")
    data = energies[["id", "published_energy_j_m2", "energy_j_m2"]].dropna().sort_values("id", ignore_index=True)
    computed, published = (data[c].astype(float) for c in ("energy_j_m2", "published_energy_j_m2"))
    difference = computed - published
    missed, lower = difference > settings.reached_within_j_m2, difference < -settings.lower_by_j_m2
    outcome = np.where(missed, "missed", np.where(lower, "lower", "reached"))
    return data.assign(difference_j_m2=difference, outcome=outcome)[COLUMNS]


def plot_energy_against_published(data: pd.DataFrame, path: str | Path, settings: Figures) -> None:
    """Draw computed against published energies above their differences.

    Beyond twice `settings.lower_by_j_m2` the scale of the differences is logarithmic. The largest differences of those
    that are lower or missed are labelled.

    Args:
        data: as `energy_against_published_data` returns it.
        path: the picture (.svg, .png or .pdf).
        settings: the two tolerances, as for the data.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, COLUMNS, "the data of energy against published energy")
    if data.empty:
        draw_message(path, "No boundary of this survey has a published energy to compare with.")
        return
    with figure(path, 6.4, 6.6) as fig:
        above, below = fig.subplots(2, sharex=True, height_ratios=(1.15, 1))
        _draw_energies(above, data, settings)
        _draw_differences(below, data, settings)
        fig.draw_without_rendering()
        notable = data[data["outcome"] != "reached"]
        notable = notable.loc[notable["difference_j_m2"].abs().sort_values(ascending=False).index[:_MAX_LABELS]]
        label_points(
            below,
            notable["published_energy_j_m2"],
            1000 * notable["difference_j_m2"],
            [boundary_label(item) for item in notable["id"]],
            obstacles=np.column_stack([data["published_energy_j_m2"], 1000 * data["difference_j_m2"]]),
            fontsize=6.5,
        )


def _draw_energies(ax: Axes, data: pd.DataFrame, settings: Figures) -> None:
    both = data[["published_energy_j_m2", "energy_j_m2"]].to_numpy(float)
    margin = 0.05 * max(float(np.ptp(both)), 0.1)
    ends = (max(0.0, both.min() - margin), both.max() + margin)
    ax.plot(ends, ends, color=GREY, lw=0.8, zorder=1)
    _scatter(ax, data, data["energy_j_m2"])
    ax.set(xlim=ends, ylim=ends, ylabel="Computed energy (J m$^{-2}$)")
    n = data["outcome"].value_counts().reindex(OUTCOMES, fill_value=0)
    share = 100 * (1 - n["missed"] / len(data))
    text = (
        f"{len(data)} {'boundary' if len(data) == 1 else 'boundaries'} with a published energy\n"
        f"{n['reached'] + n['lower']} reached: at most {1000 * settings.reached_within_j_m2:g} mJ m$^{{-2}}$ above it ({share:.1f} %)\n"
        f"{n['lower']} of these lower by more than {1000 * settings.lower_by_j_m2:g} mJ m$^{{-2}}$\n"
        f"{n['missed']} missed"
    )
    if n["lower"] + n["missed"] > _MAX_LABELS:
        text += f"\nthe {_MAX_LABELS} largest differences are labelled"
    box = {"facecolor": "white", "edgecolor": "#CCCCCC", "boxstyle": "round,pad=0.5", "linewidth": 0.6}
    ax.text(0.03, 0.96, text, transform=ax.transAxes, va="top", fontsize=8, linespacing=1.4, bbox=box)
    ax.legend(loc="lower right")


def _draw_differences(ax: Axes, data: pd.DataFrame, settings: Figures) -> None:
    within, linear = 1000 * settings.reached_within_j_m2, 2000 * settings.lower_by_j_m2
    ax.axhspan(-within, within, color=BLUE, alpha=0.12, lw=0)
    ax.axhline(0, color=GREY, lw=0.8, zorder=1)
    difference = 1000 * data["difference_j_m2"]
    ax.set_yscale("symlog", linthresh=linear, linscale=1.2)
    _scatter(ax, data, difference)
    low, high = 2 * min(difference.min(), -1.5 * within), 2 * max(difference.max(), 1.5 * within)
    ax.set_ylim(low, high)
    steps = [-500, -200, -100, -50, -20, -10, -5, 0, 5, 10, 20, 50, 100, 200, 500]
    if within > 0 and max(-low, high) <= 500:
        ax.set_yticks(
            [s for s in steps if low <= s <= high], labels=[f"{s:+d}" if s else "0" for s in steps if low <= s <= high]
        )
    ax.minorticks_off()
    ax.set(xlabel="Published energy (J m$^{-2}$)", ylabel="Computed − published (mJ m$^{-2}$)")
    ax.text(
        1.0,
        within,
        f"±{within:g} ",
        transform=ax.get_yaxis_transform(),
        ha="right",
        va="bottom",
        fontsize=7,
        color=BLUE,
    )


def _scatter(ax: Axes, data: pd.DataFrame, y: pd.Series) -> None:
    names = {"reached": "reached", "lower": "lower than published", "missed": "missed"}
    for outcome in OUTCOMES:
        colour, marker, size = _STYLES[outcome]
        chosen = data["outcome"] == outcome
        if chosen.any():
            ax.scatter(
                data.loc[chosen, "published_energy_j_m2"], y[chosen], s=size, c=colour, marker=marker,
                edgecolors="white", linewidths=0.4, label=names[outcome], zorder=3,
            )  # fmt: skip
