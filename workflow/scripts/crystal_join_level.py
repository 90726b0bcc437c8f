"""Join the shards of one level of a map, and the levels before."""

from typing import TYPE_CHECKING

from gbscape.crystal.map_steps import join_level
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
join_level(snakemake.input.shards, snakemake.input.get("before") or None, snakemake.output[0])
