"""All structures of an alloy with their energies as one extended XYZ file."""

from typing import TYPE_CHECKING

from gbscape.alloy.dataset import write_dataset
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
write_dataset(snakemake.input, snakemake.output[0])
