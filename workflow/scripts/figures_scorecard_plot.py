"""Write the scorecard."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.figures.scorecard import write_scorecard
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
write_scorecard(pd.read_csv(snakemake.input[0]), snakemake.output[0])
