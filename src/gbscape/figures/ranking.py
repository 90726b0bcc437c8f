"""Structures classified as a whole: the most probable classes beside a picture (Leitherer's thesis (2021), figures 5.1 and 5.3)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from ase import Atoms
from ase.data import chemical_symbols, covalent_radii
from ase.data.colors import jmol_colors
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection, LineCollection
from matplotlib.colors import to_hex, to_rgba_array
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gbscape.figures.columns import require_columns
from gbscape.figures.crystal_style import crystal_label, marker_key, wrapped
from gbscape.figures.style import BLUE, draw_message, figure

if TYPE_CHECKING:  # it imports torch
    from gbscape.crystal.classification import Classification

RANKING_COLUMNS = [
    "structure", "rank", "class", "probability", "mutual_information", "predictive_entropy", "known", "n_atoms", "formula",
]  # fmt: skip
"""`known` is empty for a model without distances."""
DRAWN_COLUMNS = ["structure", "kind", "number", "x", "y", "depth", "radius", "x_end", "y_end"]
"""`kind` is atom (at x, y; depth from 0, far, to 1, near; radius as drawn; atomic number) or edge (of the unit cell, from x, y to
the end)."""

_MOST_ATOMS = 4000
_TILT = np.deg2rad([-78.0, 14.0])
"""Turns about x and then about the vertical: nearly along y, from a little above, as unit cells are usually shown."""
_NAME_WIDTH = 20
"""Characters of a line above a structure."""
_FLAT = 1e-3


def ranking_data(classifications: "Mapping[str, tuple[Atoms, Classification]]", count: int = 5) -> pd.DataFrame:
    """The most probable classes of each structure, `RANKING_COLUMNS`.

    Args:
        classifications: structures and what the model says, by the name as it is to be printed.
        count: of the classes.
    """
    rows = [
        (
            name, rank, label, probability, found.mutual_information_bits, found.predictive_entropy_bits, found.known,
            len(atoms), atoms.get_chemical_formula(mode="metal", empirical=True),
        )
        for name, (atoms, found) in classifications.items()
        for rank, (label, probability) in enumerate(found.ranking[:count], start=1)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=RANKING_COLUMNS)


def ranking_of_table(ranked: pd.DataFrame, structures: Mapping[str, Atoms], count: int = 5) -> pd.DataFrame:
    """The same from the table of all classes.

    Args:
        ranked: of `gbscape.crystal.rank_structures.rank_structures`, all classes of each structure.
        structures: by name, at least those of the table.
        count: of the classes.
    """
    p = ranked["probability"].to_numpy(float)
    entropy = pd.Series(-np.where(p > 0, p * np.log2(np.where(p > 0, p, 1)), 0), index=ranked.index)
    data = ranked.rename(columns={"label": "class", "mutual_information_bits": "mutual_information"})
    data["predictive_entropy"] = entropy.groupby(ranked["structure"]).transform("sum")
    formulas = {n: atoms.get_chemical_formula(mode="metal", empirical=True) for n, atoms in structures.items()}
    data["formula"] = data["structure"].map(formulas)
    return data.loc[data["rank"] <= count, RANKING_COLUMNS].reset_index(drop=True)


def structure_data(structures: Mapping[str, Atoms]) -> pd.DataFrame:
    """Pictures of structures, `DRAWN_COLUMNS`: projected atoms, the farthest first, and the edges of periodic cells.

    A flat structure is seen from above, others at an angle. Small periodic cells are shown with the atoms on all their
    faces. Of large structures the atoms nearest to the viewer are drawn.

    Args:
        structures: by the name as it is to be printed.
    """
    tables = [_drawn(atoms).assign(structure=name) for name, atoms in structures.items()]
    return pd.concat(tables, ignore_index=True)[DRAWN_COLUMNS] if tables else pd.DataFrame(columns=DRAWN_COLUMNS)


def plot_ranking(data: pd.DataFrame, drawn: pd.DataFrame, path: str | Path, columns: int = 2) -> None:
    """Draw each structure with the probabilities of its most probable classes as bars, and its mutual information.

    Args:
        data: as `ranking_data` returns it.
        drawn: as `structure_data` returns it, of the same structures.
        path: the picture.
        columns: structures beside one another.

    Raises:
        ValueError: a column is missing, or a structure is not in `drawn`.
    """
    require_columns(data, RANKING_COLUMNS, "the data of the rankings")
    require_columns(drawn, DRAWN_COLUMNS, "the data of the structures")
    names = list(dict.fromkeys(data["structure"]))
    if not names:
        draw_message(path, "No structure was classified as a whole.")
        return
    absent = [name for name in names if name not in set(drawn["structure"])]
    if absent:
        raise ValueError(f"there is no picture of the structures {', '.join(map(str, absent))}")
    columns = min(columns, len(names))
    lines = -(-len(names) // columns)
    with figure(path, 4.3 * columns, 1.75 * lines + 0.3) as fig:
        grid = fig.subplots(lines, 2 * columns, squeeze=False, width_ratios=[1, 1.5] * columns)
        for ax in grid.flat:
            ax.set_visible(False)
        for number, name in enumerate(names):
            picture, bars = grid[number // columns, 2 * (number % columns) : 2 * (number % columns) + 2]
            picture.set_visible(True)
            bars.set_visible(True)
            rows = data[data["structure"] == name].sort_values("rank")
            _draw_structure(picture, drawn[drawn["structure"] == name])
            _draw_bars(bars, rows)
            first = rows.iloc[0]
            parts = (str(name), f"{first['formula']}, {first['n_atoms']} atoms")
            title = "\n".join(wrapped(part, _NAME_WIDTH) for part in parts)
            picture.set_title(title.replace("$", r"\$"), fontsize=7.5)
            bars.set_xlabel("Probability (%)" if number + columns >= len(names) else "", fontsize=7.5)
        elements = sorted(set(drawn.loc[drawn["kind"] == "atom", "number"].astype(int)))
        fig.legend(
            handles=marker_key([chemical_symbols[z] for z in elements], [_colour(z) for z in elements]),
            loc="outside lower center", ncols=min(len(elements), 14), fontsize=7,
        )  # fmt: skip


def _draw_bars(ax: Axes, rows: pd.DataFrame) -> None:
    places = np.arange(len(rows))
    percent = 100 * rows["probability"].to_numpy(float)
    ax.barh(places, percent, color=BLUE, height=0.62)
    for place, (value, label) in enumerate(zip(percent, rows["class"], strict=True)):
        text = (
            f"{crystal_label(str(label))}  {value:.1f} %" if value >= 0.05 else f"{crystal_label(str(label))}  < 0.1 %"
        )
        inside = value > 55
        ax.text(
            value - 2 if inside else value + 2, place, text, va="center", ha="right" if inside else "left", fontsize=7,
            color="white" if inside else "#222222",
        )  # fmt: skip
    ax.set(xlim=(0, 100), ylim=(len(rows) - 0.4, -0.6), yticks=[], xticks=[0, 50, 100])
    ax.tick_params(labelsize=6.5)
    ax.spines["left"].set_visible(False)
    first = rows.iloc[0]
    known = first["known"]
    beyond = "" if pd.isna(known) or str(known) == "True" else "\nunlike the training set"
    ax.set_title(f"mutual information {first['mutual_information']:.3f} bits{beyond}", fontsize=7.5)


def _draw_structure(ax: Axes, rows: pd.DataFrame) -> None:
    atoms, edges = rows[rows["kind"] == "atom"], rows[rows["kind"] == "edge"]
    ax.add_collection(
        LineCollection(
            [((e["x"], e["y"]), (e["x_end"], e["y_end"])) for e in edges.to_dict("records")], colors="#9A9A9A",
            linewidths=0.6, zorder=1,
        )
    )  # fmt: skip
    numbers = atoms["number"].to_numpy(int)
    points = atoms[["x", "y"]].to_numpy(float)
    ends = [points, edges[["x", "y"]].to_numpy(float), edges[["x_end", "y_end"]].to_numpy(float)]
    low, high = np.concatenate(ends).min(axis=0), np.concatenate(ends).max(axis=0)
    # Not smaller than a dot where a structure is large.
    radius = np.maximum(atoms["radius"].to_numpy(float), 0.006 * float((high - low).max()))
    # Atoms far away are paler.
    depth = atoms["depth"].to_numpy(float)[:, None]
    colours = to_rgba_array([_colour(z) for z in numbers])[:, :3] * (0.45 + 0.55 * depth) + 0.55 * (1 - depth)
    ax.add_collection(
        EllipseCollection(
            2 * radius, 2 * radius, np.zeros(len(atoms)), units="xy", offsets=points, offset_transform=ax.transData,
            facecolors=np.clip(colours, 0, 1), edgecolors="#00000080", linewidths=0.3 if len(atoms) < 500 else 0.1, zorder=2,
            rasterized=len(atoms) > 500,
        )
    )  # fmt: skip
    margin = 1.1 * float(radius.max())
    ax.set(xlim=(low[0] - margin, high[0] + margin), ylim=(low[1] - margin, high[1] + margin))
    ax.set_aspect("equal")
    ax.set_axis_off()


def _colour(number: int) -> str:
    red, green, blue = 0.92 * jmol_colors[number]
    return to_hex((red, green, blue))


def _drawn(atoms: Atoms) -> pd.DataFrame:
    shown = _with_faces(atoms)
    positions = shown.positions - shown.positions.mean(axis=0)
    flat = float(np.ptp(positions[:, 2])) <= _FLAT
    rotation = np.eye(3) if flat else _rotation()
    seen = positions @ rotation.T
    order = np.argsort(seen[:, 2], kind="stable")[-_MOST_ATOMS:]
    depth = seen[order, 2]
    span = float(np.ptp(depth))
    frame = pd.DataFrame(
        {
            "kind": "atom",
            "number": shown.numbers[order],
            "x": seen[order, 0],
            "y": seen[order, 1],
            "depth": (depth - depth.min()) / span if span > 0 else 1.0,
            "radius": _radii(shown)[order],
            "x_end": np.nan,
            "y_end": np.nan,
        }
    )
    ends = _cell_edges(atoms) - shown.positions.mean(axis=0)
    lines = ends @ rotation.T
    edges = pd.DataFrame(
        {
            "kind": "edge",
            "number": 0,
            "x": lines[:, 0, 0],
            "y": lines[:, 0, 1],
            "depth": 0.0,
            "radius": 0.0,
            "x_end": lines[:, 1, 0],
            "y_end": lines[:, 1, 1],
        }
    )
    return pd.concat([frame, edges], ignore_index=True) if len(edges) else frame


def _radii(atoms: Atoms) -> NDArray[np.float64]:
    """Radii in proportion to the covalent ones, such that neighbours do not touch, whatever the unit of lengths."""
    covalent = covalent_radii[atoms.numbers]
    if len(atoms) < 2:
        return covalent
    nearest = float(np.median(cKDTree(atoms.positions).query(atoms.positions, k=2)[0][:, 1]))
    return 0.3 * nearest * covalent / float(covalent.mean())


def _rotation() -> NDArray[np.float64]:
    about_x, about_up = _TILT
    cos, sin = np.cos(about_x), np.sin(about_x)
    first = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    cos, sin = np.cos(about_up), np.sin(about_up)
    second = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    return second @ first


def _with_faces(atoms: Atoms) -> Atoms:
    """Atoms with those of their images that lie on the faces of the periodic cell."""
    if not atoms.pbc.any():
        return atoms
    inside = atoms.copy()
    inside.wrap(eps=1e-6)
    fractions = inside.get_scaled_positions(wrap=False)
    images, numbers = [inside.positions], [inside.numbers]
    for shift in np.ndindex(2, 2, 2):
        step = np.array(shift)
        if not step.any() or (step.astype(bool) & ~atoms.pbc).any():
            continue
        on_faces = (fractions[:, step.astype(bool)] < 1e-3).all(axis=1)
        images.append(inside.positions[on_faces] + step @ atoms.cell.array)
        numbers.append(inside.numbers[on_faces])
    return Atoms(np.concatenate(numbers), positions=np.concatenate(images), cell=atoms.cell, pbc=atoms.pbc)


def _cell_edges(atoms: Atoms) -> NDArray[np.float64]:
    """Ends (m, 2, 3) of the edges of the cell along its periodic directions."""
    periodic: Sequence[int] = np.flatnonzero(atoms.pbc).tolist()
    edges = []
    for axis in periodic:
        others = [other for other in periodic if other != axis]
        for corner in np.ndindex(*(2,) * len(others)):
            start = sum((step * atoms.cell.array[o] for step, o in zip(corner, others, strict=True)), np.zeros(3))
            edges.append((start, start + atoms.cell.array[axis]))
    return np.array(edges).reshape(-1, 2, 3)
