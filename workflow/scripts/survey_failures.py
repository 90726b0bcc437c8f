"""List what failed at any step."""

from typing import TYPE_CHECKING

from gbscape.store.log import log_to
from gbscape.store.tables import write_csv
from gbscape.survey.gather import tabulate_failures

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
steps = dict(zip(snakemake.params.steps, snakemake.input, strict=True))
write_csv(snakemake.output[0], tabulate_failures(steps))
