"""Published figures of ARISE, to compare with: see resources/published/README.md."""

from pathlib import Path

import pandas as pd

from gbscape.store.tables import read_numbers

PUBLISHED_COLUMNS = ["quantity", "subject", "classes", "displacement", "missing", "value", "unit", "exact", "source"]


def published_numbers(path: str | Path | None) -> pd.DataFrame:
    """All numbers of resources/published/leitherer2021.csv, `PUBLISHED_COLUMNS`; none without a path.

    Raises:
        ValueError: see `gbscape.store.tables.read_numbers`.
    """
    return read_numbers(path, PUBLISHED_COLUMNS, ["displacement", "missing", "value"])
