"""Errors of the predictions of each strategy."""

from typing import TYPE_CHECKING

from gbscape.replica.evaluate import evaluate_strategies
from gbscape.replica.exact import exact_energies
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
paths, params = snakemake.input, snakemake.params
evaluate_strategies(
    paths.vectors,
    paths.points,
    paths.energies,
    paths.rounds,
    snakemake.output.errors,
    snakemake.output.predictions,
    params.sizes,
    params.ridge_lambda,
    params.first_points,
    exact_energies(paths.model, paths.potential, paths.points) if paths.model else None,
    paths.also_chosen,
)
