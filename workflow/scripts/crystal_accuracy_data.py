"""Data of the figures of accuracies: of models, of other methods, published ones."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.crystal.published import published_numbers
from gbscape.figures.defect_accuracy import as_models_are_used, defect_accuracy_data, method_accuracies
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
names, paths = snakemake.params.names, snakemake.input
models = {name: as_models_are_used(pd.read_csv(path)) for name, path in zip(names, paths.models, strict=True)}
others = method_accuracies(pd.read_csv(paths.others)) if paths.others else None
write_csv(snakemake.output[0], defect_accuracy_data(models, others, published_numbers(paths.published or None)))
