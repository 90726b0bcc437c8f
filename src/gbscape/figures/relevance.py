"""The inverse scattering transform of one boundary, seen along its shorter period (as Homer et al. 2019, Fig. 3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import EllipseCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgba_array
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.spatial import ConvexHull, cKDTree

from gbscape.figures.labels import miller
from gbscape.figures.style import GREY, INK, figure
from gbscape.relevance.map_file import RelevanceMap
from gbscape.relevance.statistics import MEAN
from gbscape.relevance.symmetry import find_symmetry
from gbscape.store.new_hdf5 import new_hdf5
from gbscape.store.records import read_record, write_record
from gbscape.structure.lattice import Rows

Array = NDArray[np.float64]

# Blue and orange of equal lightness on either side of nearly white: told apart by colour-blind readers.
_COLOURS = LinearSegmentedColormap.from_list(
    "relevance",
    [(0, "#053061"), (0.18, "#2F79B5"), (0.38, "#B8D6E8"), (0.5, "#F7F7F5"), (0.62, "#FBC89B"), (0.82, "#D95F0E"), (1, "#7F2704")],
)  # fmt: skip
_HALF_WIDTH_ANGSTROM, _HEIGHT_ANGSTROM = 7.5, 20.0
_DISC_ANGSTROM = 1.15
_BEHIND_ANGSTROM = 0.4
"""Atoms nearer than this in the projection stand behind one another."""
_TITLES = {
    "survey": ("A  trained on {} boundaries", "relevance, from empty space"),
    "energy_at_rest": ("what the potential says", "energy above the crystal's"),
    "snapshots": ("B  trained on {} snapshots", "relevance, from empty space"),
    "snapshots_from_rest": ("C  trained on {} snapshots", "relevance, from atoms at rest"),
    "energy_in_motion": ("what the potential says", "energy above that at rest"),
}
"""First line, with the number of training rows, and second line."""
_ROWS = (("survey", "energy_at_rest"), ("snapshots", "snapshots_from_rest", "energy_in_motion"))


@dataclass(frozen=True)
class RelevancePanel:
    """One map as it is drawn: distance from the boundary to the right, position along the boundary upwards; in Angstrom."""

    name: str
    """One of the maps, or the energies beside them."""
    view: str
    """Crystal direction of the left grain that points at the viewer, as mathtext; empty if it is not known."""
    n_train: int
    """Training rows of the model, 0 for energies."""
    note: str
    """What the statistics say about the map."""
    period_angstrom: float
    """After which the drawing repeats upwards."""
    positions: Array
    """(m, 2) of the atoms of one period; those that stand behind one another are one."""
    values_mj_m2: Array
    """(m,) relevance or energy of an atom, the mean of those that stand behind one another."""
    in_unit: NDArray[np.bool_]
    """(m,) true for atoms of the structural units."""
    outline: Array
    """(p, 2) corners of the convex hull of one period's structural unit; (0, 2) if fewer than three atoms make it."""
    projection: Array
    """(n_along, n_x) relevance density integrated along the line of sight, mJ/m^2 per Angstrom^2; (0, 0) for energies."""
    half_length_angstrom: float
    """The projection reaches this far from the boundary on both sides."""


def relevance_data(
    maps: Sequence[RelevanceMap], statistics: pd.DataFrame, axes: Rows | None = None
) -> list[RelevancePanel]:
    """Project maps, and the energies beside them, along the shorter of the two periods in the plane.

    Args:
        maps: of one boundary.
        statistics: as `gbscape.relevance.statistics.tabulate_statistics` returns it.
        axes: the sample's axes in the left grain's crystal axes, for the line of sight; None names none.

    Raises:
        ValueError: there is no map.
    """
    if not maps:
        raise ValueError("there is no map of relevance to draw")
    panels = []
    for item in maps:
        rows = statistics[statistics["map"] == item.name]
        panels.append(_panel(item, item.name, item.of_atoms[0], _note(rows), axes))
        energies = {"survey": "energy_at_rest", "snapshots_from_rest": "energy_in_motion"}.get(item.name)
        if energies and len(item.energies_j_m2):
            share = 100 * float(rows["unit_share_of_energy"].iloc[0])
            note = f"sum {_energy(item.energies_j_m2.sum())}\nunits: {share:.0f} % of |energy|"
            panels.append(_panel(item, energies, item.energies_j_m2, note, axes))
    return panels


