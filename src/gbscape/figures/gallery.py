"""Gallery of relaxed boundaries, drawn from their atoms as seen along the boundary plane."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from ase import Atoms
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import EllipseCollection
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm, to_rgba_array
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gbscape.config.figures import Gallery
from gbscape.figures.labels import boundary_label, is_coincidence_id, miller
from gbscape.figures.style import BLUE, INK, ORANGE, VERMILION, draw_message, figure
from gbscape.store.new_hdf5 import new_hdf5
from gbscape.store.records import atoms_from_record, read_record, write_record
from gbscape.store.shards import open_shard
from gbscape.structure.lattice import Rows
from gbscape.structure.slab_cell import periodic_tree

# Integer codes as OVITO's common neighbour analysis gives them.
_STRUCTURE_TYPES = {1: ("fcc", "#D9DEE3"), 2: ("hcp", VERMILION), 3: ("bcc", BLUE), 0: ("other", ORANGE)}
_EXCESS_COLOURS = LinearSegmentedColormap.from_list(
    "excess",
    [(0.0, "#2166AC"), (0.25, "#92C5DE"), (0.5, "#F2F2F0"), (0.68, "#FDB863"), (0.84, "#E66101"), (1.0, "#8C1A0A")],
)
_PANEL_INCH = 1.32
_TITLE_INCH = 0.36


@dataclass(frozen=True)
class Panel:
    """One boundary as it is drawn. Lengths in Angstrom; n atoms, farthest from the viewer first."""

    id: str
    planes: str
    """Boundary planes of the two grains as mathtext; empty if they are not known."""
    view: str
    """Crystal direction of the left grain that points at the viewer, as mathtext; empty if it is not known."""
    positions: NDArray[np.float64]
    """(n, 2): distance from the boundary along its normal; position along the boundary."""
    nearness: NDArray[np.float64]
    """(n,) position along the line of sight: 0 far, 1 near."""
    excess_energy_ev: NDArray[np.float64]
    """(n,) energy above that of an atom in the bulk; (0,) if it is not known."""
    structure_type: NDArray[np.int64]
    """(n,) 0 other, 1 fcc, 2 hcp, 3 bcc."""
    atom_radius_angstrom: float
    """Radius of the nearest atoms as drawn, a quarter of the nearest-neighbour distance."""
    sigma: int | None = None
    energy_j_m2: float | None = None


def gallery_data(
    survey: str | Path,
    energies: pd.DataFrame,
    settings: Gallery,
    rows: Mapping[str, tuple[Rows, Rows]] | None = None,
) -> list[Panel]:
    """Project the first `settings.count` boundaries of a survey; return them by Sigma, then energy.

    Variants of a boundary, told apart by what follows a `~` in their ids, stand side by side.

    The line of sight is the in-plane direction with the shorter period, so that the pattern shows; one period of it is
    drawn. The other direction is repeated to fill the height of the panel.

    Args:
        survey: gathered survey (.h5) whose records hold `structure` with the arrays boundary and structure_type;
            excess energies need its array energy_ev and `cohesive_energy_ev`, which a user's own structures may lack.
        energies: columns id, sigma, energy_j_m2; the last two may be empty.
        settings: what is drawn.
        rows: lattice vectors of the left and right grain by id (without variant), for the titles; without them titles
            name no plane.

    Raises:
        ValueError: a boundary has no row in `energies`, or a record lacks what is drawn.
    """
    facts = energies.set_index("id")
    panels = []
    with open_shard(survey) as shard:
        for item in shard.ids[: settings.count]:
            if item not in facts.index:
                raise ValueError(f"{survey}: boundary {item!r} has no row in the table of energies")
            panels.append(
                _panel(
                    item,
                    shard.read(item),
                    None if pd.isna(facts.at[item, "sigma"]) else int(facts.at[item, "sigma"]),
                    None if pd.isna(facts.at[item, "energy_j_m2"]) else float(facts.at[item, "energy_j_m2"]),
                    (rows or {}).get(item.partition("~")[0]),
                    settings,
                )
            )
    return in_order(panels)


def in_order(panels: Iterable[Panel]) -> list[Panel]:
    """By Sigma, then by the lowest energy of a boundary's variants, which stand side by side, lowest first."""
    panels = list(panels)
    lowest: dict[str, float] = {}
    for panel in panels:
        boundary, energy = panel.id.partition("~")[0], panel.energy_j_m2 or 0.0
        lowest[boundary] = min(lowest.get(boundary, energy), energy)

    def place(panel: Panel) -> tuple[int, float, str, float, str]:
        boundary = panel.id.partition("~")[0]
        return panel.sigma or 0, lowest[boundary], boundary, panel.energy_j_m2 or 0.0, panel.id

    return sorted(panels, key=place)


