"""Join the shards of a step over the classes, in the order of their tables."""

from typing import TYPE_CHECKING

from gbscape.crystal.prototypes import load_prototypes
from gbscape.store.log import log_to
from gbscape.store.shards import gather_shards

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
gather_shards(snakemake.input.shards, snakemake.output[0], list(load_prototypes(snakemake.input.prototypes)))
