"""Table of a sweep: its points with the numbers of their scorecards."""

from typing import TYPE_CHECKING

from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv
from gbscape.sweeps.results import tabulate_sweep

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
write_csv(snakemake.output[0], tabulate_sweep(snakemake.params.points, snakemake.input))
