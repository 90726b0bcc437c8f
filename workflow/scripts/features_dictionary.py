"""Merge the boundaries' local environments into one dictionary of the survey's."""

from typing import TYPE_CHECKING

from gbscape.config.soap import LocalEnvironments
from gbscape.store.job import begin_job
from gbscape.survey.local_environment_shards import merge_candidates

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
merge_candidates(
    survey_h5=snakemake.input.survey,
    shards=snakemake.input.shards,
    out=snakemake.output[0],
    settings=LocalEnvironments.model_validate(snakemake.params.settings),
    code=snakemake.params.code,
    on_failure=snakemake.params.on_failure,
)
