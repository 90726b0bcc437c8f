"""Join the tables of all targets and representations."""

from typing import TYPE_CHECKING

from gbscape.store.job import begin_job
from gbscape.store.tables import join_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
for table, path in snakemake.output.items():
    join_csv(snakemake.input[table], path)
