"""Lines of means with bands of one standard deviation."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from pandas.core.groupby import SeriesGroupBy


def draw_mean_and_band(
    ax: Axes,
    values: "SeriesGroupBy[float, Any]",
    colour: str,
    label: str | None,
    logarithmic: bool = False,
    **line: Any,
) -> None:
    """Draw means of grouped values against what they are grouped by, with a band of one standard deviation where there are several.

    Args:
        ax: the axes.
        values: of a column, grouped by a number.
        colour: of line and band.
        label: in the legend; None for none.
        logarithmic: end the band at a tenth of the mean, since 0 has no place on a logarithmic scale.
        line: passed on to `Axes.plot`.
    """
    mean, spread = values.mean(), values.std().fillna(0.0)
    lower = np.maximum(mean - spread, mean / 10) if logarithmic else mean - spread
    ax.plot(mean.index, mean, color=colour, label=label, **line)
    ax.fill_between(mean.index, lower, mean + spread, color=colour, alpha=0.14, lw=0)
