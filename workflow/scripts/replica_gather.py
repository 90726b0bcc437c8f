"""Join the shards of energies of a batch of atoms, and tabulate them."""

from typing import TYPE_CHECKING

from gbscape.replica.compute_energies import gather_energies
from gbscape.replica.points import atoms_of_batch
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
gather_energies(
    snakemake.input.shards,
    atoms_of_batch(snakemake.input.atoms, snakemake.input.before),
    snakemake.output.gathered,
    snakemake.output.table,
    snakemake.params.on_failure,
)
