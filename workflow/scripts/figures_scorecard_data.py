"""Data of the scorecard."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.config.figures import Figures
from gbscape.config.model import Published
from gbscape.config.survey import Enumeration
from gbscape.figures.scorecard import Extras, enumerated_as_published, scorecard_data
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv
from gbscape.survey.energies import published_figures

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
params, paths = snakemake.params, dict(snakemake.input.items())
published = published_figures(Published(**params.published))
tables = {
    n: pd.read_csv(paths[n]) for n in ("energies", "accuracies", "snapshots", "relevance", "properties") if paths[n]
}
environments = {n: pd.read_csv(p) for n, p in zip(params.environments, paths["environments"], strict=True)}
scorecard = scorecard_data(
    n_enumerated=enumerated_as_published(Enumeration(**params.enumeration)) if params.enumeration else None,
    energies=tables.pop("energies"),
    accuracies=tables.pop("accuracies", pd.DataFrame({"published_percent": []})),
    n_published=None if published is None else len(published),
    settings=Figures(**params.settings),
    extras=Extras(**tables, environments=environments),
)
write_csv(snakemake.output[0], scorecard)
