"""Mark the boundary atoms of every relaxed boundary."""

from typing import TYPE_CHECKING

from gbscape.config.survey import BoundaryAtoms
from gbscape.store.log import log_to
from gbscape.survey.select_atoms import select_survey_atoms

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
select_survey_atoms(
    survey_h5=snakemake.input.survey,
    out=snakemake.output[0],
    settings=BoundaryAtoms(**snakemake.params.settings),
    lattice=snakemake.params.lattice,
    code=snakemake.params.code,
    on_failure=snakemake.params.on_failure,
)
