"""Write the survey as one compact file."""

from typing import TYPE_CHECKING

from gbscape.config.survey import Enumeration, Potential
from gbscape.store.job import begin_job
from gbscape.survey.shipped import ship_survey

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
ship_survey(
    survey_h5=snakemake.input.survey,
    out=snakemake.output[0],
    enumeration=Enumeration(**snakemake.params.enumeration),
    potential=Potential(**snakemake.params.potential),
    code=snakemake.params.code,
    joined=snakemake.input.joined,
)
