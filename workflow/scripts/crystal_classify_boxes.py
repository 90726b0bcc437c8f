"""Classify one shard of the boxes of a level."""

from typing import TYPE_CHECKING

from gbscape.config.crystal import Map
from gbscape.crystal.map_steps import classify_shard
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
classify_shard(
    snakemake.input.sample,
    snakemake.input.boxes,
    snakemake.input.model,
    snakemake.output[0],
    Map(**snakemake.params.settings),
    shard=int(snakemake.wildcards.shard),
    n_shards=snakemake.params.n_shards,
    code=snakemake.params.code,
    threads=snakemake.threads,
)
