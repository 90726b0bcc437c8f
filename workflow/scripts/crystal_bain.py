"""The map of the Bain path."""

from typing import TYPE_CHECKING

from gbscape.crystal.bain import bain_map
from gbscape.crystal.classification import load_model
from gbscape.figures.bain_path import bain_path_data
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
found = bain_map(load_model(snakemake.input.model), threads=snakemake.threads)
write_csv(snakemake.output[0], bain_path_data(found))
