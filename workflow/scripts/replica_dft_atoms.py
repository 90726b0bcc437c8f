"""Atoms that are computed by DFT too."""

from typing import TYPE_CHECKING

from gbscape.replica.select_points import select_for_dft
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
select_for_dft(
    snakemake.input[0],
    snakemake.output[0],
    snakemake.params.strategy,
    snakemake.params.n_atoms,
)