def write_relevance_panels(panels: Sequence[RelevancePanel], path: str | Path) -> None:
    """Write what `relevance_data` made to an HDF5 file."""
    with new_hdf5(path) as file:
        for number, panel in enumerate(panels):
            write_record(file.create_group(f"{number:02d}"), vars(panel))


def read_relevance_panels(path: str | Path) -> list[RelevancePanel]:
    """Read what `write_relevance_panels` wrote."""
    with h5py.File(path, "r") as file:
        return [RelevancePanel(**read_record(file[name])) for name in sorted(file)]


def plot_relevance(panels: Sequence[RelevancePanel], path: str | Path) -> None:
    """Draw the survey's map above those of the snapshots, each with its own scale, and the energies at the right of them.

    Raises:
        ValueError: there is no panel.
    """
    named = {panel.name: panel for panel in panels}
    rows = [[named[name] for name in row if name in named] for row in _ROWS]
    rows = [row for row in rows if row]
    if not rows:
        raise ValueError("there is no map of relevance to draw")
    panel_width, panel_height, gap, head, foot = 1.65, 2.2, 0.42, 0.46, 1.35
    columns = 3
    width = columns * (panel_width + gap) + gap
    height = len(rows) * (panel_height + head + foot)
    with figure(path, width, height, layout=None) as fig:
        for line, row in enumerate(rows):
            y = height - (line + 1) * (panel_height + head + foot) + foot
            for column, panel in enumerate(row):
                x = gap + column * (panel_width + gap)
                ax = fig.add_axes((x / width, y / height, panel_width / width, panel_height / height))
                _draw(fig, ax, panel, (x, y, panel_width, width, height))
            if line == 0:  # of two panels at most
                x = gap + len(row) * (panel_width + gap)
                key = fig.add_axes((x / width, y / height, panel_width / width, panel_height / height))
                _draw_key(key, row[0].view)


def _panel(item: RelevanceMap, name: str, values: Array, note: str, axes: Rows | None) -> RelevancePanel:
    of_model = name == item.name
    periods = find_symmetry(item.positions, item.cell).periods_angstrom
    sight = 1 if periods[0] < periods[1] * (1 + 1e-6) else 2
    along = 3 - sight
    length = float(item.cell[along])
    projected = np.column_stack([item.positions[:, 0] - item.cell[0] / 2, item.positions[:, along] % length])
    joined = _joined(projected, length)
    counts = np.bincount(joined)
    first = np.unique(joined, return_index=True)[1]
    projection = np.empty((0, 0))
    if of_model:
        step = item.cell[sight] / item.of_points.shape[sight]
        projection = 1000 * item.of_points.sum(axis=sight).T * step
    return RelevancePanel(
        name=name,
        view="" if axes is None else _direction(axes[sight], sign=1 if sight == 2 else -1),
        n_train=int(item.n_train[0]) if of_model else 0,
        note=note,
        period_angstrom=length,
        positions=projected[first],
        values_mj_m2=1000 * np.bincount(joined, values) / counts,
        in_unit=item.in_unit[first],
        outline=_outline(projected[first][item.in_unit[first]], float(periods[along - 1])),
        projection=projection,
        half_length_angstrom=float(item.cell[0]) / 2,
    )


