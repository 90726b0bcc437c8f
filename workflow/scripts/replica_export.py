"""All atoms with their predicted energies as extended XYZ, and a summary."""

from typing import TYPE_CHECKING

from gbscape.replica.predict import export_predictions, summarise_predictions
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
paths = snakemake.input
export_predictions(paths.model, paths.types, paths.predicted, snakemake.output.atoms)
summarise_predictions(paths.built, paths.model, paths.types, paths.predicted, snakemake.output.summary)
