"""Data of a figure of the alloy: calls a function of gbscape.alloy.figure_data."""

from typing import TYPE_CHECKING

from gbscape.alloy import figure_data
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
getattr(figure_data, snakemake.params.function)(
    **dict(snakemake.input.items()), out_csv=snakemake.output[0], **snakemake.params.options
)
