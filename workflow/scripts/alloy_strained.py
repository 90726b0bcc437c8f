"""Strained crystals and amorphous cells of an alloy as a batch of structures."""

from typing import TYPE_CHECKING

from gbscape.alloy.unseen import write_strained
from gbscape.config.alloy import Elastic
from gbscape.config.dft import TotalEnergyDft
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
params = snakemake.params
write_strained(
    snakemake.input.table,
    snakemake.input.amorphous,
    snakemake.output[0],
    params.species,
    Elastic(**params.settings),
    TotalEnergyDft(**params.dft),
    params.code,
)
