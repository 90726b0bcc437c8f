"""Published figures of ARISE, to compare with: see resources/published/README.md."""

from pathlib import Path

import pandas as pd

PUBLISHED_COLUMNS = ["quantity", "subject", "classes", "displacement", "missing", "value", "unit", "exact", "source"]


def published_numbers(path: str | Path | None) -> pd.DataFrame:
    """All numbers of resources/published/leitherer2021.csv, `PUBLISHED_COLUMNS`; none without a path.

    Raises:
        ValueError: a column is missing, or a value is no number.
    """
    if path is None:
        return pd.DataFrame({column: pd.Series(dtype=str) for column in PUBLISHED_COLUMNS})
    table = pd.read_csv(path, comment="#", keep_default_na=False)
    if list(table) != PUBLISHED_COLUMNS:
        raise ValueError(f"{path} must have the columns {', '.join(PUBLISHED_COLUMNS)}; it has {', '.join(table)}")
    for column in ("displacement", "missing", "value"):
        try:
            table[column] = pd.to_numeric(table[column])
        except ValueError as error:
            raise ValueError(f"{path}: the column {column} must hold numbers ({error})") from None
    return table
