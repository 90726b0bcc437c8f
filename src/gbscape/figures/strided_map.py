"""Strided maps as pictures: which crystal where, and how sure that is (Leitherer's thesis (2021), figures 6.2, 6.4 to 6.8,
D.2, D.3 and D.5)."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from ase import Atoms
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import binary_fill_holes
from scipy.spatial import cKDTree

from gbscape.crystal.map_file import StridedMap
from gbscape.figures.columns import require_columns
from gbscape.figures.crystal_style import (
    MUTUAL_INFORMATION,
    NO_VALUE_COLOUR,
    OTHER,
    PROBABILITY_COLOURS,
    UNCERTAINTY_COLOURS,
    class_colours,
    colour_key,
    crystal_label,
    joined_rare,
    listed,
    most_frequent,
    upper_limit,
    with_no_value,
)
from gbscape.figures.style import INK, VERMILION, draw_message, figure
from gbscape.structure.nearest_neighbours import nearest_neighbour_distances
from gbscape.structure.superalloy import PRECIPITATE

if TYPE_CHECKING:  # a part of matplotlib that only pictures in space need
    from mpl_toolkits.mplot3d import Axes3D
    from mpl_toolkits.mplot3d.art3d import Line3DCollection

Axis = Literal["x", "y", "z"]

SLICE_COLUMNS = [
    "slice", "x", "y", "z", "n_atoms", "class", "probability", "mutual_information", "predictive_entropy", "inside",
]  # fmt: skip
"""Of `strided_map_data`; after them `probability <class>` of each class shown."""
CORNER_COLUMNS = ["sample", "x", "y", "z"]
VOLUME_COLUMNS = ["sample", "class", "x", "y", "z", "step_x", "step_y", "step_z", "probability"]

_AXES: tuple[Axis, ...] = ("x", "y", "z")
_PROBABILITY_OF = "probability "
_WIDTH_INCH, _HEIGHT_INCH = 2.15, 2.15
_SLICES, _SLICED_CLASSES = 3, 4
"""Middle layers of a map in three dimensions that are drawn, and most frequent classes."""
_NAMED_CLASSES = 8
"""So many classes have a colour in maps of the most likely class."""
_LONG = 1.8
"""Height over width of a panel, at most."""
_CLEARLY = 0.7
"""Share of the boxes along z that are clearly fewer."""
_REACH = 1.5
"""Median nearest-neighbour distances to which a box's centre counts as inside the sample."""


def strided_map_data(
    strided_map: StridedMap,
    classes: Sequence[str] | None = None,
    *,
    positions: ArrayLike | None = None,
    slices: int = 1,
    normal: Axis = "z",
    most_classes: int = _SLICED_CLASSES,
) -> pd.DataFrame:
    """The map of a slab or a rod, or central slices of a map in three dimensions, a row a box.

    Args:
        strided_map: the map.
        classes: whose probability is shown; None takes the `most_classes` that are most often the most probable one.
        positions: (n, 3) of the sample's atoms, which say where its outer surface is; None: not drawn.
        slices: number of neighbouring layers around the middle one, of a map in three dimensions.
        normal: axis across the layers.
        most_classes: see `classes`.

    Returns:
        `SLICE_COLUMNS` and the probabilities; `slice` counts from 0 upwards along `normal`. `class` is empty in boxes that are
        not classified; `inside` says whether the centre is in the sample, empty without positions.

    Raises:
        MapError: a class that the map does not have.
        ValueError: less than one slice, or not a number of them that the map has.
    """
    layers = _layers(strided_map, slices, normal)
    along = _AXES.index(normal)
    of_box = np.unravel_index(strided_map.grid_index, strided_map.grid.shape)[along]
    chosen = strided_map.take(np.isin(of_box, layers))
    shown = most_frequent(strided_map.labels, most_classes) if classes is None else list(classes)
    centres = chosen.centres_angstrom()
    number = np.unravel_index(chosen.grid_index, chosen.grid.shape)[along] - layers[0]
    inside: NDArray = np.full(len(chosen), np.nan)
    if positions is not None:
        points = np.asarray(positions, dtype=np.float64)
        reach = _REACH * float(np.median(nearest_neighbour_distances(points)))
        inside = (cKDTree(points).query(centres)[0] <= reach).astype(float)
    values = (
        number, *centres.T, chosen.n_atoms, chosen.labels, chosen.top_probability[:, 0], chosen.mutual_information,
        chosen.predictive_entropy, inside,
    )  # fmt: skip
    data = pd.DataFrame(dict(zip(SLICE_COLUMNS, values, strict=True)))
    for label in shown:
        data[_PROBABILITY_OF + label] = chosen.probability(label)
    return data.sort_values(["slice", "x", "y", "z"], ignore_index=True)