def write_panels(panels: Sequence[Panel], path: str | Path) -> None:
    """Write what `gallery_data` made to an HDF5 file."""
    with new_hdf5(path) as file:
        for number, panel in enumerate(panels):
            known = {name: value for name, value in vars(panel).items() if value is not None}
            write_record(file.create_group(f"{number:05d}"), known)


def read_panels(path: str | Path) -> list[Panel]:
    """Read what `write_panels` wrote."""
    with h5py.File(path, "r") as file:
        return [Panel(**read_record(file[name])) for name in sorted(file)]


def plot_gallery(panels: Sequence[Panel], path: str | Path, settings: Gallery) -> None:
    """Draw every panel to one scale, with one colour scale.

    Where excess energies are wanted but not known for every boundary, colours show structure types; the legend says so.
    Without a panel, the picture says that there is none.
    """
    if not panels:
        draw_message(path, "There is no such boundary.")
        return
    columns = min(8, max(3, math.ceil(math.sqrt(1.6 * len(panels)))), len(panels))
    lines = math.ceil(len(panels) / columns)
    aspect = settings.height_angstrom / (2 * settings.half_width_angstrom)
    panel_height = _PANEL_INCH * aspect
    side, gap, foot = 0.12, 0.16, 0.74
    width = max(2 * side + columns * _PANEL_INCH + (columns - 1) * gap, 5.0)
    height = foot + lines * (panel_height + _TITLE_INCH) + (lines - 1) * gap * 0.5 + 0.08
    left = (width - columns * _PANEL_INCH - (columns - 1) * gap) / 2
    by_energy = settings.colour_by == "excess_energy" and all(len(p.excess_energy_ev) for p in panels)
    top_ev = _excess_limit_ev(panels) if by_energy else 1.0
    norm = TwoSlopeNorm(0, -top_ev / 2, top_ev)
    with figure(path, width, height, layout=None) as fig:
        for number, panel in enumerate(panels):
            line, column = divmod(number, columns)
            x = left + column * (_PANEL_INCH + gap)
            y = height - 0.04 - (line + 1) * (panel_height + _TITLE_INCH) - line * gap * 0.5
            ax = fig.add_axes((x / width, y / height, _PANEL_INCH / width, panel_height / height))
            _draw_panel(ax, panel, settings, norm if by_energy else None)
        _draw_scale_bar(fig.add_axes((side / width, 0, _PANEL_INCH / width, (foot - 0.1) / height)), settings)
        legend_left = side + _PANEL_INCH + 0.35
        legend_width = min(3.0, width - legend_left - 0.5)
        if by_energy:
            ax = fig.add_axes((legend_left / width, 0.5 / height, legend_width / width, 0.1 / height))
            bar = fig.colorbar(ScalarMappable(norm, _EXCESS_COLOURS), cax=ax, orientation="horizontal", extend="both")
            bar.set_label("excess energy per atom (eV)\nblack outline: not the crystal's structure", fontsize=7)
            bar.set_ticks([-top_ev / 2, 0, top_ev / 2, top_ev])
            ax.tick_params(labelsize=6.5, length=2)
            ax.xaxis.set_major_formatter(lambda v, _: f"{v:+.2f}" if v else "0")
        else:
            ax = fig.add_axes((legend_left / width, 0.2 / height, legend_width / width, 0.4 / height))
            ax.set_axis_off()
            ax.legend(handles=_structure_type_handles(panels), loc="center left", ncols=4, handletextpad=0.2)


