"""Tabulate the energies beside the published ones."""

from typing import TYPE_CHECKING

from gbscape.config.model import Published
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv
from gbscape.survey.energies import published_figures, tabulate_energies

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
figures = published_figures(Published(**snakemake.params.settings))
boundaries = snakemake.input.get("boundaries") or None
write_csv(snakemake.output[0], tabulate_energies(boundaries, snakemake.input.survey, figures))
