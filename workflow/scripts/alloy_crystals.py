"""Known crystals of an alloy as a batch of structures."""

from typing import TYPE_CHECKING

from gbscape.alloy.unseen import write_crystals
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
write_crystals(snakemake.input[0], snakemake.output[0], snakemake.params.species, snakemake.params.code)
