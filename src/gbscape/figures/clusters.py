"""Clusters of boxes by the representations inside the network: where they are, and what they have in common (Leitherer's thesis
(2021), figures 6.3, 6.9, D.1 and D.4)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_rgba, to_rgba_array
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from gbscape.crystal.map_file import StridedMap
from gbscape.figures.columns import require_columns
from gbscape.figures.crystal_style import (
    MUTUAL_INFORMATION,
    NO_VALUE_COLOUR,
    OTHER,
    OUTLIER_COLOUR,
    UNCERTAINTY_COLOURS,
    class_colours,
    cluster_colours,
    crystal_label,
    joined_rare,
    marker_key,
    most_frequent,
    upper_limit,
)
from gbscape.figures.style import draw_message, figure
from gbscape.learn.clustering import OUTLIER, Clusters

CLUSTER_COLUMNS = [
    "layer", "box", "x", "y", "z", "class", "mutual_information", "angle", "cluster", "membership", "umap_1", "umap_2",
]  # fmt: skip
"""A row for each layer and box that was clustered."""
DIFFERENCE_COLUMNS = [
    "cluster",
    "lower_angstrom",
    "upper_angstrom",
    "density",
    "boxes",
    "mean_angstrom",
    "std_angstrom",
]

_NAMED_CLASSES, _NAMED_CLUSTERS = 6, 10


def cluster_data(
    strided_map: StridedMap, layers: Mapping[str, tuple[Clusters, ArrayLike]], boxes: ArrayLike
) -> pd.DataFrame:
    """What was found for each clustered box, `CLUSTER_COLUMNS`.

    `angle` is that of the box around the middle of the clustered boxes in the x-y plane, in radian from 0 to 2 pi.

    Args:
        strided_map: the map of the boxes.
        layers: clusters and map in two dimensions (m, 2) by the name of the layer.
        boxes: (m,) places of the clustered boxes in the map's list, which all must be classified.

    Raises:
        ValueError: not one cluster and point a box, or a box that is not classified.
    """
    chosen = strided_map.take(np.asarray(boxes))
    if not chosen.classified.all():
        raise ValueError(f"{int((~chosen.classified).sum())} of the clustered boxes are not classified")
    centres = chosen.centres_angstrom()
    across = centres - (centres.min(axis=0) + centres.max(axis=0)) / 2 if len(centres) else centres
    angle = np.arctan2(across[:, 1], across[:, 0]) % (2 * np.pi)
    tables = []
    for layer, (clusters, embedding) in layers.items():
        points = np.asarray(embedding, dtype=float)
        if clusters.labels.shape != (len(chosen),) or points.shape != (len(chosen), 2):
            raise ValueError(
                f"{layer}: expected clusters and points of {len(chosen)} boxes, got {clusters.labels.shape} and {points.shape}"
            )
        values = (
            layer, chosen.grid_index, *centres.T, chosen.labels, chosen.mutual_information, angle, clusters.labels,
            clusters.membership, *points.T,
        )  # fmt: skip
        tables.append(pd.DataFrame(dict(zip(CLUSTER_COLUMNS, values, strict=True))))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=CLUSTER_COLUMNS)


def plot_clusters(data: pd.DataFrame, path: str | Path, unit: str = "Å", layer: str | None = None) -> None:
    """Draw the clusters of one layer in the sample and in the map of representations; this also by class, mutual
    information and, for the map of a slab, angle around the sample's middle.

    Of samples in three dimensions the middle layer is drawn.

    Args:
        data: as `cluster_data` returns it.
        path: the picture.
        unit: of the positions.
        layer: which one, of data with several.

    Raises:
        ValueError: a column is missing, or more than one layer.
    """
    require_columns(data, CLUSTER_COLUMNS, "the data of the clusters")
    if layer is not None:
        data = data[data["layer"] == layer]
    if data.empty:
        draw_message(path, "No box was clustered.")
        return
    if data["layer"].nunique() > 1:
        raise ValueError(f"a picture of clusters is of one layer, got {', '.join(map(str, data['layer'].unique()))}")
    is_slab = data["z"].nunique() == 1
    columns = 3 if is_slab else 2
    with figure(path, 2.6 * columns + 1.4, 5.6) as fig:
        grid = fig.subplots(2, columns)
        places = iter(grid.flat)
        ax = next(places)
        _draw_sample(ax, data, unit)
        ax.set_title("clusters in the sample")
        ax = next(places)
        _draw_points(ax, data, _cluster_colour(data["cluster"]))
        ax.set_title("representations, by cluster")
        numbers = sorted(set(data["cluster"]) - {OUTLIER})
        names = [f"{n} ({(data['cluster'] == n).sum()})" for n in numbers[:_NAMED_CLUSTERS]]
        key = marker_key(
            [*names, f"outliers ({(data['cluster'] == OUTLIER).sum()})"],
            [*cluster_colours(len(numbers))[:_NAMED_CLUSTERS], OUTLIER_COLOUR],
        )
        more = f"\n{len(numbers) - _NAMED_CLUSTERS} more not named" if len(numbers) > _NAMED_CLUSTERS else ""
        fig.legend(handles=key, loc="outside right upper", title=f"cluster (boxes){more}", title_fontsize=8)
        ax = next(places)
        named = most_frequent(data["class"], _NAMED_CLASSES)
        labels = joined_rare(data["class"].to_list(), named)
        colours = class_colours([*named, OTHER])
        _draw_points(ax, data, [colours[label] for label in labels])
        ax.set_title("by most likely class")
        shown = [*named, *([OTHER] if (labels == OTHER).any() else [])]
        fig.legend(
            handles=marker_key([crystal_label(n) for n in shown], [colours[n] for n in shown]), loc="outside right lower",
            title="class", title_fontsize=8,
        )  # fmt: skip
        ax = next(places)
        values = data["mutual_information"].to_numpy(float)
        norm = Normalize(0, upper_limit(values))
        order = np.argsort(values, kind="stable")
        _draw_points(ax, data.iloc[order], UNCERTAINTY_COLOURS(norm(values[order])))
        ax.set_title("by mutual information")
        fig.colorbar(
            ScalarMappable(norm, UNCERTAINTY_COLOURS), ax=ax, location="bottom", label=MUTUAL_INFORMATION, extend="max"
        )
        if is_slab:
            for colour, title in (("umap", "by angle in the sample"), ("sample", "angle in the sample")):
                ax = next(places)
                _draw_angle(ax, data, colour == "sample", unit)
                ax.set_title(title)


def plot_cluster_layers(data: pd.DataFrame, path: str | Path, unit: str = "Å") -> None:
    """Draw the clusters of every layer, in the sample above and in the map of representations below.

    Args:
        data: as `cluster_data` returns it.
        path: the picture.
        unit: of the positions.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, CLUSTER_COLUMNS, "the data of the clusters")
    layers = list(dict.fromkeys(data["layer"]))
    if not layers:
        draw_message(path, "No box was clustered.")
        return
    with figure(path, 2.4 * len(layers) + 0.5, 4.9) as fig:
        grid = fig.subplots(2, len(layers), squeeze=False)
        for column, layer in enumerate(layers):
            rows = data[data["layer"] == layer]
            _draw_sample(grid[0, column], rows, unit, with_label=column == 0)
            count = len(set(rows["cluster"]) - {OUTLIER})
            outliers = 100 * (rows["cluster"] == OUTLIER).mean()
            grid[0, column].set_title(
                f"{str(layer).replace('_', ' ')}\n{count} clusters, {outliers:.0f} % outliers", fontsize=8.5
            )
            _draw_points(grid[1, column], rows, _cluster_colour(rows["cluster"]))


