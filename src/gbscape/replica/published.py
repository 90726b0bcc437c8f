"""Published figures of atomic energies, to compare with: see resources/published/README.md."""

from pathlib import Path

import pandas as pd

from gbscape.store.tables import read_numbers

PUBLISHED_COLUMNS = ["quantity", "strategy", "size", "value", "unit", "source"]


def published_numbers(path: str | Path | None) -> pd.DataFrame:
    """All numbers of resources/published/tamura2020.csv, `PUBLISHED_COLUMNS`; none without a path.

    Raises:
        ValueError: see `gbscape.store.tables.read_numbers`.
    """
    return read_numbers(path, PUBLISHED_COLUMNS, ["size", "value"])