def picture_data(
    strided_map: StridedMap, classes: Sequence[str] | None = None, positions: ArrayLike | None = None
) -> pd.DataFrame:
    """Data of the picture of a map, as `strided_map_data`: the layer of a slab, the curve of a rod, or the three middle layers
    of a map in three dimensions, across the axis along which it is clearly the shortest, else across z.
    """
    shape = strided_map.grid.shape
    shortest = int(np.argmin(shape))
    normal = _AXES[shortest] if shape[shortest] < _CLEARLY * shape[2] else "z"
    slices = min(_SLICES, shape[_AXES.index(normal)])
    return strided_map_data(strided_map, classes, positions=positions, slices=slices, normal=normal)


def volume_class(strided_map: StridedMap, classes: Sequence[str] | None = None) -> str | None:
    """The class that is drawn in space: the last one of those shown, else the rarest of the frequent ones; None where no box is
    classified.
    """
    return next(reversed(list(classes or strided_map.most_frequent(_SLICED_CLASSES))), None)


def plot_strided_map(data: pd.DataFrame, path: str | Path, unit: str = "Å") -> None:
    """Draw the probabilities of the classes shown, the most likely class, and the mutual information.

    A map in one dimension becomes curves. One slice fills rows of at most three panels; more slices get a row each.

    Args:
        data: as `strided_map_data` returns it, or read back from its table.
        path: the picture (.svg, .png or .pdf).
        unit: of the positions: pixels for those of an image.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, SLICE_COLUMNS, "the data of a strided map")
    if data.empty or not data["class"].fillna("").astype(bool).any():
        draw_message(path, "No box of this map is classified.")
        return
    data = data.assign(**{"class": data["class"].fillna("")})
    axes = _plane(data)
    if len(axes) < 2:
        _plot_profile(data, path, unit, axes[0] if axes else "x")
        return
    if _extent(data, axes[1]) > _LONG * _extent(data, axes[0]):
        axes = axes[::-1]  # long samples lie
    slices = sorted(data["slice"].unique())
    shown = classes_shown(data)
    panels = [*shown, "class", "mutual_information"]
    lines = len(slices) if len(slices) > 1 else -(-len(panels) // 3)
    columns = len(panels) if len(slices) > 1 else -(-len(panels) // lines)
    ratio = float(np.clip(_extent(data, axes[1]) / _extent(data, axes[0]), 0.35, _LONG))
    width, height = columns * _WIDTH_INCH + 1.3, lines * (_HEIGHT_INCH * ratio + 0.35) + 0.3
    named = most_frequent(data["class"], _NAMED_CLASSES)
    limit = upper_limit(data["mutual_information"].to_numpy(float))
    with figure(path, width, height) as fig:
        grid = fig.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        places = [(part, panel) for part in slices for panel in panels]
        for number, ax in enumerate(grid.flat):
            if number >= len(places):
                ax.set_visible(False)
                continue
            part, panel = places[number]
            rows = data[data["slice"] == part]
            if panel == "class":
                draw_classes(ax, rows, axes, named)
                title = "most likely class"
            elif panel == "mutual_information":
                draw_values(ax, rows, panel, axes, UNCERTAINTY_COLOURS, limit)
                title = "mutual information"
            else:
                draw_values(ax, rows, _PROBABILITY_OF + panel, axes, PROBABILITY_COLOURS, 1.0)
                title = crystal_label(panel)
            draw_outline(ax, rows, axes, "white" if panel == "mutual_information" else INK)
            if number < columns or len(slices) == 1:
                ax.set_title(title)
            if number % columns == 0:
                across = _slice_label(rows, axes, unit) if len(slices) > 1 else ""
                ax.set_ylabel(f"{across}{axes[1]} ({unit})")
            if number + columns >= len(places):
                ax.set_xlabel(f"{axes[0]} ({unit})")
                ax.tick_params(labelbottom=True)
        _draw_keys(fig, grid, named, data, limit, bool(shown))


def classes_shown(data: pd.DataFrame) -> list[str]:
    """Classes whose probability is in data of `strided_map_data`."""
    return [str(c).removeprefix(_PROBABILITY_OF) for c in data if str(c).startswith(_PROBABILITY_OF)]


def class_volume_data(maps: Mapping[str, StridedMap], label: str | None) -> pd.DataFrame:
    """Probability of one class in all boxes of maps in three dimensions, `VOLUME_COLUMNS`; NaN where not classified.

    Args:
        maps: by the name of the sample, as it is to be printed.
        label: the class, e.g. that of a precipitate; None: there is none, and nothing to be drawn.

    Raises:
        MapError: a map does not have the class.
    """
    if label is None:
        return pd.DataFrame(columns=VOLUME_COLUMNS)
    tables = []
    for name, strided_map in maps.items():
        step = [
            float(np.diff(lower).min()) if len(lower) > 1 else edge
            for lower, edge in zip(strided_map.grid.lower_angstrom, strided_map.grid.edge_angstrom, strict=True)
        ]
        values = (name, label, *strided_map.centres_angstrom().T, *step, strided_map.probability(label))
        tables.append(pd.DataFrame(dict(zip(VOLUME_COLUMNS, values, strict=True))))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=VOLUME_COLUMNS)


def true_corners(samples: Mapping[str, Atoms]) -> pd.DataFrame:
    """Lowest and highest corner of the precipitate in samples that have one (array `phase`), `CORNER_COLUMNS`."""
    rows = [
        (name, *corner)
        for name, atoms in samples.items()
        if "phase" in atoms.arrays
        for corner in outer_corners(atoms, "phase", PRECIPITATE)
    ]
    return pd.DataFrame(rows, columns=CORNER_COLUMNS)


def plot_class_volume(
    data: pd.DataFrame, truth: pd.DataFrame | None, path: str | Path, least_probability: float = 0.5
) -> None:
    """Draw the boxes in which a class has at least some probability as a solid, for each sample beside one another.

    Args:
        data: as `class_volume_data` returns it.
        truth: as `true_corners` returns it, drawn as dashed edges; None: not drawn.
        path: the picture.
        least_probability: what is drawn.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, VOLUME_COLUMNS, "the data of a class in space")
    samples = list(dict.fromkeys(data["sample"]))
    if not samples:
        draw_message(path, "There is nothing to be drawn in space: no map, or no box classified.")
        return
    label = crystal_label(str(data["class"].iloc[0]))
    with figure(path, 3.1 * len(samples) + 0.9, 3.1) as fig:
        grid = fig.subplots(1, len(samples), subplot_kw={"projection": "3d"}, squeeze=False)
        for ax, name in zip(grid[0], samples, strict=True):
            rows = data[data["sample"] == name]
            _draw_volume(ax, rows, least_probability)
            corners = (
                np.empty((0, 3)) if truth is None else truth.loc[truth["sample"] == name, list(_AXES)].to_numpy(float)
            )
            if len(corners):
                ax.add_collection3d(_box_edges(corners, color=INK, linewidths=0.9, linestyles=(0, (3, 2))))
            share = float((rows["probability"] >= least_probability).sum() / max(rows["probability"].notna().sum(), 1))
            ax.set_title(f"{name}\n{label}: {100 * share:.1f} % of the boxes", fontsize=8.5)
        fig.colorbar(
            ScalarMappable(Normalize(0, 1), PROBABILITY_COLOURS), ax=list(grid[0]), shrink=0.6, pad=0.08,
            label=f"Probability of {label}",
        )  # fmt: skip


