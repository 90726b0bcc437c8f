"""Prepare the potential and measure the perfect crystal that it predicts."""

from pathlib import Path
from typing import TYPE_CHECKING

from gbscape.config.survey import Potential
from gbscape.simulate.potentials import prepare_potential
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
description = Path(snakemake.output.description)
settings = Potential(**snakemake.params.settings)
prepare_potential(settings, snakemake.params.lattice, description.parent).write(description)
