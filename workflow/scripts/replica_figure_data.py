"""Data of a figure of the atomic energies: calls gbscape.replica.figure_data.<function>."""

from typing import TYPE_CHECKING

from gbscape.replica import figure_data
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
tabulate = getattr(figure_data, snakemake.params.function)
tabulate(**dict(snakemake.input.items()), out_csv=snakemake.output[0], **snakemake.params.options)
