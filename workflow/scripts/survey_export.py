"""Write the relaxed boundaries as extended XYZ."""

from typing import TYPE_CHECKING

from gbscape.store.log import log_to
from gbscape.survey.export import export_structures

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
export_structures(snakemake.input.survey, snakemake.output[0])
