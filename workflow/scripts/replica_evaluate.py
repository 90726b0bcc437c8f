"""Errors of the predictions of each strategy."""

from typing import TYPE_CHECKING

from gbscape.replica.evaluate import evaluate_strategies
from gbscape.replica.exact import exact_energies
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
paths = snakemake.input
evaluate_strategies(
    paths.vectors,
    paths.points,
    paths.energies,
    snakemake.output.errors,
    snakemake.output.predictions,
    snakemake.params.sizes,
    snakemake.params.ridge_lambda,
    exact_energies(paths.model, paths.reference) if paths.model else None,
)