def draw_classes(ax: Axes, rows: pd.DataFrame, axes: Sequence[Axis], named: Sequence[str]) -> None:
    """Colour each box of one layer by its most likely class; those that are not `named` are others."""
    keys = [*named, OTHER]
    names = joined_rare(rows["class"].fillna("").to_list(), named)
    codes = pd.Index(keys).get_indexer(pd.Index(names)).astype(float)
    codes[codes < 0] = np.nan
    scale = listed(list(class_colours(keys).values()))
    _draw_image(ax, rows, codes, axes, scale, -0.5, len(keys) - 0.5)


def draw_values(ax: Axes, rows: pd.DataFrame, column: str, axes: Sequence[Axis], scale: object, limit: float) -> None:
    """Colour each box of one layer by a value from 0 to a limit."""
    _draw_image(ax, rows, rows[column].to_numpy(float), axes, with_no_value(scale), 0.0, limit)  # type: ignore[arg-type]


def plane_of(data: pd.DataFrame) -> list[Axis]:
    """The axes along which the boxes of a layer differ, one or two."""
    return _plane(data)


def signed(value: float) -> str:
    """A number with one decimal and a proper minus sign."""
    return f"{value:.1f}".replace("-", "−")


def _layers(strided_map: StridedMap, slices: int, normal: Axis) -> NDArray[np.int64]:
    depth = strided_map.grid.shape[_AXES.index(normal)]
    if not 1 <= slices <= depth:
        raise ValueError(f"a map with {depth} layers along {normal} has no {slices} slices")
    first = (depth - slices) // 2
    return np.arange(first, first + slices)


