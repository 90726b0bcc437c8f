"""Data of a plot of tables: calls gbscape.figures.<figure>.<figure>_data."""

from importlib import import_module
from typing import TYPE_CHECKING

import pandas as pd

from gbscape.config.figures import Figures
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
figure, settings = snakemake.params.figure, snakemake.params.settings
options = dict(snakemake.wildcards) | ({"settings": Figures(**settings)} if settings else {})
tables = {name: pd.read_csv(path) for name, path in snakemake.input.items()}
make_data = getattr(import_module(f"gbscape.figures.{figure}"), f"{figure}_data")
write_csv(snakemake.output[0], make_data(**tables, **options))
