"""Vectors of boxes that are of no class."""

from typing import TYPE_CHECKING

from gbscape.config.crystal import Outside
from gbscape.config.crystal_descriptor import CrystalDescriptor
from gbscape.crystal.outside import describe_outside
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
describe_outside(
    snakemake.input.potential,
    snakemake.output[0],
    Outside(**snakemake.params.settings),
    CrystalDescriptor(**snakemake.params.descriptor),
    code=snakemake.params.code,
)
