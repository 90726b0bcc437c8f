"""Tabulate how much relevance lies on structural units, and how maps compare with energies and symmetry."""

from typing import TYPE_CHECKING

from gbscape.relevance.map_file import read_map
from gbscape.relevance.statistics import tabulate_statistics
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
write_csv(snakemake.output[0], tabulate_statistics([read_map(path) for path in snakemake.input]))
