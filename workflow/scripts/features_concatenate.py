"""Put representations of the same boundaries one after the other."""

from typing import TYPE_CHECKING

from gbscape.features.matrix import concatenate_files
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
concatenate_files(snakemake.input, snakemake.output[0], snakemake.params.code)
