"""DFT energies of one shard of a batch of an alloy's structures."""

from typing import TYPE_CHECKING

from gbscape.alloy.energies import compute_energies
from gbscape.config.dft import TotalEnergyDft
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
params = snakemake.params
compute_energies(
    snakemake.input[0],
    snakemake.output[0],
    int(snakemake.wildcards.shard),
    params.shards,
    TotalEnergyDft(**params.dft),
    params.code,
    params.workdir,
    params.stress,
)
