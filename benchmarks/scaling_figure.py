"""Draws what `scaling.py` measured: `python benchmarks/scaling_figure.py [scaling.json] [picture]`."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from measure import RESULTS

from gbscape.figures.style import BLUE, GREEN, GREY, VERMILION, figure

IDEAL = {"color": GREY, "ls": (0, (4, 2)), "lw": 1.0, "zorder": 1}


def draw(data: dict[str, Any], path: str | Path) -> None:
    """Left: time and peak memory against the number of atoms; right: time against the number of threads."""
    with figure(path, 7.0, 3.0) as fig:
        left, right = fig.subplots(1, 2)
        _draw_atoms(left, data["by_atoms"])
        _draw_threads(right, data["by_threads"])
        for ax, letter in ((left, "a"), (right, "b")):
            ax.set_title(letter, loc="left", fontweight="bold")


def _draw_atoms(ax: Axes, runs: list[dict[str, Any]]) -> None:
    engines = list(dict.fromkeys(run["engine"] for run in runs))
    for engine, colour in zip(engines, (BLUE, GREEN), strict=False):
        atoms, seconds = _columns([run for run in runs if run["engine"] == engine], "atoms", "seconds")
        label = "time, one core" if engine == "native" else f"time, {engine}"
        ax.loglog(atoms, seconds, color=colour, marker="o", label=label, zorder=3)
    atoms, seconds = _columns([run for run in runs if run["engine"] == engines[0]], "atoms", "seconds")
    ax.loglog(atoms, seconds[-1] * atoms / atoms[-1], label="proportional", **IDEAL)
    ax.set(xlabel="Atoms", ylabel="Time (s)")
    memory = ax.twinx()
    held = [run for run in runs if run["engine"] == engines[0] and run["peak_bytes_beyond_result"] > 0]
    atoms, peak = _columns(held, "atoms", "peak_bytes_beyond_result")
    (line,) = memory.loglog(atoms, peak / 1e6, color=VERMILION, marker="s", mfc="white", label="memory, one core")
    memory.spines.right.set_visible(True)
    memory.set_ylabel("Peak memory beyond the result (MB)", color=VERMILION)
    memory.tick_params(axis="y", labelcolor=VERMILION)
    ax.legend(handles=[*ax.get_legend_handles_labels()[0], line], loc="upper left")


def _draw_threads(ax: Axes, runs: list[dict[str, Any]]) -> None:
    threads, seconds = _columns(runs, "threads", "seconds")
    ax.plot(threads, seconds, color=BLUE, marker="o", label=f"{runs[0]['atoms']:,} atoms".replace(",", " "), zorder=3)
    numbers = np.linspace(threads[0], threads[-1], 200)
    ax.plot(numbers, seconds[0] * threads[0] / numbers, label="ideal", **IDEAL)
    ax.set(xlabel="Threads", ylabel="Time (s)", ylim=(0, 1.08 * seconds.max()))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(loc="lower left")


def _columns(runs: list[dict[str, Any]], *names: str) -> list[np.ndarray]:
    return [np.array([run[name] for run in runs], dtype=float) for name in names]


if __name__ == "__main__":
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS / "scaling.json"
    draw(json.loads(source.read_text()), sys.argv[2] if len(sys.argv) > 2 else source.with_suffix(".png"))