def _panel(
    item: str,
    record: Mapping[str, Any],
    sigma: int | None,
    energy_j_m2: float | None,
    rows: tuple[Rows, Rows] | None,
    settings: Gallery,
) -> Panel:
    try:
        atoms = atoms_from_record(record["structure"])
        boundary, kind = atoms.get_array("boundary"), atoms.get_array("structure_type")
    except KeyError as error:
        raise ValueError(f"boundary {item!r}: its record lacks {error}") from None
    excess = np.empty(0)
    if "cohesive_energy_ev" in record and atoms.has("energy_ev"):
        excess = atoms.get_array("energy_ev") - float(record["cohesive_energy_ev"])
    lengths = atoms.cell.lengths()
    periods = {axis: _approximate_period(atoms, axis) for axis in (1, 2)}
    sight = 2 if periods[2] <= periods[1] * (1 + 1e-6) else 1
    along = 3 - sight
    x = atoms.positions[:, 0]
    x = x - (x[boundary.astype(bool)].mean() if boundary.any() else 0.0)
    depth = (atoms.positions[:, sight] - _between_layers(atoms.positions[:, sight], periods[sight])) % lengths[sight]
    margin = 1.5
    keep = (np.abs(x) < settings.half_width_angstrom + margin) & (depth < periods[sight])
    positions, numbers = _fill(
        x[keep], atoms.positions[keep, along], lengths[along], settings.height_angstrom / 2 + margin
    )
    chosen = np.flatnonzero(keep)[numbers]
    # With x to the right, the viewer looks against z when y is up, and along y when z is up.
    near = depth[chosen] / periods[sight]
    near = np.clip(near if sight == 2 else 1 - near, 0, 1)
    order = np.lexsort((positions[:, 1], positions[:, 0], np.round(near, 4)))
    distance = np.median(cKDTree(atoms.positions).query(atoms.positions, k=2)[0][:, 1])
    return Panel(
        id=item,
        sigma=sigma,
        energy_j_m2=energy_j_m2,
        planes=_planes(rows),
        view="" if rows is None else miller(_primitive(rows[0][sight], sign=1 if sight == 2 else -1), "[]"),
        positions=positions[order],
        nearness=near[order],
        excess_energy_ev=excess[chosen][order] if len(excess) else excess,
        structure_type=kind[chosen][order].astype(np.int64),
        atom_radius_angstrom=float(distance) / 4,
    )


def _approximate_period(atoms: Atoms, axis: int) -> float:
    """Shortest period along a cell edge that most atoms keep; a boundary may break that of its grains."""
    length = float(atoms.cell.lengths()[axis])
    tree = periodic_tree(atoms)
    for parts in range(max(1, int(length / 1.5)), 1, -1):
        moved = tree.data.copy()
        moved[:, axis] = (moved[:, axis] + length / parts) % length
        if np.mean(tree.query(moved)[0] < 0.3) > 0.9:
            return length / parts
    return length


def _between_layers(depths: NDArray[np.float64], period: float) -> float:
    """Middle of the widest interval, modulo a period, that holds no atom: a cut there splits no layer of atoms."""
    phases = np.sort(depths % period)
    gaps = np.diff(phases, append=phases[0] + period)
    widest = int(gaps.argmax())
    return float(phases[widest] + gaps[widest] / 2)


