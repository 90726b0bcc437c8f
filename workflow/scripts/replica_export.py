"""All atoms with their predicted energies as extended XYZ, and a summary."""

from typing import TYPE_CHECKING

from gbscape.replica.predict import export_predictions, summarise_predictions
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
paths = snakemake.input
export_predictions(paths.model, paths.types, paths.predicted, snakemake.output.atoms)
summarise_predictions(paths.built, paths.model, paths.types, paths.predicted, snakemake.output.summary)
