"""Atoms that could not be computed, and why."""

from typing import TYPE_CHECKING

from gbscape.replica.compute_energies import tabulate_failures
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
tabulate_failures(
    dict(zip(snakemake.params.batches, snakemake.input, strict=True)),
    snakemake.output[0],
)
