"""Replica cells of one shard of the atoms of a batch."""

from typing import TYPE_CHECKING

from gbscape.config.replica import ReplicaCells
from gbscape.replica.cells import cut_cells
from gbscape.replica.select_points import atoms_of_shard
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
shard = int(snakemake.wildcards.shard)
cut_cells(
    snakemake.input.model,
    atoms_of_shard(snakemake.input.atoms, shard, snakemake.params.shards),
    snakemake.output[0],
    ReplicaCells(**snakemake.params.settings),
    snakemake.params.code,
)
