"""Vectors of one shard of a batch of cells."""

from typing import TYPE_CHECKING

from gbscape.alloy.describe import describe_cells
from gbscape.config.alloy import Descriptions
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
params = snakemake.params
describe_cells(
    snakemake.input,
    snakemake.output[0],
    snakemake.wildcards.description,
    int(snakemake.wildcards.shard),
    params.shards,
    params.species,
    Descriptions(**params.settings),
    params.code,
    params.strain,
)
