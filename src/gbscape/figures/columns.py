"""Check that a table holds what a figure is drawn from."""

from collections.abc import Sequence

import pandas as pd


def require_columns(frame: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    """Raise ValueError unless `frame`, named `what` in the message, has all `columns`."""
    missing = [c for c in columns if c not in frame]
    if missing:
        raise ValueError(
            f"{what} lacks the columns {', '.join(missing)}; it has {', '.join(map(str, frame)) or 'none'}"
        )


def rows_of_target(frame: pd.DataFrame, target: str, what: str) -> pd.DataFrame:
    """Return the rows of one target; none if the frame is empty.

    Raises:
        ValueError: the frame has rows, but none of this target.
    """
    rows = frame[frame["target"] == target]
    if rows.empty and not frame.empty:
        raise ValueError(
            f"{what} has no rows of the target {target!r}, only of {', '.join(sorted(set(frame['target'])))}"
        )
    return rows


def single_target(data: pd.DataFrame, what: str) -> str:
    """Return the only target of the data of a picture that shows one, named `what` in the message.

    Raises:
        ValueError: there is none, or more than one.
    """
    targets = sorted(set(data["target"]))
    if len(targets) != 1:
        raise ValueError(f"{what} shows one target, got {', '.join(map(str, targets)) or 'none'}")
    return str(targets[0])
