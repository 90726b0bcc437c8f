"""Read structures of the user's own into a survey."""

from typing import TYPE_CHECKING

from gbscape.store.log import log_to
from gbscape.survey.own_structures import import_structures

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
import_structures(
    files=snakemake.input,
    out=snakemake.output[0],
    lattice=snakemake.params.lattice,
    code=snakemake.params.code,
    on_failure=snakemake.params.on_failure,
)
