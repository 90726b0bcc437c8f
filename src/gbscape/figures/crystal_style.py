"""What the figures of crystal maps share: colours and names of classes, colour scales, and axes of maps."""

import re
from collections.abc import Iterable, Sequence
from textwrap import fill

import numpy as np
from matplotlib.colors import Colormap, LinearSegmentedColormap, ListedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from gbscape.figures.style import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION

MUTUAL_INFORMATION = "Mutual information (bits)"
OTHER, OTHER_COLOUR = "other", "#BDBDBD"
NO_VALUE_COLOUR = "#EDEDED"
"""Where no box is classified."""
OUTLIER_COLOUR = "#C4C4C4"

PROBABILITY_COLOURS: Colormap = LinearSegmentedColormap.from_list(
    "probability", ["#FFFFFF", "#CFE3F2", "#74B0D8", "#2878B5", "#08306B"]
)
UNCERTAINTY_COLOURS: Colormap = LinearSegmentedColormap.from_list(
    "uncertainty", ["#000004", "#3B0F70", "#8C2981", "#DE4968", "#FE9F6D", "#FCFDBF"]
)

# The classes of the thesis's pictures have a colour of their own in all of ours.
_CLASS_COLOURS = {
    "fcc": BLUE,
    "bcc": GREEN,
    "hcp": VERMILION,
    "diamond": PURPLE,
    "L1_2": ORANGE,
    "L1_0": "#8C510A",
    "dhcp": SKY,
    "graphene": "#2F4F4F",
    "MnS2": "#F0C808",
    "In": "#5E3C99",
    "alpha_Pa": "#A6761D",
    "hexagonal_diamond": "#E7B5D3",
}
_SPARE = ("#7FB800", "#E7298A", "#B2182B", "#7B8FD4", "#F4A582", "#80CDC1", "#762A83", "#8F8F00")
# Other ones than those of the classes, beside which they stand (Paul Tol's muted scheme).
_CLUSTER_COLOURS = (
    "#332288", "#DDCC77", "#44AA99", "#CC6677", "#88CCEE", "#117733", "#AA4499", "#999933", "#882255", "#C08552",
)  # fmt: skip
_GREEK = {"alpha": "α", "beta": "β", "gamma": "γ"}


def crystal_label(name: str) -> str:
    """Label of a class as it is printed, e.g. `L1$_2$`, `α-Pa`, `MnS$_2$`, `nanotube (5, 2)`."""
    if match := re.fullmatch(r"nanotube_(\d+)_(\d+)", name):
        return f"nanotube ({match[1]}, {match[2]})"
    head, _, tail = name.partition("_")
    if head in _GREEK and tail:
        return f"{_GREEK[head]}-{tail}"
    if re.fullmatch(r"[A-Z]\d", head) and tail.isdigit():  # Strukturbericht
        return rf"{head}$_{tail}$"
    if len(re.findall(r"[A-Z][a-z]?\d*", name)) > 1 and re.fullmatch(r"(?:[A-Z][a-z]?\d*)+", name):
        return re.sub(r"(\d+)", r"$_{\1}$", name)
    return name.replace("_", " ").replace("$", r"\$")


def class_colours(labels: Iterable[str]) -> dict[str, str]:
    """Colour of each class; those of the thesis's pictures always have the same one."""
    names = list(dict.fromkeys(labels))
    others = [name for name in names if name not in _CLASS_COLOURS and name != OTHER]
    spare = {name: _SPARE[i % len(_SPARE)] for i, name in enumerate(others)}
    return {name: OTHER_COLOUR if name == OTHER else _CLASS_COLOURS.get(name) or spare[name] for name in names}


def most_frequent(labels: Iterable[str], count: int) -> list[str]:
    """The most frequent labels, at most `count` of them; of equals the first in the alphabet. Empty ones do not count."""
    names, counts = np.unique([label for label in labels if label], return_counts=True)
    return [str(name) for name in names[np.argsort(-counts, kind="stable")][:count]]


def joined_rare(labels: Sequence[str], shown: Sequence[str]) -> NDArray[np.str_]:
    """Labels with all that are not shown replaced by `OTHER`; empty ones stay empty."""
    names = np.asarray(labels, dtype=str)
    return np.where(np.isin(names, [*shown, ""]), names, OTHER)


def cluster_colours(count: int) -> list[str]:
    """Colours of clusters 0, 1, ..., different for the first ten."""
    return [_CLUSTER_COLOURS[i % len(_CLUSTER_COLOURS)] for i in range(count)]


def listed(colours: Sequence[str]) -> Colormap:
    """Colour scale for whole numbers from 0; masked places have the colour of no value."""
    return with_no_value(ListedColormap(list(colours)))


def with_no_value(scale: Colormap) -> Colormap:
    """A colour scale that shows masked places in the colour of no value."""
    return scale.with_extremes(bad=NO_VALUE_COLOUR)


def colour_key(names: Iterable[str], colours: Iterable[str]) -> list[Patch]:
    """Entries of a legend for areas."""
    return [Patch(facecolor=colour, label=name) for name, colour in zip(names, colours, strict=True)]


def marker_key(names: Iterable[str], colours: Iterable[str], size: float = 5) -> list[Line2D]:
    """Entries of a legend for points."""
    return [
        Line2D([], [], ls="", marker="o", ms=size, mew=0, color=colour, label=name)
        for name, colour in zip(names, colours, strict=True)
    ]


def wrapped(name: str, width: int) -> str:
    """A name on several lines, broken after underscores or spaces, where it is longer than `width` characters."""
    swapped = str.maketrans("_-", "-_")  # hyphens are what textwrap breaks after
    return fill(name.translate(swapped), width, break_long_words=False).translate(swapped)


def upper_limit(values: NDArray[np.floating]) -> float:
    """End of a colour scale from 0: what 99.5 % of the finite values are below, and not 0."""
    known = values[np.isfinite(values)]
    return max(float(np.quantile(known, 0.995)), 1e-3) if len(known) else 1.0
