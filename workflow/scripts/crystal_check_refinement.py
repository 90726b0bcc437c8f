"""What was interpolated in a map, beside what a classification says."""

from typing import TYPE_CHECKING

from gbscape.config.crystal import Map
from gbscape.crystal.map_steps import check_interpolation
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
check_interpolation(
    snakemake.input.sample,
    snakemake.input.map,
    snakemake.input.model,
    snakemake.output[0],
    Map(**snakemake.params.settings),
    threads=snakemake.threads,
)
