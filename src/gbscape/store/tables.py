"""Tables as CSV: written completely or not at all; those of users checked."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from gbscape.store.atomic import atomic_path


def write_csv(path: str | Path, frame: pd.DataFrame) -> None:
    """Write `frame` without its index; floats keep all digits, so that reading gives the same numbers.

    A path that ends in .tsv gets tabs between its cells.
    """
    with atomic_path(path) as temporary:
        frame.to_csv(temporary, sep="\t" if Path(path).suffix == ".tsv" else ",", index=False)


def join_csv(paths: Sequence[str | Path], out: str | Path) -> None:
    """Write the rows of all tables into one.

    Raises:
        ValueError: the tables have different columns, or there is none.
    """
    if not paths:
        raise ValueError(f"{out}: no tables to join")
    frames = [pd.read_csv(path, dtype=str, keep_default_na=False) for path in paths]  # as they are written
    for path, frame in zip(paths, frames, strict=True):
        if list(frame) != list(frames[0]):
            raise ValueError(f"{path} has the columns {list(frame)}, but {paths[0]} has {list(frames[0])}")
    write_csv(out, pd.concat([f for f in frames if len(f)] or frames[:1], ignore_index=True))


def read_numbers(path: str | Path | None, columns: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
    """A table that a user may have edited, lines that begin with # left out; one without rows where there is no path.

    Args:
        path: the table.
        columns: that it must have, in this order.
        numbers: those of them that hold numbers, or nothing.

    Raises:
        ValueError: other columns, or a value is no number.
    """
    if path is None:
        return pd.DataFrame({column: pd.Series(dtype=str) for column in columns})
    table = pd.read_csv(path, comment="#", keep_default_na=False)
    if list(table) != list(columns):
        raise ValueError(f"{path} must have the columns {', '.join(columns)}; it has {', '.join(table)}")
    for column in numbers:
        try:
            table[column] = pd.to_numeric(table[column])
        except ValueError as error:
            raise ValueError(f"{path}: the column {column} must hold numbers ({error})") from None
    return table
