"""Grids of panels that share their axes."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gbscape.figures.style import figure


@contextmanager
def panel_grid(
    path: str | Path, count: int, width_inch: float, height_inch: float, max_columns: int = 3, share_y: bool = True
) -> Iterator[tuple[Figure, list[Axes]]]:
    """Yield a figure, saved when the block ends, and `count` axes in rows of at most `max_columns`.

    The axes share their scales (with `share_y` false only that along x); tick labels stand at the left and below the lowest panel of each column. More than
    `max_columns` panels are spread so that as few places as possible stay empty.

    Raises:
        ValueError: the suffix of `path` is not that of a picture.
    """
    lines = math.ceil(count / max_columns)
    columns = math.ceil(count / lines)
    with figure(path, max(3.0, columns * width_inch + 0.4), lines * height_inch + 0.4) as fig:
        grid = fig.subplots(lines, columns, sharex=True, sharey=share_y, squeeze=False)
        places = list(grid.flat)
        for number, ax in enumerate(places):
            if number >= count:
                ax.set_visible(False)
            elif number + columns >= count:
                ax.tick_params(labelbottom=True)
        yield fig, places[:count]
