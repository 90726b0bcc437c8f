"""Atoms that are computed by DFT too."""

from typing import TYPE_CHECKING

from gbscape.replica.select_points import select_for_dft
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
select_for_dft(
    snakemake.input[0],
    snakemake.output[0],
    snakemake.params.strategy,
    snakemake.params.n_atoms,
)
