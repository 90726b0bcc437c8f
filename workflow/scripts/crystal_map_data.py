"""Data of the picture of a map."""

from typing import TYPE_CHECKING

from gbscape.config.crystal import Map
from gbscape.crystal.map_file import read_map
from gbscape.crystal.map_steps import read_sample
from gbscape.figures.strided_map import picture_data
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
settings, sample = Map(**snakemake.params.settings), read_sample(snakemake.input.sample)
found = read_map(snakemake.input.map, hidden=False)
write_csv(snakemake.output[0], picture_data(found, settings.classes_shown, sample.positions))
