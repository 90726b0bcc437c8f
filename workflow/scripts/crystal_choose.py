"""Choose the candidate that is most robust against slight defects."""

from typing import TYPE_CHECKING

from gbscape.crystal.train_model import choose
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
choose(snakemake.input.candidates, snakemake.input.pristine, snakemake.input.defective, snakemake.output[0])
