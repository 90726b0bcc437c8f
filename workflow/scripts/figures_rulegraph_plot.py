"""Draw the graph of the workflow's rules."""

from pathlib import Path
from typing import TYPE_CHECKING

from gbscape.figures.rulegraph import plot_rulegraph, rulegraph_data, rules_by_file
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
graph = rulegraph_data(Path(snakemake.input.graph).read_text(encoding="utf-8"))
plot_rulegraph(graph, snakemake.output[0], rules_by_file(Path(snakemake.input.rules[0]).parent))
