"""Cells with energies that were computed before, which rounds add to."""

from typing import TYPE_CHECKING

from gbscape.alloy.dataset import read_known
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
read_known(snakemake.input[0], snakemake.output[0], snakemake.params.species, snakemake.params.code)
