"""The map of the Bain path."""

from typing import TYPE_CHECKING

from gbscape.crystal.bain import bain_map
from gbscape.crystal.classification import load_model
from gbscape.figures.bain_path import bain_path_data
from gbscape.store.log import log_to
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
found = bain_map(load_model(snakemake.input.model), threads=snakemake.threads)
write_csv(snakemake.output[0], bain_path_data(found))
