"""Data of the scorecard of the crystal classification."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.crystal.published import published_numbers
from gbscape.figures.crystal_scorecard import crystal_scorecard_data
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
paths, params = snakemake.input, snakemake.params


def tables(kind: str, names: list[str]) -> dict[str, pd.DataFrame]:
    """Tables of one kind by the names of what they are of."""
    return {name: pd.read_csv(path) for name, path in zip(names, paths[kind], strict=True)}


scorecard = crystal_scorecard_data(
    accuracies=pd.read_csv(paths.accuracies) if paths.accuracies else None,
    calibration=tables("calibration", params.models),
    confident=tables("confident", params.models),
    summaries=tables("summaries", params.maps),
    agreements=tables("agreements", params.clustered),
    annealing=pd.read_csv(paths.annealing) if paths.annealing else None,
    ranking=pd.read_csv(paths.ranking) if paths.ranking else None,
    published=published_numbers(paths.published or None),
    n_classes=pd.read_csv(paths.tested)["label"].nunique() if paths.tested else 0,
)
write_csv(snakemake.output[0], scorecard)
