"""Replica cells of one shard of the atoms of a batch."""

from typing import TYPE_CHECKING

from gbscape.config.replica import ReplicaCells
from gbscape.replica.cells import cut_cells
from gbscape.replica.points import atoms_of_batch
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
shard = int(snakemake.wildcards.shard)
atoms = atoms_of_batch(snakemake.input.atoms, snakemake.input.before)
cut_cells(
    snakemake.input.model,
    atoms[shard :: snakemake.params.shards],
    snakemake.output[0],
    ReplicaCells(**snakemake.params.settings),
    snakemake.params.code,
)
