"""Energies of the targets of one shard of replica cells."""

from typing import TYPE_CHECKING

from gbscape.config.dft import DftSettings
from gbscape.config.replica import ReplicaCells
from gbscape.replica.compute_energies import compute_energies
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
params = snakemake.params
compute_energies(
    snakemake.input.cells,
    snakemake.input.model,
    snakemake.input.potential,
    snakemake.output[0],
    params.backend,
    DftSettings(**params.dft),
    ReplicaCells(**params.cells),
    params.code,
    params.workdir,
)
