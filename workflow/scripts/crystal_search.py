"""Search for the settings of a network."""

from typing import TYPE_CHECKING

from gbscape.config.crystal import CrystalModel
from gbscape.crystal.train_model import search
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
settings = CrystalModel(**snakemake.params.settings)
search(snakemake.input.pristine, snakemake.output[0], settings, code=snakemake.params.code)
