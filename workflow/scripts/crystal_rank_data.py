"""Data of the picture of whole structures."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.figures.ranking import ranking_of_table, structure_data
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv
from gbscape.structure.structure_file import read_structure

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
ranked = pd.read_csv(snakemake.input.ranking)
structures = {name: read_structure(**snakemake.params.structures[name]) for name in dict.fromkeys(ranked["structure"])}
write_csv(snakemake.output.ranking, ranking_of_table(ranked, structures))
write_csv(snakemake.output.structures, structure_data(structures))
