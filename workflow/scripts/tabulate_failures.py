"""List what failed at any step."""

from typing import TYPE_CHECKING

from gbscape.store.failures import tabulate_failures
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
steps = dict(zip(snakemake.params.steps, snakemake.input, strict=True))
tabulate_failures(steps, snakemake.output[0])
