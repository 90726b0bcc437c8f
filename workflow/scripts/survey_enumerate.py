"""Enumerate the boundaries of the survey."""

from typing import TYPE_CHECKING

from gbscape.config.survey import Enumeration
from gbscape.store.job import begin_job
from gbscape.survey.boundary import write_boundaries
from gbscape.survey.enumeration import enumerate_boundaries, select

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
settings = Enumeration(**snakemake.params.settings)
boundaries = select(enumerate_boundaries(settings.lattice, settings.max_length), settings)
write_boundaries(snakemake.output[0], boundaries)
