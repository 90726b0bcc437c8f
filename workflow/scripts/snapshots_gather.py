"""Join the segments."""

from typing import TYPE_CHECKING

from gbscape.snapshots.gathered import gather_segments
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
gather_segments(snakemake.input, snakemake.output[0], snakemake.params.n_snapshots)
