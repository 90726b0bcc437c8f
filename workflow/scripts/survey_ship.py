"""Write the survey as one compact file."""

from typing import TYPE_CHECKING

from gbscape.config.survey import Enumeration, Potential
from gbscape.store.log import log_to
from gbscape.survey.shipped import ship_survey

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
ship_survey(
    survey_h5=snakemake.input.survey,
    out=snakemake.output[0],
    enumeration=Enumeration(**snakemake.params.enumeration),
    potential=Potential(**snakemake.params.potential),
    code=snakemake.params.code,
    joined=snakemake.input.joined,
)
