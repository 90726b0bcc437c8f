"""Write the relaxed boundaries as extended XYZ."""

from typing import TYPE_CHECKING

from gbscape.store.job import begin_job
from gbscape.survey.export import export_structures

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
export_structures(snakemake.input.survey, snakemake.output[0])
