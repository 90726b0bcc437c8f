"""Choose the candidate that is most robust against slight defects."""

from typing import TYPE_CHECKING

from gbscape.crystal.train_model import choose
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
choose(snakemake.input.candidates, snakemake.input.pristine, snakemake.input.defective, snakemake.output[0])
