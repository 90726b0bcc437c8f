"""Test a model: accuracy, calibration, boxes of no class."""

from typing import TYPE_CHECKING

from gbscape.config.crystal_descriptor import CrystalDescriptor
from gbscape.crystal.judge_model import judge_model
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
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
