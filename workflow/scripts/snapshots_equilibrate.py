"""Bring one relaxed boundary to its temperature."""

from typing import TYPE_CHECKING

from gbscape.config.dynamics import Dynamics
from gbscape.snapshots.trajectory import equilibrate
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
equilibrate(
    survey_h5=snakemake.input.survey,
    potential_json=snakemake.input.potential,
    out=snakemake.output[0],
    boundary=snakemake.params.boundary,
    min_length_angstrom=snakemake.params.min_length_angstrom,
    settings=Dynamics(**snakemake.params.settings),
    code=snakemake.params.code,
)
