"""Order in a particle against annealing time, by mutual information (Leitherer's thesis (2021), figures 6.10 and D.6)."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from gbscape.crystal.annealing import CHANGE_COLUMNS, HISTOGRAM_COLUMNS, RADIAL_COLUMNS, RADIUS_ANGSTROM, change_at
from gbscape.crystal.map_file import StridedMap
from gbscape.figures.columns import require_columns
from gbscape.figures.crystal_style import MUTUAL_INFORMATION, UNCERTAINTY_COLOURS, upper_limit
from gbscape.figures.strided_map import SLICE_COLUMNS, draw_outline, draw_values, plane_of, signed, strided_map_data
from gbscape.figures.style import BLUE, GREY, ORANGE, VERMILION, draw_message, figure

# From pale to strong with time.
_COLOURS = (ORANGE, VERMILION, BLUE, "#08306B", "#000000")
_DASHES = ("-", (0, (4, 1.5)), (0, (1.5, 1.5)))


def annealing_slices(
    maps: Mapping[float, StridedMap], positions: Mapping[float, ArrayLike] | None = None, slices: int = 5
) -> pd.DataFrame:
    """Central slices of each map, `minutes` and the columns of `gbscape.figures.strided_map.strided_map_data`.

    Args:
        maps: by annealing time in minutes.
        positions: (n, 3) of the atoms by annealing time, for the outer surface.
        slices: of each map.

    Raises:
        ValueError: as `strided_map_data`.
    """
    tables = [
        strided_map_data(m, (), positions=None if positions is None else positions[minutes], slices=slices).assign(
            minutes=minutes
        )
        for minutes, m in sorted(maps.items())
    ]
    columns = ["minutes", *SLICE_COLUMNS]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def plot_annealing_slices(data: pd.DataFrame, path: str | Path) -> None:
    """Draw the mutual information in the slices, a row for each annealing time, all in one scale.

    Args:
        data: as `annealing_slices` returns it.
        path: the picture.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, ["minutes", *SLICE_COLUMNS], "the data of an annealing series")
    if data.empty:
        draw_message(path, "There is no annealing series.")
        return
    times, slices = sorted(data["minutes"].unique()), sorted(data["slice"].unique())
    limit = upper_limit(data["mutual_information"].to_numpy(float))
    with figure(path, 1.75 * len(slices) + 1.2, 1.75 * len(times) + 0.5) as fig:
        grid = fig.subplots(len(times), len(slices), sharex=True, sharey=True, squeeze=False)
        for line, minutes in enumerate(times):
            for column, part in enumerate(slices):
                ax = grid[line, column]
                rows = data[(data["minutes"] == minutes) & (data["slice"] == part)]
                axes = plane_of(rows)
                draw_values(ax, rows, "mutual_information", axes, UNCERTAINTY_COLOURS, limit)
                draw_outline(ax, rows, axes, "white")
                across = next(axis for axis in "xyz" if axis not in axes)
                ax.set_title(f"{across} = {signed(rows[across].iloc[0])} Å", fontsize=7.5)
                if column == 0:
                    ax.set_ylabel(f"{minutes:g} min\n{axes[1]} (Å)")
                if line + 1 == len(times):
                    ax.set_xlabel(f"{axes[0]} (Å)")
        fig.colorbar(
            ScalarMappable(Normalize(0, limit), UNCERTAINTY_COLOURS), ax=grid, label=MUTUAL_INFORMATION, extend="max",
            shrink=0.6,
        )  # fmt: skip


def plot_annealing(
    histogram: pd.DataFrame, radial: pd.DataFrame, change: pd.DataFrame, path: str | Path,
    radius_angstrom: float = RADIUS_ANGSTROM,
) -> None:  # fmt: skip
    """Draw the histogram and cumulative distribution of low mutual information, its radial medians, and the fractional
    change of their cumulative sums from one annealing time to a later one.

    Args:
        histogram, radial, change: of `gbscape.crystal.annealing`.
        path: the picture.
        radius_angstrom: at which the changes are read off and written down.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(histogram, HISTOGRAM_COLUMNS, "the histogram of an annealing series")
    require_columns(radial, RADIAL_COLUMNS, "the radial medians of an annealing series")
    require_columns(change, CHANGE_COLUMNS, "the changes of an annealing series")
    if histogram.empty:
        draw_message(path, "There is no annealing series.")
        return
    times = sorted(histogram["minutes"].unique())
    colours = {minutes: _COLOURS[i % len(_COLOURS)] for i, minutes in enumerate(times)}
    with figure(path, 7.6, 5.6) as fig:
        (a, b), (c, d) = fig.subplots(2, 2)
        for minutes in times:
            rows = histogram[histogram["minutes"] == minutes]
            edges = [*rows["lower_bits"], rows["upper_bits"].iloc[-1]]
            style = {"color": colours[minutes], "label": f"{minutes:g} min", "lw": 1.4}
            a.stairs(100 * rows["share"], edges, **style)
            b.plot(rows["upper_bits"], 100 * rows["cumulative_share"], **style)
            rows = radial[radial["minutes"] == minutes]
            c.plot((rows["lower_angstrom"] + rows["upper_angstrom"]) / 2, rows["median_bits"], **style)
        a.set(xlabel=MUTUAL_INFORMATION, ylabel="Boxes (% of all)", ylim=(0, None))
        b.set(xlabel=MUTUAL_INFORMATION, ylabel="Boxes up to there (% of all)", ylim=(0, None))
        c.set(xlabel="Distance from the middle (Å)", ylabel="Median in the shell (bits)", ylim=(0, None))
        at_radius = change_at(change, radius_angstrom).set_index(["from_minutes", "to_minutes"])["fractional_change"]
        for number, (pair, rows) in enumerate(change.groupby(["from_minutes", "to_minutes"], sort=False)):
            first, second = pair
            value = f", {100 * at_radius[pair]:+.0f} %".replace("-", "−") if pair in at_radius.index else ""
            d.plot(
                rows["radius_angstrom"], 100 * rows["fractional_change"], color=colours[second],
                ls=_DASHES[number % len(_DASHES)], label=f"{first:g} to {second:g} min{value}",
            )  # fmt: skip
        d.axhline(0, color=GREY, lw=0.8)
        d.axvline(radius_angstrom, color=GREY, lw=0.8, ls=(0, (1, 1.5)))
        d.set(xlabel="Radius (Å)", ylabel="Change of the sum\nup to there (%)")
        if len(change):
            d.legend(title=f"change at {radius_angstrom:g} Å", title_fontsize=7.5, fontsize=7)
        b.legend()
        for ax in (a, b):
            ax.xaxis.set_major_locator(MaxNLocator(5))
        for ax, letter in zip((a, b, c, d), "abcd", strict=True):
            ax.set_title(letter, weight="bold")
            ax.grid(axis="y")
