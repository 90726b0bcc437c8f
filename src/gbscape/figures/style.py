"""How every figure looks and how it is saved."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox
from numpy.typing import ArrayLike

from gbscape.store.atomic import atomic_path

STYLE_SHEET = "gbscape.figures.gbscape"

BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, GREY, INK = "#E69F00", "#56B4E9", "#8C8C8C", "#222222"

# What would make two runs of the same data differ, by file format.
_METADATA: Mapping[str, dict[str, Any]] = {
    ".svg": {"Date": None, "Creator": "gbscape"},
    ".pdf": {"CreationDate": None, "Creator": "gbscape", "Producer": "gbscape"},
    ".png": {"Software": "gbscape"},
}


@contextmanager
def figure(
    path: str | Path, width_inch: float, height_inch: float, layout: str | None = "constrained"
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
    path = Path(path)
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


def label_points(
    ax: Axes, x: ArrayLike, y: ArrayLike, texts: Sequence[str], obstacles: ArrayLike | None = None, **text: Any
) -> None:
    """Write short texts beside points so that they cover neither each other nor, where there is room, a point.

    Call it when the limits of the axes are final and the layout was run (`fig.draw_without_rendering()`).

    Args:
        ax: the axes.
        x, y: points (n,) in data coordinates.
        texts: n texts.
        obstacles: further points (m, 2) in data coordinates that are better not covered.
        text: passed on to `Axes.annotate`.
    """
    points = ax.transData.transform(np.column_stack([np.asarray(x, float), np.asarray(y, float)]))
    avoid = points if obstacles is None else np.vstack([points, ax.transData.transform(np.asarray(obstacles, float))])
    renderer = cast(FigureCanvasAgg, ax.figure.canvas).get_renderer()
    frame = ax.get_window_extent(renderer)
    taken: list[Bbox] = []
    directions = [(np.cos(a), np.sin(a)) for a in np.deg2rad([45, 135, -45, -135, 90, 0, 180, -90])]
    for point, content in zip(points, texts, strict=True):
        best: tuple[float, Any, Bbox] | None = None
        for reach in (6, 11, 17, 24, 34):
            for cx, cy in directions:
                note = ax.annotate(
                    content, tuple(ax.transData.inverted().transform(point)), (reach * cx, reach * cy),
                    textcoords="offset points", ha="center", va="center",
                    path_effects=[withStroke(linewidth=2, foreground="white")],
                    arrowprops={"arrowstyle": "-", "lw": 0.5, "color": GREY, "shrinkA": 4, "shrinkB": 2} if reach > 11 else None,
                    **text,
                )  # fmt: skip
                box = _text_box(note, renderer)
                inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
                overlap = sum(box.padded(1).overlaps(other) for other in taken)
                covered = int(np.sum([box.contains(*other) for other in avoid]))
                cost = 100 * overlap + 100 * (not inside) + 10 * covered + reach / 10
                if best is None or cost < best[0]:
                    if best is not None:
                        best[1].remove()
                    best = (cost, note, box)
                else:
                    note.remove()
        assert best is not None
        taken.append(best[2])


def _text_box(note: Annotation, renderer: Any) -> Bbox:
    """Extent of an annotation's text without its line."""
    note.update_positions(renderer)
    return Text.get_window_extent(note, renderer)
