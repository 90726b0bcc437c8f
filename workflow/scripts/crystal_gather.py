"""Join the shards of a step over the classes, in the order of their tables."""

from typing import TYPE_CHECKING

from gbscape.crystal.prototypes import load_prototypes
from gbscape.store.job import begin_job
from gbscape.store.shards import gather_shards

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
gather_shards(
    snakemake.input.shards, snakemake.output[0], list(load_prototypes(snakemake.input.prototypes)), all_needed=True
)
