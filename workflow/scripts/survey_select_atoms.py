"""Mark the boundary atoms of every relaxed boundary."""

from typing import TYPE_CHECKING

from gbscape.config.survey import BoundaryAtoms
from gbscape.store.job import begin_job
from gbscape.survey.select_atoms import select_survey_atoms

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
select_survey_atoms(
    survey_h5=snakemake.input.survey,
    out=snakemake.output[0],
    settings=BoundaryAtoms(**snakemake.params.settings),
    lattice=snakemake.params.lattice,
    code=snakemake.params.code,
    on_failure=snakemake.params.on_failure,
)
