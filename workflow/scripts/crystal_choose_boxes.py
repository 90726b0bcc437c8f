"""Choose the boxes of one level of a map."""

from typing import TYPE_CHECKING

from gbscape.config.crystal import Map
from gbscape.crystal.map_steps import choose_boxes
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
choose_boxes(
    snakemake.input.sample,
    snakemake.input.get("before") or None,
    snakemake.output[0],
    Map(**snakemake.params.settings),
    level=int(snakemake.wildcards.level),
)
