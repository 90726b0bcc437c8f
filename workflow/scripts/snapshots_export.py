"""Write all snapshots as one extended XYZ."""

from typing import TYPE_CHECKING

from gbscape.snapshots.gathered import export_trajectory
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
export_trajectory(snakemake.input.snapshots, snakemake.output[0])
