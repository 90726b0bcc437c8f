"""Picture of what depends on what: the workflow's rules as a layered graph."""

import re
import textwrap
from collections.abc import Mapping
from pathlib import Path

import networkx as nx
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path as Path2D

from gbscape.figures.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, SKY, VERMILION, figure

STAGES: Mapping[str, tuple[str, str]] = {
    "survey": ("structure", BLUE),
    "features": ("features", GREEN),
    "learn": ("model", ORANGE),
    "snapshots": ("snapshots", SKY),
    "relevance": ("relevance", PURPLE),
    "descriptor_properties": ("descriptors", GREY),
    "crystal_models": ("crystal models", "#8C510A"),
    "crystal_maps": ("crystal maps", "#2F4F4F"),
    "replica": ("atomic energies", "#5E3C99"),
    "figures": ("figures", VERMILION),
}
"""Rule file -> what its rules are called in the picture, and their colour."""


_KEY_INCH = 1.2
"""Width of the column with the names of the stages."""


def rules_by_file(folder: str | Path) -> dict[str, str]:
    """Name of the file (without its ending) in which each rule of a folder of rule files stands."""
    return {
        rule: path.stem
        for path in sorted(Path(folder).glob("*.smk"))
        for rule in re.findall(
            r"^ *(?:rule|use rule \w+ as) (\w+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
    }


def rulegraph_data(dot: str) -> nx.DiGraph:
    """Read the graph that `snakemake --rulegraph dot` prints; edges run from a rule to those that use its output.

    The default targets, which only collect files, are left out, and the data step of a figure (`<name>_data`) and its
    plot step (`plot_<name>`) become one.

    Raises:
        ValueError: the text holds no rules.
    """
    names = dict(re.findall(r'^\s*(\d+)\s*\[label\s*=\s*"([^"\\]+)', dot, flags=re.MULTILINE))
    merged = {number: re.sub(r"^plot_|_data$", "", name) for number, name in names.items()}
    graph = nx.DiGraph()
    graph.add_nodes_from(merged.values())
    edges = re.findall(r"^\s*(\d+)\s*->\s*(\d+)", dot, flags=re.MULTILINE)
    graph.add_edges_from((merged[a], merged[b]) for a, b in edges if merged[a] != merged[b])
    graph.remove_nodes_from(["default", "all"])
    # Where a step begins again from what the last one of its round gave, as the levels of a map do, the way back is left out.
    for round_ in list(nx.strongly_connected_components(graph)):
        leaving = {rule for rule in round_ if not set(graph.successors(rule)) <= round_}
        graph.remove_edges_from([(rule, to) for rule, to in graph.subgraph(round_).edges if rule in leaving])
    if not graph:
        raise ValueError("no rules in the text; it should be what `snakemake --rulegraph dot` prints")
    return nx.transitive_reduction(graph)


def plot_rulegraph(graph: nx.DiGraph, path: str | Path, files: Mapping[str, str]) -> None:
    """Draw the rules in layers from top to bottom, coloured by stage.

    Args:
        graph: as `rulegraph_data` returns it.
        path: the picture.
        files: rule file of each rule, see `rules_by_file`.
    """
    place, bends = _layout(graph)
    layers = 1 + max(y for _, y in place.values())
    across = [x for x, _ in (*place.values(), *(at for bend in bends.values() for at in bend))]
    left, right = min(across), max(across)
    step, row, box = 1.28, 0.78, (1.12, 0.44)
    with figure(path, (right - left) * step + box[0] + 0.3 + _KEY_INCH, layers * row + 0.35, layout=None) as fig:
        ax = fig.add_axes((0, 0, 1, 1))
        ax.set_axis_off()
        at = {name: ((x - left) * step, -y * row) for name, (x, y) in place.items()}
        for (a, b), bend in bends.items():
            start, end = (at[a][0], at[a][1] - box[1] / 2), (at[b][0], at[b][1] + box[1] / 2)
            between = [((x - left) * step, -y * row + dy) for x, y in bend for dy in (box[1] / 2, -box[1] / 2)]
            line = Path2D([start, *between, end])
            ax.add_patch(
                FancyArrowPatch(path=line, arrowstyle="-|>", mutation_scale=7, color=GREY, lw=0.8, zorder=1, fill=False)
            )
        for name in graph:
            x, y = at[name]
            corner = (x - box[0] / 2, y - box[1] / 2)
            style, colour = (
                "round,pad=0,rounding_size=0.08",
                STAGES.get(files.get(name, "figures"), STAGES["figures"])[1],
            )
            ax.add_patch(FancyBboxPatch(corner, *box, boxstyle=style, fc=colour, ec="white", lw=1, zorder=2))
            label = textwrap.fill(name.replace("_", " "), 14)
            ax.text(
                x, y, label, ha="center", va="center", fontsize=7.5, color=_ink_on(colour), zorder=3, linespacing=0.95
            )
        for i, (label, colour) in enumerate(STAGES.values()):
            height = 0.97 - i * 0.2 / fig.get_figheight()
            ax.text(0.01, height, label, fontsize=9, color=colour, weight="bold", va="top", transform=ax.transAxes)
        ax.set(
            xlim=(-box[0] / 2 - 0.15 - _KEY_INCH, (right - left) * step + box[0] / 2 + 0.15),
            ylim=(-(layers - 0.45) * row, 0.5),
        )


def _ink_on(colour: str) -> str:
    """White on dark colours, dark on light ones (relative luminance as in WCAG 2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return "white" if 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] < 0.28 else INK


Place = tuple[float, int]


def _layout(graph: nx.DiGraph) -> tuple[dict[str, Place], dict[tuple[str, str], list[Place]]]:
    """Place of every rule (across, layer from the top), and the places that each edge passes between its ends.

    A rule's layer is its longest path from a source. Edges over several layers pass through narrow places of their own,
    so that they do not run behind rules. The order within the layers is by repeated barycentres (Sugiyama's method).
    """
    layer_of = {name: row for row, layer in enumerate(nx.topological_generations(graph)) for name in layer}
    expanded = nx.DiGraph()
    expanded.add_nodes_from(graph)
    chains: dict[tuple[str, str], list[tuple[str, str, int]]] = {}
    rows: list[list[object]] = [[] for _ in range(1 + max(layer_of.values()))]
    for name in sorted(graph):
        rows[layer_of[name]].append(name)
    for a, b in sorted(graph.edges):
        chains[a, b] = [(a, b, row) for row in range(layer_of[a] + 1, layer_of[b])]
        for passing in chains[a, b]:
            rows[passing[2]].append(passing)
        nx.add_path(expanded, [a, *chains[a, b], b])

    across: dict[object, float] = {}

    def spread(row: list[object]) -> None:
        widths = [0.3 if isinstance(node, tuple) else 1.0 for node in row]
        edge = -sum(widths) / 2
        for node, width in zip(row, widths, strict=True):
            across[node] = edge + width / 2
            edge += width

    for row in rows:
        spread(row)
    for _ in range(24):
        for row in rows:
            neighbours = {n: [across[m] for m in (*expanded.predecessors(n), *expanded.successors(n))] for n in row}
            wish = {n: sum(places) / len(places) if places else 0.0 for n, places in neighbours.items()}
            row.sort(key=lambda n, wish=wish: (wish[n], str(n)))  # type: ignore[misc]
            spread(row)
    places = {name: (across[name], layer_of[name]) for name in graph}
    return places, {edge: [(across[p], p[2]) for p in chain] for edge, chain in chains.items()}
