"""Take the boundaries of a shipped survey."""

from typing import TYPE_CHECKING

from gbscape.config.survey import Potential
from gbscape.store.job import begin_job
from gbscape.survey.shipped import read_shipped_survey

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
read_shipped_survey(
    shipped=snakemake.input.shipped,
    boundaries_csv=snakemake.input.boundaries,
    out=snakemake.output[0],
    potential=Potential(**snakemake.params.potential),
    code=snakemake.params.code,
    on_failure=snakemake.params.on_failure,
)
