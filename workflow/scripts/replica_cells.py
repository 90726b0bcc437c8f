"""Replica cells of one shard of the atoms of a batch."""

from typing import TYPE_CHECKING

from gbscape.config.replica import ReplicaCells
from gbscape.replica.cells import atoms_of_shard, cut_cells
from gbscape.replica.points import atoms_of_batch
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
params, model = snakemake.params, snakemake.input.model
settings = ReplicaCells(**params.settings)
atoms = atoms_of_batch(snakemake.input.atoms, snakemake.input.before)
shard = int(snakemake.wildcards.shard)
atoms = atoms_of_shard(model, atoms, settings.edge_angstrom, shard, params.shards, params.power)
cut_cells(model, atoms, snakemake.output[0], settings, params.code)
