"""Test a model: accuracy, calibration, boxes of no class."""

from typing import TYPE_CHECKING

from gbscape.config.crystal_descriptor import CrystalDescriptor
from gbscape.crystal.judge_model import judge_model
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
judge_model(
    snakemake.input.model,
    snakemake.input.pristine,
    snakemake.input.defective,
    snakemake.input.outside,
    dict(snakemake.output.items()),
    descriptor=CrystalDescriptor(**snakemake.params.descriptor),
    passes=snakemake.params.passes,
    name=snakemake.wildcards.model,
    threads=snakemake.threads,
)
