"""Build the model, or read the user's."""

from typing import TYPE_CHECKING

from gbscape.config.replica import ReplicaModel
from gbscape.replica.model import build_model
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
build_model(
    snakemake.input.potential,
    snakemake.output[0],
    ReplicaModel(**snakemake.params.settings),
    snakemake.params.code,
    snakemake.params.least_edge,
)
