"""Join the relaxed shards into one survey and list what failed."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from gbscape.store.shards import OnFailure, gather_shards, open_shard
from gbscape.store.tables import write_csv
from gbscape.survey.boundary import read_boundaries


def gather_survey(
    boundaries_csv: str | Path,
    shards: Sequence[str | Path],
    out: str | Path,
    failures_tsv: str | Path,
    on_failure: OnFailure = "stop",
) -> None:
    """Join `shards` into `out`, boundaries in the order of the table; write the reasons of those that failed.

    Raises:
        ProvenanceMismatch: shards were made from different settings, inputs or code.
        ShardError: boundaries are missing, or failed and `on_failure` is "stop".
    """
    ids = [b.id for b in read_boundaries(boundaries_csv)]
    failures = gather_shards(shards, out, ids, on_failure)
    write_csv(failures_tsv, pd.DataFrame(sorted(failures.items()), columns=["id", "reason"]))


def gather_features(
    survey_h5: str | Path, shards: Sequence[str | Path], out: str | Path, on_failure: OnFailure = "stop"
) -> None:
    """Join the shards of one representation into `out`, boundaries in the order of the survey.

    Raises:
        ProvenanceMismatch: shards were made from different settings, inputs or code.
        ShardError: boundaries are missing, or failed and `on_failure` is "stop".
    """
    with open_shard(survey_h5) as survey:
        ids = survey.ids
    gather_shards(shards, out, ids, on_failure)