def _direction(vector: Sequence[int], sign: int) -> str:
    divisor = int(np.gcd.reduce(np.abs(np.array(vector, dtype=int))))
    return miller([sign * int(i) // divisor for i in vector], "[]")


def _note(rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    single = rows[rows["split"].astype(str) != MEAN]
    deviation = first["prediction_j_m2"] - first["reference_j_m2"]
    share, atoms = 100 * first["unit_share_of_relevance"], 100 * first["unit_share_of_atoms"]
    agreement = f"splits correlate {first['pearson_between_splits']:.2f}\n" if len(single) > 1 else ""
    return (
        f"sum {_energy(deviation)}\n"
        f"units: {share:.0f} % of |relevance|, {atoms:.0f} % of the atoms\n"
        f"AUC of |r| {_over_splits(single['auc_of_magnitude'])},\n"
        f"of r {_over_splits(single['auc_of_value'])}\n"
        f"{agreement}"
        f"explained structure in training: {'yes' if first['explained_was_in_training'] else 'no'}"
    )


def _over_splits(values: "pd.Series[float]") -> str:
    """Value of the first split, with the range over all."""
    of_first = f"{values.iloc[0]:.2f}"
    return f"{of_first} ({values.min():.2f} to {values.max():.2f})" if len(values) > 1 else of_first


def _energy(value_j_m2: float) -> str:
    large = abs(value_j_m2) >= 0.01
    text = f"{value_j_m2:.3f} J m$^{{-2}}$" if large else f"{1000 * value_j_m2:.2g} mJ m$^{{-2}}$"
    return text.replace("-", "−").replace("{−2}", "{-2}")


def _joined(projected: Array, period: float) -> NDArray[np.int64]:
    """Number (n,) of the group of atoms that stand behind one another."""
    box = [0.0, period]
    points = np.column_stack([projected[:, 0], np.where(projected[:, 1] >= period, 0.0, projected[:, 1])])
    tree = cKDTree(points, boxsize=box)
    pairs = tree.sparse_distance_matrix(tree, _BEHIND_ANGSTROM, output_type="coo_matrix")
    pairs.data[:] = 1.0
    return np.asarray(connected_components(pairs, directed=False)[1], dtype=np.int64)


def _outline(points: Array, period: float) -> Array:
    """Corners of the convex hull of one unit: points of one period, cut where the widest gap along the boundary is."""
    if len(points) < 3:
        return np.empty((0, 2))
    phase = points[:, 1] % period
    order = np.argsort(phase)
    gaps = np.diff(phase[order], append=phase[order[0]] + period)
    start = phase[order[(gaps.argmax() + 1) % len(order)]] - 1e-3
    unit = np.column_stack([points[:, 0], (points[:, 1] - start) % period + start])
    spread = np.linalg.svd(unit - unit.mean(axis=0), compute_uv=False)
    return unit[ConvexHull(unit).vertices] if spread[1] > 1e-3 else np.empty((0, 2))


def _draw(fig: Figure, ax: Axes, panel: RelevancePanel, place: tuple[float, float, float, float, float]) -> None:
    x, y, panel_width, width, height = place
    top = float(np.abs(panel.values_mj_m2).max()) or 1.0
    norm = Normalize(-top, top)
    half = _HEIGHT_ANGSTROM / 2
    ax.set(xlim=(-_HALF_WIDTH_ANGSTROM, _HALF_WIDTH_ANGSTROM), ylim=(-half, half), xticks=[], yticks=[])
    ax.set_aspect("equal")
    for spine in ax.spines.values():
        spine.set(visible=True, linewidth=0.5, color="#777777")
    images = range(-int(half / panel.period_angstrom) - 2, int(half / panel.period_angstrom) + 2)
    scales = "discs: mJ m$^{-2}$ an atom\n"
    if panel.projection.size:
        # So that the density stays paler than the atoms on it.
        limit = 1.4 * float(np.quantile(np.abs(panel.projection), 0.998))
        scales += f"density beneath: ends ±{float(f'{limit:.2g}'):g} mJ m$^{{-2}}$ Å$^{{-2}}$\n"
        n_along, n_x = panel.projection.shape
        repeated = np.concatenate([panel.projection] * len(images))
        # Values are at the points i L / n: pixels are centred there.
        step_along, step_x = panel.period_angstrom / n_along, 2 * panel.half_length_angstrom / n_x
        low = images[0] * panel.period_angstrom - step_along / 2
        left = -panel.half_length_angstrom - step_x / 2
        extent = (
            left,
            left + 2 * panel.half_length_angstrom,
            low,
            low + len(images) * panel.period_angstrom,
        )
        ax.imshow(
            repeated, origin="lower", extent=extent, cmap=_COLOURS, vmin=-limit, vmax=limit,
            interpolation="bicubic", aspect="equal", zorder=0,
        )  # fmt: skip
    shifts = np.array([[0.0, image * panel.period_angstrom] for image in images])
    offsets = (panel.positions[None] + shifts[:, None]).reshape(-1, 2)
    units = np.tile(panel.in_unit, len(images))
    diameter = np.full(len(offsets), _DISC_ANGSTROM)
    ax.add_collection(
        EllipseCollection(
            diameter, diameter, np.zeros(len(offsets)), units="xy", offsets=offsets, offset_transform=ax.transData,
            facecolors=_COLOURS(norm(np.tile(panel.values_mj_m2, len(images)))),
            edgecolors=np.where(units[:, None], to_rgba_array(INK), to_rgba_array("#8A9299")),
            linewidths=np.where(units, 1.0, 0.4), zorder=2,
        )
    )  # fmt: skip
    if len(panel.outline):
        closed = np.vstack([panel.outline, panel.outline[:1]])
        n_units = max(1, round(panel.period_angstrom / max(_unit_period(panel), 1e-9)))
        for image in images:
            for unit in range(n_units):
                rise = image * panel.period_angstrom + unit * panel.period_angstrom / n_units
                ax.plot(closed[:, 0], closed[:, 1] + rise, color=INK, lw=0.8, ls=(0, (3, 2)), zorder=1)
    first, second = _TITLES[panel.name]
    ax.text(0, 1.015, second, transform=ax.transAxes, fontsize=7, va="bottom", color="#444444")
    first = first.format(panel.n_train)
    ax.text(0, 1.085, first, transform=ax.transAxes, fontsize=7.5, weight="bold", va="bottom")
    bar_ax = fig.add_axes((x / width, (y - 0.17) / height, panel_width / width, 0.08 / height))
    bar = fig.colorbar(ScalarMappable(norm, _COLOURS), cax=bar_ax, orientation="horizontal")
    bar.set_ticks([-top, 0, top], labels=[f"−{top:.3g}", "0", f"+{top:.3g}"])
    bar.ax.tick_params(labelsize=6.5, length=2, pad=1)
    ax.text(0, -0.16, scales + panel.note, transform=ax.transAxes, fontsize=6, va="top", linespacing=1.35)


def _unit_period(panel: RelevancePanel) -> float:
    """Period of the drawn atoms along the boundary, a whole part of the cell's."""
    points = panel.positions[panel.in_unit]
    length = panel.period_angstrom
    tree = cKDTree(np.column_stack([points[:, 0], points[:, 1] % length]), boxsize=[0.0, length])
    for parts in range(len(points), 1, -1):
        moved = np.column_stack([points[:, 0], (points[:, 1] + length / parts) % length])
        if tree.query(moved)[0].max() < _BEHIND_ANGSTROM:
            return length / parts
    return length


def _draw_key(ax: Axes, view: str) -> None:
    ax.set_axis_off()
    ax.set(xlim=(-_HALF_WIDTH_ANGSTROM, _HALF_WIDTH_ANGSTROM), ylim=(-_HEIGHT_ANGSTROM / 2, _HEIGHT_ANGSTROM / 2))
    lines = ["discs: atoms", "beneath: relevance density", "black outline, dashes:", "structural unit", ""]
    lines += [f"looking down {view}"] if view else []
    ax.text(-7, 8, "\n".join(lines), fontsize=7, va="top", linespacing=1.5)
    ax.plot([-7, 3], [-6, -6], color=INK, lw=2, solid_capstyle="butt")
    ax.text(-2, -6.6, "1 nm", fontsize=7, ha="center", va="top")
    ax.annotate(
        "", (3, -2.2), (-7, -2.2), arrowprops={"arrowstyle": "-|>", "lw": 0.8, "color": GREY, "mutation_scale": 7}
    )
    ax.text(-2, -1.8, "boundary normal", fontsize=7, ha="center", va="bottom")
