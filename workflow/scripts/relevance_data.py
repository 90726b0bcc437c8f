"""Data of the picture of relevance."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.figures.relevance import relevance_data, write_relevance_panels
from gbscape.relevance.map_file import read_map
from gbscape.store.job import begin_job
from gbscape.survey.boundary import read_boundaries

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
boundaries = read_boundaries(snakemake.input.boundaries) if snakemake.input.get("boundaries") else []
axes = {b.id: b.left for b in boundaries}.get(snakemake.params.boundary)
maps = [read_map(path) for path in snakemake.input.maps]
write_relevance_panels(relevance_data(maps, pd.read_csv(snakemake.input.statistics), axes), snakemake.output[0])
