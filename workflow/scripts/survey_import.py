"""Read structures of the user's own into a survey."""

from typing import TYPE_CHECKING

from gbscape.store.job import begin_job
from gbscape.survey.own_structures import import_structures

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
import_structures(
    files=snakemake.input,
    out=snakemake.output[0],
    lattice=snakemake.params.lattice,
    code=snakemake.params.code,
    on_failure=snakemake.params.on_failure,
)
