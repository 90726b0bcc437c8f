"""Random packings, the first batch of an alloy's structures."""

from typing import TYPE_CHECKING

from gbscape.alloy.structures import pack_structures
from gbscape.config.alloy import AmorphousStructures
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
params = snakemake.params
pack_structures(snakemake.output[0], params.species, AmorphousStructures(**params.settings), params.code)
