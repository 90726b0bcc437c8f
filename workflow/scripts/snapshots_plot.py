"""Draw a picture of snapshots: calls gbscape.figures.snapshots.plot_<figure>."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.figures.snapshots import plot_snapshot_energies, plot_snapshot_learning
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
plots = {"snapshot_energies": plot_snapshot_energies, "snapshot_learning": plot_snapshot_learning}
plots[snakemake.params.figure](pd.read_csv(snakemake.input[0]), snakemake.output[0])
