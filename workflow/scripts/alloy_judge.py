"""Learn energies of an alloy and judge the models: one of the functions of gbscape.alloy.evaluate."""

from typing import TYPE_CHECKING

from gbscape.alloy import evaluate
from gbscape.config.alloy import Regression
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
params, paths = snakemake.params, snakemake.input
getattr(evaluate, params.function)(
    paths.dataset,
    {name: paths[f"{name}_dataset"] for name in params.descriptions},
    *snakemake.output,
    params.species,
    Regression(**params.regression),
    int(snakemake.wildcards.draw),
)
