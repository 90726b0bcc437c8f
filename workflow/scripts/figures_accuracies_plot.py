"""Write the table of accuracies."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.figures.accuracies import write_accuracies
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
write_accuracies(pd.read_csv(snakemake.input[0]), snakemake.output[0])
