"""Write a map of relevance as files that OVITO, ParaView and ASE open."""

from typing import TYPE_CHECKING

from gbscape.relevance.map_file import export_map, read_map
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
export_map(read_map(snakemake.input[0]), snakemake.output.xyz, snakemake.output.cube)
