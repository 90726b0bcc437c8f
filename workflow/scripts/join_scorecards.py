"""One scorecard of all parts."""

from typing import TYPE_CHECKING

from gbscape.store.log import log_to
from gbscape.store.tables import join_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
join_csv(snakemake.input, snakemake.output[0])
