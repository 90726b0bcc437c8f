"""Energies of all batches over that of an atom of the crystal."""

from typing import TYPE_CHECKING

from gbscape.replica.compute_energies import tabulate_energies
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
tabulate_energies(
    snakemake.input.batches,
    snakemake.input.points,
    snakemake.input.reference or None,
    snakemake.output[0],
)
