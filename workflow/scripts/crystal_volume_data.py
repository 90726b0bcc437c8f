"""Data of the picture of one class in space, and where it truly is."""

from typing import TYPE_CHECKING

from gbscape.config.crystal import Map
from gbscape.crystal.map_file import read_map
from gbscape.crystal.map_steps import read_sample
from gbscape.figures.strided_map import class_volume_data, true_corners, volume_class
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
settings, sample = Map(**snakemake.params.settings), read_sample(snakemake.input.sample)
found, name = read_map(snakemake.input.map, hidden=False), snakemake.wildcards.map
write_csv(snakemake.output.data, class_volume_data({name: found}, volume_class(found, settings.classes_shown)))
write_csv(snakemake.output.truth, true_corners({name: sample}))
