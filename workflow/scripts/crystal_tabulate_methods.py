"""One table of what all established methods answered."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.crystal.compare_methods import tabulate_scores
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
tables = [
    tabulate_scores(snakemake.input.prototypes, path, method)
    for method, path in zip(snakemake.params.methods, snakemake.input.scores, strict=True)
]
write_csv(snakemake.output[0], pd.concat(tables, ignore_index=True))
