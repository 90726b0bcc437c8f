"""What models of an alloy say of cells unlike those of the training."""

from typing import TYPE_CHECKING

from gbscape.alloy.extrapolate import predict_unseen
from gbscape.config.alloy import Regression
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
params, paths = snakemake.params, snakemake.input
names = params.descriptions
predict_unseen(
    paths.dataset,
    {name: paths[f"{name}_dataset"] for name in names},
    {batch: paths[batch] for batch in params.batches},
    {batch: {name: paths[f"{name}_{batch}"] for name in names} for batch in params.batches},
    snakemake.output[0],
    params.species,
    Regression(**params.regression),
    int(snakemake.wildcards.draw),
)
