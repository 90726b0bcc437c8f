"""Energies against the disorientation angle, with the cusps named."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from scipy.signal import find_peaks

from gbscape.figures.columns import require_columns
from gbscape.figures.labels import boundary_label
from gbscape.figures.style import BLUE, GREEN, GREY, VERMILION, draw_message, figure, label_points

COLUMNS = ["id", "sigma", "character", "disorientation_deg", "axis_family", "energy_j_m2", "cusp"]

_MARKERS = {"twist": "o", "tilt": "^", "mixed": "s"}
_COLOURS = {"100": BLUE, "110": VERMILION, "111": GREEN, "other": GREY}
_CUSP_DEPTH = 0.25
"""Least rise of the energy on both sides of a cusp, as a share of the median energy of all boundaries."""
_MAX_LABELS = 10


def energy_against_disorientation_data(energies: pd.DataFrame) -> pd.DataFrame:
    """Return the boundaries with an energy and a disorientation, columns `COLUMNS`, by angle, Sigma and energy.

    `axis_family` is 100, 110, 111 or other. `cusp` marks valleys of the lower envelope of the energies, taken for each of
    the three families by itself: boundaries from which the envelope rises on both sides by at least a quarter of the
    median energy before it falls below them (their prominence). The envelopes start from energy 0 at 0 degrees. The ten
    deepest at most.

    Args:
        energies: columns id, sigma, character, disorientation_deg, disorientation_axis ("1 0 0"), energy_j_m2; all
            crystallography may be empty (structures of one's own).

    Raises:
        ValueError: a column is missing, or an axis is not three whole numbers.
    """
    needed = ["id", "sigma", "character", "disorientation_deg", "disorientation_axis", "energy_j_m2"]
    require_columns(energies, needed, "the table of energies")
    data = energies[needed].dropna().astype({"sigma": int, "disorientation_deg": float, "energy_j_m2": float})
    data = data.assign(
        axis_family=[
            _axis_family(str(axis), item) for axis, item in zip(data["disorientation_axis"], data["id"], strict=True)
        ]
    ).sort_values(["disorientation_deg", "sigma", "energy_j_m2", "id"], ignore_index=True)
    return data.assign(cusp=_cusps(data))[COLUMNS]


def plot_energy_against_disorientation(data: pd.DataFrame, path: str | Path) -> None:
    """Draw energies against disorientation angles: character by marker, family of the axis by colour, cusps labelled.

    Args:
        data: as `energy_against_disorientation_data` returns it.
        path: the picture (.svg, .png or .pdf).

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, COLUMNS, "the data of energy against disorientation")
    if data.empty:
        draw_message(
            path,
            "No boundary has both an energy and a known disorientation\n"
            "(structures of one's own come without crystallography).",
        )
        return
    families = data["axis_family"].astype(str)
    with figure(path, 7.2, 4.4) as fig:
        ax = fig.subplots()
        # The many boundaries about other axes lie behind those about the simple ones.
        for family in reversed(_COLOURS):
            for character, marker in _MARKERS.items():
                chosen = data[(families == family) & (data["character"] == character)]
                ax.scatter(
                    chosen["disorientation_deg"], chosen["energy_j_m2"], s=24, marker=marker, c=_COLOURS[family],
                    alpha=0.85, edgecolors="white", linewidths=0.4,
                )  # fmt: skip
        top = float(data["energy_j_m2"].max())
        ax.set(xlim=(0, 65), ylim=(0, 1.08 * top), xlabel="Disorientation angle (°)", ylabel="Energy (J m$^{-2}$)")
        ax.grid(axis="y")
        fig.legend(handles=_handles(data), loc="outside right upper", labelspacing=0.35)
        fig.draw_without_rendering()
        cusps = data[data["cusp"]].sort_values("energy_j_m2")
        label_points(
            ax,
            cusps["disorientation_deg"],
            cusps["energy_j_m2"],
            [boundary_label(item) for item in cusps["id"]],
            obstacles=data[["disorientation_deg", "energy_j_m2"]].to_numpy(float),
            fontsize=7.5,
        )


def _axis_family(axis: str, item: str) -> str:
    try:
        indices = sorted((abs(int(i)) for i in axis.split()), reverse=True)
        divisor = math.gcd(*indices)
        if len(indices) != 3 or divisor == 0:
            raise ValueError
    except ValueError:
        message = f"boundary {item!r}: a disorientation axis is three whole numbers such as '1 1 0', got {axis!r}"
        raise ValueError(message) from None
    family = "".join(str(i // divisor) for i in sorted(indices))
    return {"001": "100", "011": "110", "111": "111"}.get(family, "other")


def _cusps(data: pd.DataFrame) -> np.ndarray:
    """Mask (n,) of the cusps."""
    rise = _CUSP_DEPTH * float(data["energy_j_m2"].median())
    found: list[tuple[float, int]] = []
    for _, series in data[data["axis_family"] != "other"].groupby("axis_family"):
        lowest = series.groupby(series["disorientation_deg"].round(4))["energy_j_m2"].idxmin().to_numpy()
        # The envelope starts from the perfect crystal: no angle, no energy. At its other end the left side decides.
        depths = np.concatenate([[0.0], -data["energy_j_m2"].to_numpy(float)[lowest], [-np.inf]])
        peaks, facts = find_peaks(depths, prominence=rise)
        found += [(-float(p), int(row)) for p, row in zip(facts["prominences"], lowest[peaks - 1], strict=True)]
    mask = np.zeros(len(data), dtype=bool)
    mask[[row for _, row in sorted(found)[:_MAX_LABELS]]] = True
    return mask


def _handles(data: pd.DataFrame) -> list[Line2D]:
    def heading(text: str) -> Line2D:
        return Line2D([], [], ls="", label=text)

    characters, families = data["character"].value_counts(), data["axis_family"].astype(str).value_counts()
    marks = [
        Line2D([], [], ls="", marker=m, ms=5.5, mfc="#555555", mec="white", label=f"{c} ({characters[c]})")
        for c, m in _MARKERS.items()
        if c in characters
    ]
    colours = [
        Line2D(
            [],
            [],
            ls="",
            marker="o",
            ms=6,
            mfc=_COLOURS[f],
            mec="white",
            label=f"{'⟨' + f + '⟩' if f != 'other' else f} ({families[f]})",
        )
        for f in _COLOURS
        if f in families
    ]
    return [heading("Character"), *marks, heading(""), heading("Disorientation axis"), *colours]
