"""Build the model, or read the user's."""

from typing import TYPE_CHECKING

from gbscape.config.replica import ReplicaModel
from gbscape.replica.model import build_model
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
build_model(
    snakemake.input.potential,
    snakemake.output[0],
    ReplicaModel(**snakemake.params.settings),
    snakemake.params.code,
    snakemake.params.least_edge,
)
