"""Settings of the figures and tables of the report."""

from typing import Annotated, Literal

from pydantic import Field

from gbscape.config.base import Settings
from gbscape.config.learn import Target


class Gallery(Settings):
    """The picture of relaxed boundaries drawn from their atoms. Lengths in Angstrom."""

    count: int = Field(default=40, gt=0, le=400)
    """At most this many boundaries are drawn, the first of the survey."""
    colour_by: Literal["excess_energy", "structure_type"] = "excess_energy"
    """What colours the atoms: their energy above the bulk's, or their structure type (adaptive common neighbour analysis)."""
    half_width_angstrom: float = Field(default=12.0, gt=2, le=100)
    """Atoms within this distance of the boundary are drawn."""
    height_angstrom: float = Field(default=27.0, gt=2, le=200)
    """Height of a panel; the period of the boundary is repeated to fill it."""


class Figures(Settings):
    """Figures and tables of the report."""

    gallery: Gallery = Gallery()
    """The picture of relaxed boundaries."""
    reached_within_j_m2: float = Field(default=0.005, ge=0)
    """An energy no more than this above the published one (J/m^2) counts as reached."""
    lower_by_j_m2: float = Field(default=0.01, gt=0)
    """An energy more than this below the published one (J/m^2) is shown as a lower-energy structure."""
    reached_share_percent: float = Field(default=95.0, gt=0, le=100)
    """Share of boundaries that have to reach their published energy for the scorecard to say so, in percent."""
    goals_percent: dict[Target, Annotated[float, Field(gt=0, le=100)]] = {}
    """Accuracies that the best representation or model should reach, by property, e.g. `energy: 97`."""
    top_features: int = Field(default=12, gt=0, le=60)
    """Number of features named in the picture of feature importance."""
