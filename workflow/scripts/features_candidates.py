"""Find the unique local environments of each boundary of one shard."""

from typing import TYPE_CHECKING

from gbscape.config.soap import LocalEnvironments
from gbscape.store.job import begin_job
from gbscape.survey.local_environment_shards import candidate_shard

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
candidate_shard(
    survey_h5=snakemake.input.survey,
    out=snakemake.output[0],
    settings=LocalEnvironments.model_validate(snakemake.params.settings),
    shard=int(snakemake.wildcards.shard),
    n_shards=snakemake.params.n_shards,
    code=snakemake.params.code,
)
