"""Write the configuration of this run in full."""

from typing import TYPE_CHECKING

from gbscape.store.atomic import atomic_path
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
with atomic_path(snakemake.output[0]) as temporary:
    temporary.write_text(snakemake.params.text, encoding="utf-8")
