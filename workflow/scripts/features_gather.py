"""Join the shards of one representation."""

from typing import TYPE_CHECKING

from gbscape.store.job import begin_job
from gbscape.survey.gather import gather_features

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
gather_features(snakemake.input.survey, snakemake.input.shards, snakemake.output[0], snakemake.params.on_failure)
