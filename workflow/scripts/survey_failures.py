"""List what failed at any step."""

from typing import TYPE_CHECKING

from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv
from gbscape.survey.gather import tabulate_failures

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
steps = dict(zip(snakemake.params.steps, snakemake.input, strict=True))
write_csv(snakemake.output[0], tabulate_failures(steps))
