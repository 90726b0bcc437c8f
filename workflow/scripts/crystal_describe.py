"""Vectors of one shard of the classes, for training or for tests."""

from typing import TYPE_CHECKING

from gbscape.config.crystal import Augmentation
from gbscape.config.crystal_descriptor import CrystalDescriptor, DefectGrid, TrainingGrid
from gbscape.crystal.describe_shard import describe_augmented, describe_defective, describe_pristine
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
describe, kind_of_settings = {
    "pristine": (describe_pristine, TrainingGrid),
    "defective": (describe_defective, DefectGrid),
    "augmentation": (describe_augmented, Augmentation),
    "calibration": (describe_augmented, Augmentation),
}[snakemake.wildcards.kind]
describe(
    snakemake.input.prototypes,
    snakemake.output[0],
    CrystalDescriptor(**snakemake.params.descriptor),
    kind_of_settings(**snakemake.params.settings),
    shard=int(snakemake.wildcards.shard),
    n_shards=snakemake.params.n_shards,
    code=snakemake.params.code,
)
