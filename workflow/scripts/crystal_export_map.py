"""Files of a map for OVITO and ParaView: boxes, atoms in the colours of the map, fields on the grid."""

from typing import TYPE_CHECKING

from gbscape.config.crystal import Map
from gbscape.crystal.map_export import write_atoms_xyz, write_boxes_xyz, write_vti
from gbscape.crystal.map_file import read_map
from gbscape.crystal.map_steps import read_sample
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
found = read_map(snakemake.input.map, hidden=False)
shown = Map(**snakemake.params.settings).classes_shown
write_boxes_xyz(snakemake.output.boxes, found)
write_atoms_xyz(snakemake.output.atoms, read_sample(snakemake.input.sample), found)
write_vti(snakemake.output.grid, found, shown or found.most_frequent(4))
