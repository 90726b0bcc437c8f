"""Join the shards of energies of a batch of atoms, and tabulate them."""

from typing import TYPE_CHECKING

from gbscape.replica.compute_energies import gather_energies
from gbscape.replica.points import atoms_of_batch
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
gather_energies(
    snakemake.input.shards,
    atoms_of_batch(snakemake.input.atoms, snakemake.input.before),
    snakemake.output.gathered,
    snakemake.output.table,
    snakemake.params.on_failure,
)
