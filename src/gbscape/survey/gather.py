"""Join shards into one file."""

from collections.abc import Sequence
from pathlib import Path

from gbscape.store.shards import OnFailure, gather_shards, open_shard
from gbscape.survey.boundary import read_boundaries


def gather_survey(
    boundaries_csv: str | Path,
    shards: Sequence[str | Path],
    out: str | Path,
    on_failure: OnFailure = "stop",
) -> None:
    """Join `shards` into `out`, boundaries in the order of the table.

    Raises:
        ProvenanceMismatch: shards were made from different settings, inputs or code.
        ShardError: boundaries are missing, or failed and `on_failure` is "stop".
    """
    ids = [b.id for b in read_boundaries(boundaries_csv)]
    gather_shards(shards, out, ids, on_failure)


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