def difference_data(clusters: ArrayLike, difference_angstrom: ArrayLike, width_angstrom: float = 0.02) -> pd.DataFrame:
    """Histogram of a difference of distances in each cluster and among the outliers, `DIFFERENCE_COLUMNS`.

    All have the same bins, whose limits are multiples of the width; `density` integrates to 1 in each cluster.

    Args:
        clusters: (n,) numbers, `OUTLIER` for none.
        difference_angstrom: (n,) e.g. d_FeFe - d_PtPt; NaN is left out.
        width_angstrom: of the bins.

    Raises:
        ValueError: lengths that differ, or a width that is not positive.
    """
    of_box, difference = np.asarray(clusters), np.asarray(difference_angstrom, dtype=float)
    if of_box.shape != difference.shape or of_box.ndim != 1:
        raise ValueError(f"need one difference for each box, got {of_box.shape} and {difference.shape}")
    if not width_angstrom > 0:
        raise ValueError(f"the bins need a positive width in Angstrom, got {width_angstrom}")
    known = np.isfinite(difference)
    of_box, difference = of_box[known], difference[known]
    if len(difference) == 0:
        return pd.DataFrame(columns=DIFFERENCE_COLUMNS)
    first, last = (int(np.floor(end / width_angstrom)) for end in (difference.min(), difference.max()))
    limits = width_angstrom * np.arange(first, last + 2)
    tables = []
    for number in [*sorted(set(of_box.tolist()) - {OUTLIER}), OUTLIER]:
        values = difference[of_box == number]
        if len(values) == 0:
            continue
        density = np.histogram(values, limits)[0] / (len(values) * width_angstrom)
        columns = (number, limits[:-1], limits[1:], density, len(values), values.mean(), values.std())
        tables.append(pd.DataFrame(dict(zip(DIFFERENCE_COLUMNS, columns, strict=True))))
    return pd.concat(tables, ignore_index=True)


