"""Compute one representation of one shard of boundaries."""

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from gbscape.config.features import Representation
from gbscape.store.job import begin_job
from gbscape.survey.feature_shard import feature_shard

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
feature_shard(
    survey_h5=snakemake.input.survey,
    out=snakemake.output[0],
    representation=TypeAdapter(Representation).validate_python(snakemake.params.settings),
    shard=int(snakemake.wildcards.shard),
    n_shards=snakemake.params.n_shards,
    code=snakemake.params.code,
)
