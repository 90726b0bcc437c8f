"""How the order in a particle changes with annealing time."""

from typing import TYPE_CHECKING

from gbscape.crystal.annealing import cumulative_change, histogram, radial_medians
from gbscape.crystal.map_file import read_map
from gbscape.crystal.map_steps import read_sample
from gbscape.figures.annealing import annealing_slices
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
minutes, out = snakemake.params.minutes, snakemake.output
maps = {time: read_map(path, hidden=False) for time, path in zip(minutes, snakemake.input.maps, strict=True)}
samples = {time: read_sample(path).positions for time, path in zip(minutes, snakemake.input.samples, strict=True)}
radial = radial_medians(maps)
write_csv(out.histogram, histogram(maps))
write_csv(out.radial, radial)
write_csv(out.change, cumulative_change(radial))
depth = min(found.grid.shape[2] for found in maps.values())
write_csv(out.slices, annealing_slices(maps, samples, slices=min(5, depth)))
