"""Data of the scorecard of the alloy."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.figures.alloy_scorecard import alloy_scorecard_data
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
tables = {name: pd.read_csv(path) for name, path in snakemake.input.items()}
write_csv(snakemake.output[0], alloy_scorecard_data(**tables))
