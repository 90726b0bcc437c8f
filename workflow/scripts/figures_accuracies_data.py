"""Data of the table of accuracies."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.figures.accuracies import accuracies_data
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv
from gbscape.survey.published import load_table1

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
published = load_table1(snakemake.input.published) if snakemake.input.get("published") else None
write_csv(snakemake.output[0], accuracies_data(pd.read_csv(snakemake.input.scores), published))
