"""How work is cut into jobs."""

from typing import Annotated, Literal

from pydantic import Field

from gbscape.config.base import Settings

Shards = Annotated[int, Field(ge=1, le=2000)] | Literal["auto"]
"""Number of jobs of a step; `auto` takes it from the estimated time, see `Jobs`."""


class Jobs(Settings):
    """Jobs of the steps whose `shards` is `auto`. Their number follows from the configuration and the table of costs: to change
    either in a run that has begun cuts its work anew, and computes it again."""

    minutes: float = Field(default=20.0, gt=0, le=10_000)
    """Estimated time of a job."""
    most: int = Field(default=2000, ge=1, le=20_000)
    """Most jobs of a step: with more of them each takes longer. Snakemake plans 300 to 700 jobs a second."""
