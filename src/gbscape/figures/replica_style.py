"""What the figures of the atomic energies share: colours and names of structure types and strategies."""

from gbscape.figures.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION

TYPE_COLOURS = {"BCC": "#3B6FB6", "OTH": "#C9C9C9", "FCC": "#2E9E5B", "HCP": VERMILION, "ICO": "#F0C808"}
"""As in Tamura et al. (2020), figure 2; in the order in which they are drawn."""
STRATEGY_COLOURS = {
    "uncertainty": BLUE,
    "random_1": VERMILION,
    "random_2": ORANGE,
    "d_optimality": GREEN,
    "a_optimality": PURPLE,
    "rounds": SKY,
}
_NAMES = {
    "uncertainty": "uncertainty reduction",
    "random_1": "Random 1",
    "random_2": "Random 2",
    "d_optimality": "D-optimality",
    "a_optimality": "A-optimality",
    "rounds": "uncertainty reduction in rounds",
}


def strategy_label(name: str) -> str:
    """Name of a strategy as it is printed."""
    return _NAMES.get(name, name)


def strategy_colour(name: str) -> str:
    """Colour of a strategy in all figures."""
    return STRATEGY_COLOURS.get(name, GREY)
