"""What was interpolated in a map, beside what a classification says."""

from typing import TYPE_CHECKING

from gbscape.config.crystal import Map
from gbscape.crystal.map_steps import check_interpolation
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
check_interpolation(
    snakemake.input.sample,
    snakemake.input.map,
    snakemake.input.model,
    snakemake.output[0],
    Map(**snakemake.params.settings),
    threads=snakemake.threads,
)
