"""Rank the classes for whole structures."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.config.crystal import StructureFile
from gbscape.crystal.rank_structures import rank_structures
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
structures = {name: StructureFile(**its) for name, its in snakemake.params.structures.items()}
ranked, reasons = rank_structures(
    snakemake.input.model, structures, passes=snakemake.params.passes, threads=snakemake.threads
)
write_csv(snakemake.output.ranking, ranked)
failures = pd.DataFrame({"structure": list(reasons), "reason": list(reasons.values())})
write_csv(snakemake.output.failures, failures)
