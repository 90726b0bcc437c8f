"""Search for the settings of a network."""

from typing import TYPE_CHECKING

from gbscape.config.crystal import CrystalModel
from gbscape.crystal.train_model import search
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
settings = CrystalModel(**snakemake.params.settings)
search(snakemake.input.pristine, snakemake.output[0], settings, code=snakemake.params.code)
