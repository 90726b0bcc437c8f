"""Shake and relax the chosen boundaries again."""

from typing import TYPE_CHECKING

from gbscape.config.survey import BoundaryAtoms, Relaxation
from gbscape.descriptor_properties.relax_again import relax_again
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
relax_again(
    survey_h5=snakemake.input.survey,
    potential_json=snakemake.input.potential,
    out=snakemake.output[0],
    **snakemake.params.settings,
    relaxation=Relaxation(**snakemake.params.relaxation),
    boundary_atoms=BoundaryAtoms(**snakemake.params.boundary_atoms),
    lattice=snakemake.params.lattice,
    code=snakemake.params.code,
)
