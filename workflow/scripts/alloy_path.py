"""The lowest path of an atom that moves in a crystal, by DFT."""

from typing import TYPE_CHECKING

from gbscape.alloy.migration import compute_path
from gbscape.config.alloy import Migration
from gbscape.config.dft import TotalEnergyDft
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
params = snakemake.params
compute_path(
    snakemake.input[0],
    snakemake.wildcards.path,
    snakemake.output[0],
    Migration(**params.settings),
    TotalEnergyDft(**params.dft),
    f"{params.workdir}/{snakemake.wildcards.path}",
    max(1, snakemake.threads // params.dft["ranks"]),
)
