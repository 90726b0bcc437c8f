"""How every figure looks and how it is saved."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path as FilePath
from typing import Any, cast

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox
from numpy.typing import ArrayLike, NDArray

from gbscape.store.atomic import atomic_path

STYLE_SHEET = "gbscape.figures.gbscape"

BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, BROWN, GREY, INK = "#E69F00", "#56B4E9", "#8C564B", "#8C8C8C", "#222222"

# What would make two runs of the same data differ, by file format.
_METADATA: Mapping[str, dict[str, Any]] = {
    ".svg": {"Date": None, "Creator": "gbscape"},
    ".pdf": {"CreationDate": None, "Creator": "gbscape", "Producer": "gbscape"},
    ".png": {"Software": "gbscape"},
}


@contextmanager
def figure(
    path: str | FilePath, width_inch: float, height_inch: float, layout: str | None = "constrained"
) -> Iterator[Figure]:
    """Yield a figure in the house style and save it when the block ends without an error.

    The same content gives the same bytes; the file is complete or not there. No window is opened and no pyplot state
    is touched.

    Args:
        path: the picture; its suffix (.svg, .png or .pdf) is its format. PNG has 200 dots an inch.
        width_inch: width of the figure.
        height_inch: height of the figure.
        layout: layout engine of matplotlib, None for axes placed by hand.

    Raises:
        ValueError: another suffix.
    """
    path = FilePath(path)
    if path.suffix not in _METADATA:
        raise ValueError(f"{path}: a figure's suffix must be one of {', '.join(_METADATA)}")
    with matplotlib.style.context(STYLE_SHEET):
        fig = Figure(figsize=(width_inch, height_inch), layout=layout)  # type: ignore[arg-type]
        FigureCanvasAgg(fig)
        yield fig
        with atomic_path(path) as temporary:
            fig.savefig(temporary, metadata=_METADATA[path.suffix])


def say_instead(ax: Axes, message: str) -> None:
    """Fill `ax` with a message in place of data that are not there."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, message, transform=ax.transAxes, ha="center", va="center", color=GREY, wrap=True)


def draw_message(path: str | FilePath, message: str) -> None:
    """Make a picture that holds only a message, for a figure without data."""
    with figure(path, 6.4, 2.0) as fig:
        say_instead(fig.subplots(), message)


def label_points(
    ax: Axes, x: ArrayLike, y: ArrayLike, texts: Sequence[str], obstacles: ArrayLike | None = None, **text: Any
) -> None:
    """Write short texts beside points so that, where there is room, they cover neither each other nor a point.

    Texts are placed in the order given, each where it disturbs least; a line leads to those that had to go far. Call it
    when the limits of the axes are final and the layout was run (`fig.draw_without_rendering()`).

    Args:
        ax: the axes.
        x, y: points (n,) in data coordinates.
        texts: n texts.
        obstacles: further points (m, 2) in data coordinates that are better not covered.
        text: passed on to `Axes.annotate`.
    """
    data = np.column_stack([np.asarray(x, float), np.asarray(y, float)])
    points = ax.transData.transform(data)
    avoid = points if obstacles is None else np.vstack([points, ax.transData.transform(np.asarray(obstacles, float))])
    renderer = cast(FigureCanvasAgg, ax.figure.canvas).get_renderer()
    frame = ax.get_window_extent(renderer)
    pixels = renderer.points_to_pixels(1.0)
    taken: list[Bbox] = []
    leaders: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    for place, point, content in zip(data, points, texts, strict=True):
        note = ax.annotate(
            content, (float(place[0]), float(place[1])), (0.0, 0.0), textcoords="offset points", ha="center", va="center",
            path_effects=[withStroke(linewidth=2, foreground="white")], zorder=5, **text,
        )  # fmt: skip
        size = np.array(note.get_window_extent(renderer).size)
        best_cost, best_offset, best_box = np.inf, np.zeros(2), Bbox.null()
        for gap in _LABEL_GAPS:
            for direction in _LABEL_DIRECTIONS:
                offset = direction * (gap * pixels + size / 2)
                box = Bbox.from_extents(*(point + offset - size / 2), *(point + offset + size / 2))
                ends = (point, point + offset)
                cost = (
                    gap / 10
                    + 100
                    * (not (frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1))
                    + 100 * sum(box.padded(pixels).overlaps(other) for other in taken)
                    + 4 * _count_inside(avoid, box.padded(2.5 * pixels))
                    + 20 * sum(_crosses(ends, other) for other in taken)
                    + 20 * sum(_crosses(leader, box) for leader in leaders)
                    + 10 * sum(Path(ends).intersects_path(Path(leader)) for leader in leaders)
                )
                if cost < best_cost:
                    best_cost, best_offset, best_box = cost, offset, box
        note.set_position(tuple(best_offset / pixels))
        nearest = np.clip(point, best_box.min, best_box.max)
        if np.hypot(*(nearest - point)) > 8 * pixels:
            ax.annotate(
                "", (float(place[0]), float(place[1])), tuple((nearest - point) / pixels), textcoords="offset points",
                arrowprops={"arrowstyle": "-", "lw": 0.5, "color": GREY, "shrinkA": 0, "shrinkB": 3}, zorder=2,
            )  # fmt: skip
            leaders.append((point, nearest))
        taken.append(best_box)


_LABEL_GAPS = (4, 9, 15, 22, 31, 42, 56)
_LABEL_DIRECTIONS = np.array(
    [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1), (0.5, 1), (-0.5, 1), (0.5, -1), (-0.5, -1)]
)


def _count_inside(points: NDArray[np.float64], box: Bbox) -> int:
    return int(((points > box.min) & (points < box.max)).all(axis=1).sum())


def _crosses(segment: tuple[NDArray[np.float64], NDArray[np.float64]], box: Bbox) -> bool:
    start, end = segment
    return bool(Path([start, end]).intersects_bbox(box, filled=False)) or _count_inside(np.array(segment), box) > 0
