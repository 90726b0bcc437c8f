"""Tabulate a survey's unique local environments."""

from typing import TYPE_CHECKING

from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv
from gbscape.survey.local_environment_shards import tabulate_environments

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
environments = tabulate_environments(snakemake.input.dictionary, snakemake.input.features)
write_csv(snakemake.output[0], environments)
