"""Data of a figure of the atomic energies: calls gbscape.replica.figure_data.<function>."""

from typing import TYPE_CHECKING

from gbscape.replica import figure_data
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
tabulate = getattr(figure_data, snakemake.params.function)
tabulate(**dict(snakemake.input.items()), out_csv=snakemake.output[0], **snakemake.params.options)
