"""Vectors of all atoms of the model."""

from typing import TYPE_CHECKING

from gbscape.config.replica import ScatteringVectors, SoapVectors
from gbscape.replica.describe import describe_model
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
settings = snakemake.params.settings
kind = SoapVectors if settings["kind"] == "soap" else ScatteringVectors
describe_model(
    snakemake.input[0],
    snakemake.output[0],
    kind(**settings),
    snakemake.params.code,
    threads=snakemake.threads,
)
