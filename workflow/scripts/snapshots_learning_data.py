"""Data of the picture of learning snapshots."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.figures.snapshots import snapshot_learning_data
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
published = snakemake.input.get("published")
data = snapshot_learning_data(
    scores=pd.read_csv(snakemake.input.scores),
    predictions=pd.read_csv(snakemake.input.predictions),
    published=pd.read_csv(published, comment="#") if published else None,
    boundary=snakemake.params.boundary,
    temperature_kelvin=snakemake.params.temperature_kelvin,
)
write_csv(snakemake.output[0], data)
