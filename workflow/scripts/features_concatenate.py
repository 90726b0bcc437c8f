"""Put representations of the same boundaries one after the other."""

from typing import TYPE_CHECKING

from gbscape.features.matrix import concatenate_files
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
concatenate_files(snakemake.input, snakemake.output[0], snakemake.params.code)
