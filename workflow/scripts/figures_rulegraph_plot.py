"""Draw the graph of the workflow's rules."""

from pathlib import Path
from typing import TYPE_CHECKING

from gbscape.figures.rulegraph import plot_rulegraph, rulegraph_data, rules_by_file
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
graph = rulegraph_data(Path(snakemake.input.graph).read_text(encoding="utf-8"))
plot_rulegraph(graph, snakemake.output[0], rules_by_file(Path(snakemake.input.rules[0]).parent))
