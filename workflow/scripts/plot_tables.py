"""Draw a picture or write a table: calls gbscape.figures.<module>.<function>."""

from importlib import import_module
from typing import TYPE_CHECKING

import pandas as pd

from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
module, function = snakemake.params.plot.split(".")
plot = getattr(import_module(f"gbscape.figures.{module}"), function)
tables = [pd.read_csv(path) for path in snakemake.input]
plot(*tables, path=snakemake.output[0], **snakemake.params.options)
