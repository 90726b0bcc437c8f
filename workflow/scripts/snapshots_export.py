"""Write all snapshots as one extended XYZ."""

from typing import TYPE_CHECKING

from gbscape.snapshots.gathered import export_trajectory
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
export_trajectory(snakemake.input.snapshots, snakemake.output[0])
