"""Fit the cheap potential of a round to the energies and forces of all structures so far."""

from typing import TYPE_CHECKING

from gbscape.alloy.cheap_potential import fit_cheap_potential
from gbscape.config.alloy import Alloy
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
fit_cheap_potential(snakemake.input, snakemake.output[0], Alloy(**snakemake.params.settings))
