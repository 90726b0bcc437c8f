"""Cells of an alloy with their energies as extended XYZ."""

from typing import TYPE_CHECKING

from gbscape.alloy.dataset import write_cells
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
write_cells(snakemake.input, snakemake.output[0])
