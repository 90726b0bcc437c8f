"""The map of all boxes."""

from typing import TYPE_CHECKING

from gbscape.config.crystal import Map
from gbscape.crystal.map_steps import finish_map
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
finish_map(snakemake.input.sample, snakemake.input.levels, snakemake.output[0], Map(**snakemake.params.settings))
