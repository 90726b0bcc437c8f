"""What the figures of the alloy share: names and colours of its models and of the ways to select features."""

from typing import Literal

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from gbscape.figures.style import BLUE, BROWN, GREEN, GREY, INK, ORANGE, PURPLE, SKY, VERMILION

MODEL_COLOURS = {
    "bootstrapped": BLUE,
    "greedy": SKY,
    "unstopped": VERMILION,
    "ridge": ORANGE,
    "averaged_ridge": BROWN,
    "lasso": GREEN,
    "trees": PURPLE,
    "soap ridge": GREY,
}
"""In the order in which they are drawn: those that select features first."""
_NAMES = {
    "bootstrapped": "greedy, bootstrapped ensemble",
    "greedy": "greedy, cross-validated",
    "unstopped": "greedy, not stopped",
    "ridge": "ridge, all features",
    "averaged_ridge": "ridge, bootstrapped ensemble",
    "lasso": "LASSO",
    "trees": "boosted trees",
    "soap ridge": "SOAP, ridge",
}
SELECTION_COLOURS = {
    "greedy": SKY,
    "greedy among random features": BLUE,
    "best correlated": GREEN,
    "random": GREY,
}
DFT_COLOUR = INK


def model_label(name: str) -> str:
    """Name of a model as it is printed."""
    return _NAMES.get(name, name)


def models_in_order(names: object) -> list[str]:
    """Names of models, each once, in the order in which they are drawn."""
    found = set(names)  # type: ignore[call-overload]
    return [name for name in MODEL_COLOURS if name in found]


def plain_logarithmic(ax: Axes, which: Literal["x", "y"]) -> None:
    """Make an axis of what is drawn logarithmic, with marks at 1, 2, 5, 10, ... written out; over more than two decades at 1, 10, ..."""
    ax.set(**{f"{which}scale": "log"})
    axis = ax.xaxis if which == "x" else ax.yaxis
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1.0,) if low > 0 and high > 100 * low else (1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())
