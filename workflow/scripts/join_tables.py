"""Join the rows of tables that have the same columns."""

from typing import TYPE_CHECKING

from gbscape.store.job import begin_job
from gbscape.store.tables import join_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
join_csv(snakemake.input, snakemake.output[0])
