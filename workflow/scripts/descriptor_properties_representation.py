"""Measure the properties of a representation."""

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from gbscape.config.descriptor_properties import DescriptorProperties
from gbscape.config.features import Computed
from gbscape.config.survey import BoundaryAtoms
from gbscape.descriptor_properties.measure_descriptor import measure_representation
from gbscape.store.log import log_to
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
table = measure_representation(
    survey_h5=snakemake.input.survey,
    features_h5=snakemake.input.features,
    dictionary_h5=snakemake.input.get("dictionary") or None,
    relaxed_again_h5=snakemake.input.relaxed_again,
    boundaries_csv=snakemake.input.get("boundaries") or None,
    name=snakemake.wildcards.descriptor,
    representation=TypeAdapter(Computed).validate_python(snakemake.params.representation),
    settings=DescriptorProperties(**snakemake.params.settings),
    boundary_atoms=BoundaryAtoms(**snakemake.params.boundary_atoms),
    lattice=snakemake.params.lattice,
)
write_csv(snakemake.output[0], table)
