"""Relax one shard of boundaries."""

from typing import TYPE_CHECKING

from gbscape.config.survey import Relaxation
from gbscape.store.job import begin_job
from gbscape.survey.relax_shard import relax_shard

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
relax_shard(
    boundaries_csv=snakemake.input.boundaries,
    potential_json=snakemake.input.potential,
    out=snakemake.output[0],
    settings=Relaxation(**snakemake.params.settings),
    shard=int(snakemake.wildcards.shard),
    n_shards=snakemake.params.n_shards,
    code=snakemake.params.code,
)
