"""Draw the picture of relevance."""

from typing import TYPE_CHECKING

from gbscape.figures.relevance import plot_relevance, read_relevance_panels
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
plot_relevance(read_relevance_panels(snakemake.input[0]), snakemake.output[0])
