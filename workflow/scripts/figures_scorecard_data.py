"""Data of the scorecard."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.config.figures import Figures
from gbscape.config.model import Published
from gbscape.config.survey import Enumeration
from gbscape.figures.scorecard import enumerated_as_published, scorecard_data
from gbscape.store.log import log_to
from gbscape.store.tables import write_csv
from gbscape.survey.energies import published_figures

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
published = published_figures(Published(**snakemake.params.published))
enumeration, accuracies = snakemake.params.enumeration, snakemake.input.get("accuracies")
scorecard = scorecard_data(
    n_enumerated=enumerated_as_published(Enumeration(**enumeration)) if enumeration else None,
    energies=pd.read_csv(snakemake.input.energies),
    accuracies=pd.read_csv(accuracies) if accuracies else pd.DataFrame({"published_percent": []}),
    n_published=None if published is None else len(published),
    settings=Figures(**snakemake.params.settings),
)
write_csv(snakemake.output[0], scorecard)
