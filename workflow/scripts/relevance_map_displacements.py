"""Relevance of the atoms' displacements in snapshots, from the atoms at rest."""

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from gbscape.config.features import Computed
from gbscape.relevance.map_file import write_map
from gbscape.relevance.maps import map_displacements_of_files
from gbscape.store.log import log_to
from gbscape.store.provenance import Provenance

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
settings, inputs = dict(snakemake.params.settings), dict(snakemake.input.items())
relevance = map_displacements_of_files(
    models_h5=inputs["models"],
    survey_h5=inputs["survey"],
    snapshots_h5=inputs["snapshots"],
    name="snapshots_from_rest",
    **(settings | {"parameters": TypeAdapter(Computed).validate_python(settings["parameters"])}),
)
write_map(snakemake.output[0], relevance, Provenance.of(settings, snakemake.params.code, inputs))
