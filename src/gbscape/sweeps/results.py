"""The table of a sweep: a row for each point, with the numbers of its scorecard."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

_QUANTITY = re.compile(r"^([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?: ([^\d(;,]+?))?(?: *[(;,].*)?$")


def tabulate_sweep(points: Mapping[str, Mapping[str, Any]], scorecards: Sequence[str | Path]) -> pd.DataFrame:
    """A row for each point.

    Args:
        points: swept settings of each point by name, by its folder.
        scorecards: of the points that have one, each in the folder of its point.

    Returns:
        The swept settings, `folder`, and for each item of the scorecards that is a number a column `ITEM [UNIT]`; one `ITEM, spread
        [UNIT]` where it has a spread. Where a point lacks an item its cell is empty.
    """
    rows: dict[str, dict[str, Any]] = {folder: {**values, "folder": folder} for folder, values in points.items()}
    for path in scorecards:
        row = rows[str(Path(path).parent)]
        for item, measured, spread in pd.read_csv(path, dtype=str).fillna("")[["item", "measured", "spread"]].values:
            if (quantity := _quantity(measured)) is None:
                continue
            value, unit = quantity
            row[_column(item, unit)] = value
            if (width := _quantity(spread.removeprefix("±").strip())) is not None:
                row[_column(f"{item}, spread", unit)] = width[0]
    return pd.DataFrame(list(rows.values()))


def _quantity(text: str) -> tuple[float, str] | None:
    """A number at the beginning of a text, and its unit."""
    found = _QUANTITY.match(text.strip())
    return (float(found[1]), (found[2] or "").strip()) if found else None


def _column(item: str, unit: str) -> str:
    return f"{item} [{unit}]" if unit else item
