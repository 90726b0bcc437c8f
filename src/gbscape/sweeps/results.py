"""The table of a sweep: a row for each point, with the numbers of its scorecard."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

_QUANTITY = re.compile(r"^([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?: ([^\d(;,]+?))?(?: *[(;,].*)?$")


def tabulate_sweep(points: Sequence[Mapping[str, Any]], scorecards: Sequence[str | Path]) -> pd.DataFrame:
    """A row for each point.

    Args:
        points: of each point its swept settings by name.
        scorecards: of each point the scorecard, in its folder.

    Returns:
        The swept settings, `folder`, and for each item of the scorecards that is a number a column `ITEM [UNIT]`; one `ITEM, spread
        [UNIT]` where it has a spread. Where a point lacks an item its cell is empty.
    """
    rows = []
    for values, path in zip(points, scorecards, strict=True):
        row: dict[str, Any] = {**values, "folder": str(Path(path).parent)}
        for item, measured, spread in pd.read_csv(path, dtype=str).fillna("")[["item", "measured", "spread"]].values:
            if (quantity := _quantity(measured)) is None:
                continue
            value, unit = quantity
            row[_column(item, unit)] = value
            if (width := _quantity(spread.removeprefix("±").strip())) is not None:
                row[_column(f"{item}, spread", unit)] = width[0]
        rows.append(row)
    return pd.DataFrame(rows)


def _quantity(text: str) -> tuple[float, str] | None:
    """A number at the beginning of a text, and its unit."""
    found = _QUANTITY.match(text.strip())
    return (float(found[1]), (found[2] or "").strip()) if found else None


def _column(item: str, unit: str) -> str:
    return f"{item} [{unit}]" if unit else item
