"""Lists in the settings that become one run for each value."""

from typing import Annotated

from pydantic import Field

from gbscape.config.base import Settings

SweepValue = int | float | str


class Sweepable(Settings):
    """What the representations that compute something share."""

    sweep: dict[str, Annotated[list[SweepValue], Field(min_length=1)]] = Field(default={})
    """Parameters and the values each shall take; every combination becomes a representation of its own, e.g.
    `cutoff_angstrom: [4.0, 5.0]` makes `soap~cutoff_angstrom=4.0` and `soap~cutoff_angstrom=5.0`."""
