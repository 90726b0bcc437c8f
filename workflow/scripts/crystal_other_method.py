"""Ask an established method about one shard of the classes."""

from typing import TYPE_CHECKING

from gbscape.config.crystal_descriptor import DefectGrid
from gbscape.crystal.compare_methods import score_method
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
score_method(
    snakemake.input.prototypes,
    snakemake.output[0],
    snakemake.wildcards.method,
    DefectGrid(**snakemake.params.defects),
    repeats=snakemake.params.repeats,
    shard=int(snakemake.wildcards.shard),
    n_shards=snakemake.params.n_shards,
    code=snakemake.params.code,
)
