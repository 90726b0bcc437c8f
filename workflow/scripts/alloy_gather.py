"""Join the shards of DFT energies of a batch of an alloy's structures."""

from typing import TYPE_CHECKING

from gbscape.alloy.energies import gather_energies
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
gather_energies(snakemake.input.shards, snakemake.input.structures, snakemake.output[0], snakemake.params.on_failure)
