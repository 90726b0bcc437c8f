"""Data of the reliability diagrams."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.figures.reliability import reliability_data, with_and_without_temperature
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
tables = {name: pd.read_csv(path) for name, path in zip(snakemake.params.names, snakemake.input.models, strict=True)}
write_csv(snakemake.output[0], reliability_data(with_and_without_temperature(tables)))
