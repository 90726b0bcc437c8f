"""Fit the cheap potential of a round to the energies and forces of all structures so far."""

from typing import TYPE_CHECKING

from gbscape.alloy.cheap_potential import fit_cheap_potential
from gbscape.config.alloy import CheapPotential
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
params = snakemake.params
fit_cheap_potential(snakemake.input, snakemake.output[0], params.species, CheapPotential(**params.settings))