def plot_differences(data: pd.DataFrame, path: str | Path, species: tuple[str, str]) -> None:
    """Draw the histograms of the difference of two nearest-neighbour distances, a row for each cluster, by their means.

    Args:
        data: as `difference_data` returns it.
        path: the picture.
        species: the two species (A, B): the difference is d_AA - d_BB.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, DIFFERENCE_COLUMNS, "the data of the differences of distances")
    if data.empty:
        draw_message(path, "No box has two atoms of both species.")
        return
    means = data.groupby("cluster")["mean_angstrom"].first()
    order = [*means.drop(OUTLIER, errors="ignore").sort_values().index, *([OUTLIER] if OUTLIER in means else [])]
    colours = cluster_colours(int(data["cluster"].max()) + 1)
    with figure(path, 4.6, 0.55 * len(order) + 0.9) as fig:
        grid = fig.subplots(len(order), 1, sharex=True, squeeze=False)[:, 0]
        for ax, number in zip(grid, order, strict=True):
            rows = data[data["cluster"] == number]
            colour = OUTLIER_COLOUR if number == OUTLIER else colours[number]
            edges = [*rows["lower_angstrom"], rows["upper_angstrom"].iloc[-1]]
            ax.stairs(rows["density"], edges, fill=True, color=colour)
            ax.axvline(0, color="#666666", lw=0.7, ls=(0, (3, 2)))
            first = rows.iloc[0]
            name = "outliers" if number == OUTLIER else f"cluster {number}"
            mean = f"{first['mean_angstrom']:+.3f}".replace("-", "−")
            ax.text(
                1.01, 0.5, f"{name}\n{mean} ± {first['std_angstrom']:.3f} Å\n{first['boxes']:.0f} boxes",
                transform=ax.transAxes, va="center", fontsize=6.5,
            )  # fmt: skip
            ax.set(yticks=[], ylim=(0, None))
            ax.spines["left"].set_visible(False)
        one, other = species
        grid[-1].set_xlabel(f"$d_{{{one}{one}}} - d_{{{other}{other}}}$ (Å)")


def _cluster_colour(clusters: "pd.Series[int]") -> list[str]:
    colours = cluster_colours(int(clusters.max()) + 1)
    return [OUTLIER_COLOUR if number == OUTLIER else colours[number] for number in clusters]


def _draw_points(ax: Axes, data: pd.DataFrame, colours: ArrayLike | Sequence[str]) -> None:
    """The map in two dimensions; its axes mean nothing and have no ticks."""
    size = np.clip(3e4 / len(data), 0.8, 12)
    ax.scatter(data["umap_1"], data["umap_2"], c=colours, s=size, lw=0, rasterized=True)
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set(visible=True, linewidth=0.5, color="#AAAAAA")
    ax.set_box_aspect(1)


def _middle_layer(data: pd.DataFrame) -> pd.DataFrame:
    heights = np.unique(data["z"])
    return data[data["z"] == heights[np.abs(heights - (heights[0] + heights[-1]) / 2).argmin()]]


def _squares(
    ax: Axes,
    rows: pd.DataFrame,
    colours: Sequence[str] | NDArray,
    data: pd.DataFrame,
    unit: str,
    with_label: bool = True,
) -> None:
    """Boxes of one layer of the data as squares of the stride: the least distance in all layers, for a layer may be sparse."""
    steps = [float(np.diff(np.unique(data[axis])).min()) if data[axis].nunique() > 1 else 1.0 for axis in "xy"]
    limits = [
        (data[axis].min() - step / 2, data[axis].max() + step / 2) for axis, step in zip("xy", steps, strict=True)
    ]
    counts = [round((high - low) / step) for (low, high), step in zip(limits, steps, strict=True)]
    image = np.tile(to_rgba(NO_VALUE_COLOUR), (counts[1], counts[0], 1))
    place = [
        np.rint((rows[axis].to_numpy() - low) / step - 0.5).astype(int)
        for axis, (low, _), step in zip("xy", limits, steps, strict=True)
    ]
    image[place[1], place[0]] = to_rgba_array(colours)  # type: ignore[arg-type]
    ax.imshow(image, origin="lower", extent=(*limits[0], *limits[1]), interpolation="nearest", aspect="equal")
    ax.set_xlabel(f"x ({unit})")
    if with_label:
        ax.set_ylabel(f"y ({unit})")
    for ticks in (ax.xaxis, ax.yaxis):
        ticks.set_major_locator(MaxNLocator(4))


def _draw_sample(ax: Axes, data: pd.DataFrame, unit: str, with_label: bool = True) -> None:
    rows = _middle_layer(data)
    colours = cluster_colours(int(data["cluster"].max()) + 1)
    _squares(
        ax, rows, [OUTLIER_COLOUR if n == OUTLIER else colours[n] for n in rows["cluster"]], data, unit, with_label
    )


def _draw_angle(ax: Axes, data: pd.DataFrame, in_sample: bool, unit: str) -> None:
    colours = colormaps["twilight_shifted"](data["angle"].to_numpy() / (2 * np.pi))
    if in_sample:
        _squares(ax, data, colours, data, unit)
    else:
        _draw_points(ax, data, colours)
