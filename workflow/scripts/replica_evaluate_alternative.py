"""Errors of the predictions with other vectors."""

from typing import TYPE_CHECKING

from gbscape.replica.evaluate import evaluate_alternative
from gbscape.replica.exact import exact_energies
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
paths, params = snakemake.input, snakemake.params
evaluate_alternative(
    paths.vectors,
    paths.points,
    paths.chosen,
    paths.energies,
    snakemake.output[0],
    params.size,
    params.ridge_lambda,
    exact_energies(paths.model, paths.potential, paths.points) if paths.model else None,
    paths.also_chosen,
)