def _plane(data: pd.DataFrame) -> list[Axis]:
    first = data[data["slice"] == data["slice"].iloc[0]]
    return [axis for axis in _AXES if first[axis].nunique() > 1]


def _extent(data: pd.DataFrame, axis: Axis) -> float:
    return float(data[axis].max() - data[axis].min())


def _slice_label(rows: pd.DataFrame, axes: Sequence[Axis], unit: str) -> str:
    across = next(axis for axis in _AXES if axis not in axes)
    return f"{across} = {signed(rows[across].iloc[0])} {unit}\n"


def _image(rows: pd.DataFrame, values: NDArray, axes: Sequence[Axis]) -> tuple[NDArray, tuple[float, ...]]:
    """Values (n_up, n_right) and extent of a layer; NaN where it has no box."""
    along = [np.unique(rows[axis]) for axis in axes]
    # Boxes of an adaptive map that are left out leave gaps: the step is the smallest one.
    steps = [float(np.diff(places).min()) for places in along]
    counts = [round(float(np.ptp(p)) / s) + 1 for p, s in zip(along, steps, strict=True)]
    index = [np.rint((rows[a].to_numpy() - p[0]) / s).astype(int) for a, p, s in zip(axes, along, steps, strict=True)]
    image = np.full(counts[::-1], np.nan)
    image[index[1], index[0]] = values
    limits = [(p[0] - s / 2, p[0] + (n - 0.5) * s) for p, s, n in zip(along, steps, counts, strict=True)]
    return image, (*limits[0], *limits[1])


def _draw_image(
    ax: Axes, rows: pd.DataFrame, values: NDArray, axes: Sequence[Axis], scale: object, low: float, high: float
) -> None:
    image, extent = _image(rows, values, axes)
    ax.imshow(
        np.ma.masked_invalid(image), origin="lower", extent=extent, cmap=scale, vmin=low, vmax=high,  # type: ignore[arg-type]
        interpolation="nearest", aspect="equal",
    )  # fmt: skip
    for spine in ax.spines.values():
        spine.set(visible=True, linewidth=0.5, color="#777777")


def draw_outline(ax: Axes, rows: pd.DataFrame, axes: Sequence[Axis], colour: str) -> None:
    """Draw the outer surface of the sample, dashed, where the data know it."""
    inside, extent = _image(rows, rows["inside"].to_numpy(float), axes)
    if np.isnan(inside).all() or np.nanmin(inside) == np.nanmax(inside):
        return
    up, right = inside.shape
    x = extent[0] + (np.arange(right) + 0.5) * (extent[1] - extent[0]) / right
    y = extent[2] + (np.arange(up) + 0.5) * (extent[3] - extent[2]) / up
    filled = binary_fill_holes(np.nan_to_num(inside) > 0.5).astype(float)
    ax.contour(x, y, filled, levels=[0.5], colors=colour, linewidths=0.8, linestyles="dashed")


def _draw_keys(
    fig: Figure, grid: NDArray[np.object_], named: Sequence[str], data: pd.DataFrame, limit: float, probabilities: bool
) -> None:
    keys = [*named, *([OTHER] if set(data["class"]) - {*named, ""} else [])]
    colours = class_colours(keys)
    entries = colour_key([crystal_label(k) for k in keys], colours.values())
    if (data["class"] == "").any():
        entries += colour_key(["not classified"], [NO_VALUE_COLOUR])
    legend = fig.legend(handles=entries, loc="outside right upper", title="most likely class", title_fontsize=8)
    legend.set_alignment("left")
    # The scale of probabilities stands below the columns at the left, that of the mutual information below the last one.
    last = max(grid.shape[1] - 1, 1)
    bars = [(grid[:, last:], UNCERTAINTY_COLOURS, limit, MUTUAL_INFORMATION, "max")]
    if probabilities:
        bars.append((grid[:, :last], PROBABILITY_COLOURS, 1.0, "Probability of the class", "neither"))
    for places, scale, top, text, extend in bars:
        fig.colorbar(
            ScalarMappable(Normalize(0, top), scale), ax=places.ravel().tolist(), location="bottom", label=text, extend=extend,
            shrink=0.9 if places.shape[1] == 1 else 0.5, aspect=22, pad=0.02,
        )  # fmt: skip


