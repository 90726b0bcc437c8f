"""Join the vectors of a batch of cells."""

from typing import TYPE_CHECKING

from gbscape.alloy.describe import gather_cells
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
paths, params = snakemake.input, snakemake.params
gather_cells(paths.shards, paths.cells, snakemake.output[0], params.species, params.on_failure)
