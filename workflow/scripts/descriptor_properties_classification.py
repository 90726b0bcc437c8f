"""Measure the properties of a classification of atoms."""

from typing import TYPE_CHECKING

from gbscape.config.descriptor_properties import DescriptorProperties
from gbscape.config.survey import BoundaryAtoms
from gbscape.descriptor_properties.measure_descriptor import measure_classification
from gbscape.store.log import log_to
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
table = measure_classification(
    survey_h5=snakemake.input.survey,
    relaxed_again_h5=snakemake.input.relaxed_again,
    boundaries_csv=snakemake.input.get("boundaries") or None,
    classification=snakemake.wildcards.descriptor,
    settings=DescriptorProperties(**snakemake.params.settings),
    boundary_atoms=BoundaryAtoms(**snakemake.params.boundary_atoms),
    lattice=snakemake.params.lattice,
)
write_csv(snakemake.output[0], table)
