"""Atoms that could not be computed, and why."""

from typing import TYPE_CHECKING

from gbscape.replica.compute_energies import tabulate_failures
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
tabulate_failures(
    dict(zip(snakemake.params.batches, snakemake.input, strict=True)),
    snakemake.output[0],
)
