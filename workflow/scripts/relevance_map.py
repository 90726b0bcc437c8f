"""Relevance of every point of the boundary: at rest, or with snapshots of the atoms' displacements."""

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from gbscape.config.features import Computed
from gbscape.relevance.map_file import write_map
from gbscape.relevance.maps import map_boundary_of_files, map_displacements_of_files
from gbscape.store.job import begin_job
from gbscape.store.provenance import Provenance

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
settings = dict(snakemake.params.settings)
inputs = {name: path for name, path in snakemake.input.items() if path}
files = {f"{name}_h5": path for name, path in inputs.items()}
make = map_displacements_of_files if "snapshots" in inputs else map_boundary_of_files
parameters = TypeAdapter(Computed).validate_python(settings["parameters"])
relevance = make(name=snakemake.wildcards.map, **files, **(settings | {"parameters": parameters}))
write_map(snakemake.output[0], relevance, Provenance.of(settings, snakemake.params.code, inputs))
