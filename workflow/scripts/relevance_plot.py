"""Draw the picture of relevance."""

from typing import TYPE_CHECKING

from gbscape.figures.relevance import plot_relevance, read_relevance_panels
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
plot_relevance(read_relevance_panels(snakemake.input[0]), snakemake.output[0])
