"""Improve one shard of relaxed boundaries by local moves."""

from typing import TYPE_CHECKING

from gbscape.config.model import Published
from gbscape.config.survey import LocalSearch, Relaxation
from gbscape.store.job import begin_job
from gbscape.survey.energies import published_figures
from gbscape.survey.local_search_shard import local_search_shard

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
published = published_figures(Published(**snakemake.params.compared))
known = {} if published is None else published["energy_j_m2"] + snakemake.params.reached_within_j_m2
local_search_shard(
    boundaries_csv=snakemake.input.boundaries,
    potential_json=snakemake.input.potential,
    relaxed_h5=snakemake.input.relaxed,
    out=snakemake.output[0],
    settings=LocalSearch(**snakemake.params.settings),
    relaxation=Relaxation(**snakemake.params.relaxation),
    shard=int(snakemake.wildcards.shard),
    n_shards=snakemake.params.n_shards,
    code=snakemake.params.code,
    known_j_m2=dict(known),
)
