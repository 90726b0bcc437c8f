"""Replica cells of one shard of the atoms of a batch."""

from typing import TYPE_CHECKING

from gbscape.config.replica import ReplicaCells
from gbscape.replica.cells import cut_cells
from gbscape.replica.points import atoms_of_batch
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
params = snakemake.params
cut_cells(
    snakemake.input.model,
    atoms_of_batch(snakemake.input.atoms, snakemake.input.before),
    snakemake.output[0],
    ReplicaCells(**params.settings),
    params.code,
    int(snakemake.wildcards.shard),
    params.shards,
    params.power,
)
