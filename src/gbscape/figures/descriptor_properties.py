"""Properties of descriptors, measured beside the published table (Homer et al. 2019, Table 2), and the curves behind."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from gbscape.config.descriptor_properties import DescriptorProperties
from gbscape.descriptor_properties.tables import ENTRY_COLUMNS, MEASUREMENT_COLUMNS, TOGETHER
from gbscape.descriptor_properties.verdicts import ADDS_UP
from gbscape.figures.columns import require_columns
from gbscape.figures.html_table import write_html_table
from gbscape.figures.labels import in_usual_order, representation_colours, representation_label
from gbscape.figures.style import GREY, figure

_CLASSIFICATIONS = {"cna": "CNA", "ptm": "PTM", "ptm_rmsd": "PTM with RMSD"}
_MARKS = {"yes": "✓", "no": "–", "researcher": "R"}
_UNCERTAIN = ("likely", "unknown")
_FLOOR = 1e-7
"""Where responses that are zero, or lost in rounding, are drawn."""


def descriptor_properties_table(entries: pd.DataFrame) -> pd.DataFrame:
    """The table as it is read: a row a property, a column a descriptor, cells of text.

    The first line of a cell is the verdict, the second the number that decides and the published mark, the third what else was
    found.

    Args:
        entries: columns `ENTRY_COLUMNS`.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(entries, ENTRY_COLUMNS, "the table of descriptors' properties")
    rows = []
    for name, of_property in entries.groupby("property", sort=False):
        cells = of_property.set_index("descriptor")
        first = cells.iloc[0]
        label = str(name).capitalize() if str(name)[0].islower() else str(name)
        row = {"Property": f"{label}\n{_text(first['quantity'])}"}
        rows.append(
            row
            | {_label(d): _cell(cells.loc[d]) for d in _in_order(cells.index)}
            | {"Rule": f"\n{_text(first['rule'])}"}
        )
    return pd.DataFrame(rows)


def write_descriptor_properties(entries: pd.DataFrame, path: str | Path, settings: DescriptorProperties) -> None:
    """Write the table as an HTML page.

    Args:
        entries: columns `ENTRY_COLUMNS`.
        path: the page.
        settings: with which it was measured.
    """
    caption = (
        "Properties of descriptors, each measured and judged by the rule on the right. Second line of a cell: the number that "
        "decides, and the mark of Homer et al. 2019, Table 2 (✓ has it, – has it not, R depends on the researcher), in brackets "
        "where our copy of the table does not show for certain whose mark it is. Properties that stay a matter of judgement are "
        "shown as published. Changes are Euclidean distances of descriptions over the typical (median) distance between two "
        f"boundaries of this survey. Boundaries that were changed and described again: {', '.join(settings.boundaries)}. The "
        "atoms of a boundary stay those of the relaxed boundary unless said otherwise."
    )
    write_html_table(path, descriptor_properties_table(entries), "Properties of descriptors", caption)


