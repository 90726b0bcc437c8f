"""Join the shards of energies of a batch of atoms, and tabulate them."""

from typing import TYPE_CHECKING

from gbscape.replica.compute_energies import gather_energies
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
gather_energies(
    snakemake.input.shards,
    snakemake.input.atoms,
    snakemake.output.gathered,
    snakemake.output.table,
    snakemake.params.on_failure,
)
