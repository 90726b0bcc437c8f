"""The Bain path from bcc to fcc: what a model says to tetragonal crystals (Leitherer's thesis (2021), figures 5.2 and C.1)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from gbscape.figures.columns import require_columns
from gbscape.figures.crystal_style import (
    MUTUAL_INFORMATION,
    OTHER,
    PROBABILITY_COLOURS,
    UNCERTAINTY_COLOURS,
    class_colours,
    colour_key,
    crystal_label,
    joined_rare,
    listed,
    upper_limit,
    with_no_value,
)
from gbscape.figures.style import INK, draw_message, figure

if TYPE_CHECKING:  # it imports torch
    from gbscape.crystal.bain import BainMap

BAIN_COLUMNS = ["a_angstrom", "c_angstrom", "class", "mutual_information"]
"""After them `probability <class>` of each class that is anywhere probable."""

TRAINING_GEOMETRIES = {
    "bcc": (3.155, 3.155),
    "fcc": (3.615, 5.112),
    "In": (3.253, 4.946),
    "alpha_Pa": (3.932, 3.238),
}
"""Lattice parameters a and c in Angstrom of the body-centred tetragonal cells in the training set (thesis, section 5.3)."""

_NAMED_CLASSES = 8
_PROBABILITY_OF = "probability "


def bain_path_data(bain_map: "BainMap", least_probability: float = 0.1) -> pd.DataFrame:
    """The map as a table, `BAIN_COLUMNS` and the probabilities of classes that reach `least_probability` anywhere, those
    of the training geometries first and the others by the share of the map in which they are most likely.
    """
    p = bain_map.probabilities.reshape(-1, len(bain_map.classes))
    a, c = np.meshgrid(bain_map.a_angstrom, bain_map.c_angstrom, indexing="ij")
    labels = bain_map.labels.ravel()
    values = (a.ravel(), c.ravel(), labels, bain_map.mutual_information_bits.ravel())
    data = pd.DataFrame(dict(zip(BAIN_COLUMNS, values, strict=True)))
    reached = [label for label, top in zip(bain_map.classes, p.max(axis=0), strict=True) if top >= least_probability]
    known = [label for label in TRAINING_GEOMETRIES if label in reached]
    others = [label for label in reached if label not in known]
    others.sort(key=lambda label: (-int((labels == label).sum()), -float(p[:, bain_map.classes.index(label)].max())))
    for label in (*known, *others):
        data[_PROBABILITY_OF + label] = p[:, bain_map.classes.index(label)]
    return data


def plot_bain_path(data: pd.DataFrame, path: str | Path) -> None:
    """Draw the most likely class and the mutual information, with lines of constant c/a through the training geometries,
    which are stars.

    Args:
        data: as `bain_path_data` returns it.
        path: the picture.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, BAIN_COLUMNS, "the data of the Bain path")
    if data.empty:
        draw_message(path, "There is no map of the Bain path.")
        return
    counts = data["class"].value_counts()
    named = [label for label in TRAINING_GEOMETRIES if label in counts]
    named += [label for label in counts.index if label not in named][: _NAMED_CLASSES - len(named)]
    keys = [*named, OTHER]
    colours = class_colours(keys)
    codes = pd.Index(keys).get_indexer(pd.Index(joined_rare(data["class"].to_list(), named))).astype(float)
    limit = upper_limit(data["mutual_information"].to_numpy(float))
    with figure(path, 8.2, 3.7) as fig:
        left, right = fig.subplots(1, 2, sharex=True, sharey=True)
        _draw(left, data, codes, listed(list(colours.values())), len(keys) - 0.5, low=-0.5)
        _draw(right, data, data["mutual_information"].to_numpy(float), UNCERTAINTY_COLOURS, limit)
        for ax, colour in ((left, INK), (right, "white")):
            _draw_training(ax, colour, with_ratio=True)
            ax.set_xlabel("a (Å)")
        left.set(title="most likely class", ylabel="c (Å)")
        right.set_title("mutual information")
        shown = [*named, *([OTHER] if (codes == len(keys) - 1).any() else [])]
        fig.legend(
            handles=colour_key([crystal_label(n) for n in shown], [colours[n] for n in shown]), loc="outside right upper",
            title="most likely class", title_fontsize=8,
        )  # fmt: skip
        fig.colorbar(
            ScalarMappable(Normalize(0, limit), UNCERTAINTY_COLOURS),
            ax=right,
            label=MUTUAL_INFORMATION,
            extend="max",
            shrink=0.8,
        )


