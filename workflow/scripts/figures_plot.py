"""Draw a plot of tables: calls gbscape.figures.<figure>.plot_<figure>."""

from importlib import import_module
from typing import TYPE_CHECKING

import pandas as pd

from gbscape.config.figures import Figures
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
figure, settings = snakemake.params.figure, snakemake.params.settings
options = {"settings": Figures(**settings)} if settings else {}
plot = getattr(import_module(f"gbscape.figures.{figure}"), f"plot_{figure}")
plot(pd.read_csv(snakemake.input[0]), snakemake.output[0], **options)
