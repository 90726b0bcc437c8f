"""Write the scorecard."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.figures.scorecard import write_scorecard
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
write_scorecard(pd.read_csv(snakemake.input[0]), snakemake.output[0])
