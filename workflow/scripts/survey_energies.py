"""Tabulate the energies beside the published ones."""

from typing import TYPE_CHECKING

from gbscape.config.model import Published
from gbscape.store.log import log_to
from gbscape.store.tables import write_csv
from gbscape.survey.energies import published_figures, tabulate_energies

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
figures = published_figures(Published(**snakemake.params.settings))
boundaries = snakemake.input.get("boundaries") or None
write_csv(snakemake.output[0], tabulate_energies(boundaries, snakemake.input.survey, figures))
