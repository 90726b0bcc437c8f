"""Predicted energy and uncertainty of every atom."""

from typing import TYPE_CHECKING

from gbscape.replica.exact import exact_energies
from gbscape.replica.predict import predict_energies
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
paths, params = snakemake.input, snakemake.params
predict_energies(
    paths.vectors,
    paths.points,
    paths.energies,
    snakemake.output[0],
    params.strategy,
    params.ridge_lambda,
    params.code,
    exact_energies(paths.model, paths.potential, paths.points) if paths.model else None,
)
