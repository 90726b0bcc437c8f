"""Merge the boundaries' local environments into one dictionary of the survey's."""

from typing import TYPE_CHECKING

from gbscape.config.soap import LocalEnvironments
from gbscape.store.log import log_to
from gbscape.survey.local_environment_shards import merge_candidates

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
merge_candidates(
    survey_h5=snakemake.input.survey,
    shards=snakemake.input.shards,
    out=snakemake.output[0],
    settings=LocalEnvironments.model_validate(snakemake.params.settings),
    code=snakemake.params.code,
    on_failure=snakemake.params.on_failure,
)