def plot_descriptor_properties(measurements: pd.DataFrame, path: str | Path, settings: DescriptorProperties) -> None:
    """Draw the response to random displacements, the largest step of a path when steps are halved, and what two defects do together.

    Args:
        measurements: columns `MEASUREMENT_COLUMNS`, of all descriptors.
        path: the picture (.svg, .png or .pdf).
        settings: with which it was measured.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(measurements, MEASUREMENT_COLUMNS, "the measurements of descriptors")
    names = _in_order(measurements["descriptor"])
    colours = representation_colours(names)
    with figure(path, 9.6, 3.7) as fig:
        left, middle, right = fig.subplots(1, 3)
        for number, name in enumerate(names):
            its = measurements[measurements["descriptor"] == name]
            # Earlier ones are larger, so that those that coincide are all seen.
            size = 8 - 5 * number / max(1, len(names) - 1)
            style = {
                "color": colours[name],
                "marker": _MARKERS[number % len(_MARKERS)],
                "ms": size,
                "lw": size / 3,
                "mew": 0,
            }
            _draw_response(left, its[its["property"] == "perturbations"], style)
            _draw_steps(middle, its[its["property"] == "smoothly varying"], style)
            _draw_pairs(right, its[its["property"] == "multi-scale"], style)
        _finish(left, middle, right, settings)
        handles = [
            Line2D([], [], color=colours[n], marker=_MARKERS[i % len(_MARKERS)], ms=5, mew=0, label=_label(n))
            for i, n in enumerate(names)
        ]
        handles.append(Line2D([], [], color="#666666", ls=":", lw=1, label="a: atoms selected anew"))
        fig.legend(handles=handles, loc="outside upper center", ncols=len(handles))


_MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def _draw_response(ax: Axes, rows: pd.DataFrame, style: dict[str, object]) -> None:
    for quantity, line in (("same atoms", "-"), ("atoms selected anew", ":")):
        response = rows[rows["quantity"] == quantity].groupby("x")["value"].median()
        look = style | ({"marker": "", "lw": 1.0} if line == ":" else {})
        ax.plot(response.index, response.clip(lower=_FLOOR), ls=line, **look)  # type: ignore[arg-type]


def _draw_steps(ax: Axes, rows: pd.DataFrame, style: dict[str, object]) -> None:
    """The path whose largest step shrinks least."""
    steps = rows[rows["quantity"].str.startswith("largest step")]
    paths = steps.pivot_table(index=["quantity", "boundary"], columns="x", values="value")
    paths = paths[paths.max(axis=1) > _FLOOR]
    if len(paths):
        relative = paths.div(paths.iloc[:, 0], axis=0)
        worst = relative.loc[relative.iloc[:, -1].idxmax()]
        ax.plot(worst.index, worst, **style)  # type: ignore[arg-type]


def _draw_pairs(ax: Axes, rows: pd.DataFrame, style: dict[str, object]) -> None:
    pairs = rows[rows["quantity"] == TOGETHER].sort_values("x")
    ax.plot(pairs["x"], pairs["value"].clip(lower=_FLOOR), **style)  # type: ignore[arg-type]


def _finish(left: Axes, middle: Axes, right: Axes, settings: DescriptorProperties) -> None:
    shortest, *_, longest = settings.displacements_angstrom
    left.set(xscale="log", yscale="log", xlabel="Random displacement (Å)", ylabel="Change / typical distance")
    guide = np.array([shortest, longest])
    left.plot(guide, 0.02 * guide, color=GREY, lw=0.8, ls="--", zorder=1)
    left.text(20 * shortest, 0.2 * shortest, "in proportion", color=GREY, fontsize=7, va="top")
    counts = [settings.path_steps // coarser for coarser in (4, 2, 1)]
    middle.set_xscale("log", base=2)
    middle.set_yscale("log", base=2)
    middle.set_xticks(counts, labels=[str(count) for count in counts])
    middle.set_yticks([1.0, 0.5, 0.25], labels=["1", "1/2", "1/4"])
    middle.plot(counts, [counts[0] / count for count in counts], color=GREY, lw=0.8, ls="--", zorder=1)
    middle.set(xlabel="Steps of the path", ylabel="Largest step / that of the coarsest path")
    right.set(yscale="log", xlabel="Distance between two defects (Å)", ylabel="Beyond the sum of both / effect of one")
    right.axhline(ADDS_UP, color=GREY, lw=0.8, ls="--", zorder=1)
    right.axvline(settings.long_range_angstrom, color=GREY, lw=0.8, ls=":", zorder=1)
    for ax in (left, right):
        powers = range(-6, 2)
        ax.set_yticks([_FLOOR, *(10.0**k for k in powers)], labels=["0", *(f"$10^{{{k}}}$" for k in powers)])
        ax.set_ylim(_FLOOR / 2, max(3.0, 1.5 * ax.dataLim.y1))
        ax.minorticks_off()
    for ax, letter, title in (
        (left, "a", "Response to perturbations"), (middle, "b", "Along a path, steps halved"), (right, "c", "Range of interplay")
    ):  # fmt: skip
        ax.set_title(f"{letter}  {title}", loc="left", fontsize=9)


def _cell(entry: pd.Series) -> str:
    value = entry["value"]
    number = "" if pd.isna(value) else "infinite" if np.isinf(value) else f"{value:.2g}"
    decides = ", ".join(part for part in (number, _published(entry)) if part)
    return "\n".join(part for part in (entry["verdict"], decides, _text(entry["note"])) if part)


def _published(entry: pd.Series) -> str:
    mark = _MARKS.get(_text(entry["published"]), "")
    if not _text(entry["certainty"]):
        return ""
    shown = mark or "?"
    return f"paper ({shown})" if entry["certainty"] in _UNCERTAIN else f"paper {shown}"


def _text(value: object) -> str:
    return "" if pd.isna(value) else str(value)  # type: ignore[call-overload]


def _label(name: str) -> str:
    return _CLASSIFICATIONS.get(name) or representation_label(name)


def _in_order(names: Sequence[str]) -> list[str]:
    """Classifications first, as in the published table, then representations in their usual order."""
    present = set(names)
    return [n for n in _CLASSIFICATIONS if n in present] + in_usual_order(present - set(_CLASSIFICATIONS))