def plot_bain_probabilities(data: pd.DataFrame, path: str | Path, most_classes: int = 12) -> None:
    """Draw the probability of each class that is anywhere probable.

    Args:
        data: as `bain_path_data` returns it.
        path: the picture.
        most_classes: the first so many are drawn.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, BAIN_COLUMNS, "the data of the Bain path")
    shown = [str(c).removeprefix(_PROBABILITY_OF) for c in data if str(c).startswith(_PROBABILITY_OF)][:most_classes]
    if not shown:
        draw_message(path, "No class is probable anywhere on the Bain path.")
        return
    columns = min(4, len(shown))
    lines = -(-len(shown) // columns)
    with figure(path, 1.95 * columns + 0.9, 2.05 * lines + 0.3) as fig:
        grid = fig.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        for number, ax in enumerate(grid.flat):
            if number >= len(shown):
                ax.set_visible(False)
                continue
            label = shown[number]
            _draw(ax, data, data[_PROBABILITY_OF + label].to_numpy(float), PROBABILITY_COLOURS, 1.0)
            _draw_training(ax, INK, with_ratio=False)
            share = 100 * (data["class"] == label).mean()
            ax.set_title(f"{crystal_label(label)}  ({share:.1f} %)", fontsize=8)
            if number % columns == 0:
                ax.set_ylabel("c (Å)")
            if number + columns >= len(shown):
                ax.set_xlabel("a (Å)")
                ax.tick_params(labelbottom=True)
        fig.colorbar(
            ScalarMappable(Normalize(0, 1), PROBABILITY_COLOURS), ax=grid, label="Probability of the class", shrink=0.7
        )


def _draw(ax: Axes, data: pd.DataFrame, values: NDArray, scale: Colormap, limit: float, low: float = 0.0) -> None:
    axes: Sequence[str] = ("a_angstrom", "c_angstrom")
    along = [np.unique(data[axis]) for axis in axes]
    image = np.full((len(along[1]), len(along[0])), np.nan)
    place = [np.searchsorted(places, data[axis]) for places, axis in zip(along, axes, strict=True)]
    image[place[1], place[0]] = values
    half = [float(np.diff(places).min()) / 2 if len(places) > 1 else 0.5 for places in along]
    extent = (*(along[0][[0, -1]] + (-half[0], half[0])), *(along[1][[0, -1]] + (-half[1], half[1])))
    ax.imshow(
        np.ma.masked_invalid(image), origin="lower", extent=extent, cmap=with_no_value(scale), vmin=low, vmax=limit,
        interpolation="nearest", aspect="equal",
    )  # fmt: skip


def _draw_training(ax: Axes, colour: str, with_ratio: bool) -> None:
    xlim, ylim = ax.get_xlim(), ax.get_ylim()
    halo = [withStroke(linewidth=2, foreground="white" if colour == INK else "black")]
    for label, (a, c) in TRAINING_GEOMETRIES.items():
        ratio = c / a
        ends = np.array([max(xlim[0], ylim[0] / ratio), min(xlim[1], ylim[1] / ratio)])
        if ends[0] < ends[1]:
            ax.plot(ends, ratio * ends, color=colour, lw=0.7)
        if xlim[0] <= a <= xlim[1] and ylim[0] <= c <= ylim[1]:
            ax.plot(a, c, marker="*", ms=9 if with_ratio else 6, color="white", mec="black", mew=0.6, ls="")
            if with_ratio:
                ax.annotate(
                    f"{crystal_label(label)} {ratio:.2f}", (a, c), (5, -8), textcoords="offset points", fontsize=6.5,
                    color=colour, path_effects=halo,
                )  # fmt: skip
    ax.set(xlim=xlim, ylim=ylim)
