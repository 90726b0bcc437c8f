"""Write a map of relevance as files that OVITO, ParaView and ASE open."""

from typing import TYPE_CHECKING

from gbscape.relevance.map_file import export_map, read_map
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
export_map(read_map(snakemake.input[0]), snakemake.output.xyz, snakemake.output.cube)
