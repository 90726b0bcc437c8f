"""Join the segments."""

from typing import TYPE_CHECKING

from gbscape.snapshots.gathered import gather_segments
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
gather_segments(snakemake.input, snakemake.output[0], snakemake.params.n_snapshots)
