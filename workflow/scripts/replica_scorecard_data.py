"""Data of the scorecard of the atomic energies."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.figures.replica_scorecard import replica_scorecard_data
from gbscape.replica.published import published_numbers
from gbscape.store.arrays import arrays_shape
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
paths = snakemake.input
names = ("summary", "components", "errors", "predictions", "descriptions", "radii")
scorecard = replica_scorecard_data(
    **{name: pd.read_csv(paths[name]) for name in names},
    n_components=arrays_shape(paths.vectors, "directions")[1],
    published=published_numbers(paths.published or None),
    backend=snakemake.params.backend,
)
write_csv(snakemake.output[0], scorecard)
