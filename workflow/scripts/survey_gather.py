"""Join the relaxed shards."""

from typing import TYPE_CHECKING

from gbscape.store.log import log_to
from gbscape.survey.gather import gather_survey

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
gather_survey(
    boundaries_csv=snakemake.input.boundaries,
    shards=snakemake.input.shards,
    out=snakemake.output[0],
    on_failure=snakemake.params.on_failure,
)
