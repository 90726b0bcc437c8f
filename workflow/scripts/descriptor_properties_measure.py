"""Measure the properties of a representation, or of a classification of atoms."""

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from gbscape.config.descriptor_properties import DescriptorProperties
from gbscape.config.features import Computed
from gbscape.config.survey import BoundaryAtoms
from gbscape.descriptor_properties.measure_descriptor import descriptor, measure_descriptor
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
params, inputs = snakemake.params, snakemake.input
kind = None if params.representation is None else TypeAdapter(Computed).validate_python(params.representation)
features, dictionary = inputs.get("features") or None, inputs.get("dictionary") or None
table = measure_descriptor(
    descriptor(snakemake.wildcards.descriptor, kind, inputs.survey, features, dictionary),
    survey_h5=inputs.survey,
    relaxed_again_h5=inputs.relaxed_again,
    boundaries_csv=inputs.get("boundaries") or None,
    settings=DescriptorProperties(**params.settings),
    boundary_atoms=BoundaryAtoms(**params.boundary_atoms),
    lattice=params.lattice,
)
write_csv(snakemake.output[0], table)
