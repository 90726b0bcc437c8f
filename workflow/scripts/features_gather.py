"""Join the shards of one representation."""

from typing import TYPE_CHECKING

from gbscape.store.log import log_to
from gbscape.survey.gather import gather_features

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
gather_features(snakemake.input.survey, snakemake.input.shards, snakemake.output[0], snakemake.params.on_failure)
