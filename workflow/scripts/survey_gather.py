"""Join the relaxed shards."""

from typing import TYPE_CHECKING

from gbscape.store.job import begin_job
from gbscape.survey.gather import gather_survey

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
gather_survey(
    boundaries_csv=snakemake.input.boundaries,
    shards=snakemake.input.shards,
    out=snakemake.output[0],
    on_failure=snakemake.params.on_failure,
)
