"""Join the shards of one level of a map, and the levels before."""

from typing import TYPE_CHECKING

from gbscape.crystal.map_steps import join_level
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
join_level(snakemake.input.shards, snakemake.input.get("before") or None, snakemake.output[0])
