"""Replica cells of one shard of the atoms."""

from typing import TYPE_CHECKING

from gbscape.config.replica import ReplicaCells
from gbscape.replica.cells import cut_cells
from gbscape.replica.select_points import atoms_of_points
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
atoms = atoms_of_points(snakemake.input.points, snakemake.params.shards)
cut_cells(
    snakemake.input.model,
    atoms[int(snakemake.wildcards.shard)],
    snakemake.output[0],
    ReplicaCells(**snakemake.params.settings),
    snakemake.params.code,
)
