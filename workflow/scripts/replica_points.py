"""Atoms of all training and test sets."""

from typing import TYPE_CHECKING

from gbscape.config.replica import Evaluation, Selection
from gbscape.replica.select_points import tabulate_points
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
params = snakemake.params
tabulate_points(
    snakemake.input.model,
    snakemake.input.types,
    dict(zip(params.optimal, snakemake.input.optimal, strict=True)),
    snakemake.output[0],
    Selection(**params.selection),
    Evaluation(**params.evaluation),
    params.lattice,
    params.reference_atoms,
    params.seed,
)