def _plot_profile(data: pd.DataFrame, path: str | Path, unit: str, axis: Axis) -> None:
    rows = data.sort_values(axis)
    shown = classes_shown(data)
    colours = class_colours(shown)
    with figure(path, 6.4, 3.6) as fig:
        upper, lower = fig.subplots(2, 1, sharex=True)
        for label in shown:
            upper.plot(
                rows[axis], rows[_PROBABILITY_OF + label], color=colours[label], marker="o", ms=3,
                label=crystal_label(label),
            )  # fmt: skip
        upper.set(ylim=(-0.03, 1.03), ylabel="Probability")
        lower.plot(rows[axis], rows["mutual_information"], color=VERMILION, marker="o", ms=3)
        lower.set(ylim=(0, None), ylabel=MUTUAL_INFORMATION, xlabel=f"{axis} ({unit})")
        for ax in (upper, lower):
            ax.grid(axis="y")
        fig.legend(loc="outside right upper", title="class", title_fontsize=8)


_FACES = (  # corners of the faces of a unit cube, and how bright they are: x, y and z as seen from above the front
    (0, np.array([(0, 0, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1)]), 0.80),
    (1, np.array([(0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 1)]), 0.90),
    (2, np.array([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)]), 1.0),
)


def _draw_volume(ax: "Axes3D", rows: pd.DataFrame, least_probability: float) -> None:
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    steps = [float(rows[f"step_{axis}"].iloc[0]) for axis in _AXES]
    places = rows[list(_AXES)].to_numpy(float)
    low = places.min(axis=0)
    index = np.rint((places - low) / steps).astype(int)
    probability = np.full(index.max(axis=0) + 1, np.nan)
    probability[tuple(index.T)] = rows["probability"]
    solid = np.pad(np.nan_to_num(probability) >= least_probability, 1)
    faces, colours = [], []
    for axis, corners, brightness in _FACES:
        # The outer faces: solid on one side, not on the other.
        for side, shifted in ((0, np.roll(solid, 1, axis)), (1, np.roll(solid, -1, axis))):
            which = np.argwhere(solid & ~shifted) - 1
            offset = np.zeros(3)
            offset[axis] = side
            faces.append((which[:, None] + corners + offset - 0.5) * steps + low)
            rgba = PROBABILITY_COLOURS(probability[tuple(which.T)])
            rgba[:, :3] *= brightness
            colours.append(rgba)
    if solid.any():
        ax.add_collection3d(
            Poly3DCollection(np.concatenate(faces), facecolors=np.concatenate(colours), edgecolors="#00000030",
                             linewidths=0.15, rasterized=True)
        )  # fmt: skip
    high = places.max(axis=0)
    ax.add_collection3d(_box_edges(np.array([low, high]), color="#777777", linewidths=0.6))
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), zlim=(low[2], high[2]))
    edges = high - low + 1e-9
    # The longest edge is as long as that of a cube would be: nothing is cut off.
    ax.set_box_aspect(edges, zoom=1.05 * float(np.linalg.norm(edges) / (np.sqrt(3) * edges.max())))
    ax.view_init(elev=22, azim=-58)
    ax.set_axis_off()


def _box_edges(corners: NDArray, **style: object) -> "Line3DCollection":
    from mpl_toolkits.mplot3d.art3d import Line3DCollection

    low, high = corners
    segments = []
    for axis in range(3):
        for others in np.ndindex(2, 2):
            start = np.insert(np.where(others, np.delete(high, axis), np.delete(low, axis)), axis, low[axis])
            end = start.copy()
            end[axis] = high[axis]
            segments.append((start, end))
    return Line3DCollection(segments, **style)  # type: ignore[arg-type]


def outer_corners(atoms: Atoms, array: str, value: object) -> NDArray[np.float64]:
    """Lowest and highest corner (2, 3) of the atoms that have a value in one of their arrays, such as those of a phase."""
    chosen: Iterable = atoms.positions[atoms.arrays[array] == value]
    points = np.asarray(chosen)
    return np.array([points.min(axis=0), points.max(axis=0)])