def _fill(
    x: NDArray[np.float64], along: NDArray[np.float64], period: float, half_height: float
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Repeat points along the boundary to fill -half_height .. half_height: positions (n, 2) and their numbers (n,)."""
    images = math.ceil(half_height / period) + 1
    shifts = np.arange(-images, images + 1) * period
    y = ((along % period)[:, None] - period / 2 + shifts).ravel()
    numbers = np.repeat(np.arange(len(x)), len(shifts))
    inside = np.abs(y) < half_height
    return np.column_stack([x[numbers[inside]], y[inside]]), numbers[inside]


def _planes(rows: tuple[Rows, Rows] | None) -> str:
    if rows is None:
        return ""
    left, right = (_primitive(grain[0]) for grain in rows)
    family = [sorted(map(abs, plane)) for plane in (left, right)]
    return miller(left) if family[0] == family[1] else f"{miller(left)}$\\,$|$\\,${miller(right)}"


def _primitive(vector: Sequence[int], sign: int = 1) -> list[int]:
    divisor = math.gcd(*map(int, vector))
    return [sign * int(i) // divisor for i in vector]


def _excess_limit_ev(panels: Sequence[Panel]) -> float:
    """Upper end of the colour scale: nearly all excess energies near the boundaries, in steps of 0.1 eV."""
    excess = np.concatenate([p.excess_energy_ev[np.abs(p.positions[:, 0]) < 6] for p in panels])
    top = float(np.quantile(excess, 0.99)) if len(excess) else 0.0
    return max(0.1, math.ceil(top * 10) / 10)


def _draw_panel(ax: Axes, panel: Panel, settings: Gallery, norm: TwoSlopeNorm | None) -> None:
    diameter = 2 * panel.atom_radius_angstrom * (0.72 + 0.28 * panel.nearness)
    if norm is not None:
        faces = _EXCESS_COLOURS(norm(panel.excess_energy_ev))
        distance = np.abs(panel.positions[:, 0])
        bulk = np.bincount(panel.structure_type[distance >= distance.max() / 2]).argmax()
        unlike = panel.structure_type != bulk
    else:
        palette = to_rgba_array([_STRUCTURE_TYPES[k][1] for k in sorted(_STRUCTURE_TYPES)])
        faces = palette[np.where(np.isin(panel.structure_type, list(_STRUCTURE_TYPES)), panel.structure_type, 0)]
        unlike = np.zeros(len(faces), dtype=bool)
    edges = np.where(unlike[:, None], to_rgba_array(INK), to_rgba_array("#9AA3AB"))
    ax.add_collection(
        EllipseCollection(
            diameter,
            diameter,
            np.zeros(len(diameter)),
            units="xy",
            offsets=panel.positions,
            offset_transform=ax.transData,
            facecolors=faces,
            edgecolors=edges,
            linewidths=np.where(unlike, 0.5, 0.25),
        )
    )
    ax.set(
        xlim=(-settings.half_width_angstrom, settings.half_width_angstrom),
        ylim=(-settings.height_angstrom / 2, settings.height_angstrom / 2),
        xticks=[],
        yticks=[],
    )
    ax.set_aspect("equal")
    for spine in ax.spines.values():
        spine.set(visible=True, linewidth=0.5, color="#777777")
    label = boundary_label(panel.id)
    sigma, _, families = label.partition(" ") if is_coincidence_id(panel.id) else ("", "", label)
    if panel.sigma is not None:
        sigma = f"Σ{panel.sigma}"
    variant = panel.id.partition("~")[2]
    ax.text(
        0, 1.015, f"{panel.planes or families} {variant}".rstrip(), transform=ax.transAxes, fontsize=6.5, va="bottom"
    )
    ax.text(0, 1.105, sigma, transform=ax.transAxes, fontsize=7.5, weight="bold", va="bottom")
    if panel.energy_j_m2 is not None:
        energy = rf"{panel.energy_j_m2:.3f} J m$^{{-2}}$"
        ax.text(1, 1.105, energy, transform=ax.transAxes, fontsize=6.5, va="bottom", ha="right")
    if panel.view:
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8}
        ax.text(0.975, 0.02, panel.view, transform=ax.transAxes, fontsize=5.5, ha="right", va="bottom", bbox=box)


def _draw_scale_bar(ax: Axes, settings: Gallery) -> None:
    ax.set_axis_off()
    ax.set(xlim=(0, 2 * settings.half_width_angstrom), ylim=(0, 1))
    ax.plot([0, 10], [0.75, 0.75], color=INK, lw=2, solid_capstyle="butt")
    ax.text(5, 0.62, "1 nm", ha="center", va="top", fontsize=7)
    ax.annotate(
        "", (20, 0.75), (13.5, 0.75), arrowprops={"arrowstyle": "-|>", "lw": 0.8, "color": INK, "mutation_scale": 7}
    )
    ax.text(16.7, 0.62, "normal", ha="center", va="top", fontsize=7)


def _structure_type_handles(panels: Sequence[Panel]) -> list[Line2D]:
    present = set(np.unique(np.concatenate([p.structure_type for p in panels])))
    return [
        Line2D([], [], ls="", marker="o", ms=6, mec="#5A6269", mew=0.4, mfc=colour, label=name)
        for code, (name, colour) in _STRUCTURE_TYPES.items()
        if code in present
    ]
