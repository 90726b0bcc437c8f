"""Data of the picture of the energies of snapshots."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.figures.snapshots import snapshot_energies_data
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
energies, checks = pd.read_csv(snakemake.input.energies), pd.read_csv(snakemake.input.checks)
write_csv(snakemake.output[0], snapshot_energies_data(energies, checks))
