"""Relax and heat a batch's structures by the cheap potential."""

from typing import TYPE_CHECKING

from gbscape.alloy.structures import heat_structures
from gbscape.config.alloy import AmorphousStructures
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
params = snakemake.params
heat_structures(
    snakemake.input[0],
    snakemake.output[0],
    snakemake.wildcards.batch,
    AmorphousStructures(**params.settings),
    params.code,
)
