"""Draw a picture of snapshots: calls gbscape.figures.snapshots.plot_<figure>."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.figures.snapshots import plot_snapshot_energies, plot_snapshot_learning
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
plots = {"snapshot_energies": plot_snapshot_energies, "snapshot_learning": plot_snapshot_learning}
plots[snakemake.params.figure](pd.read_csv(snakemake.input[0]), snakemake.output[0])
