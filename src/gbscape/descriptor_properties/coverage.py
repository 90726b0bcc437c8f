"""How much of a survey a descriptor describes without anybody's help."""

from collections.abc import Collection, Sequence

import pandas as pd

from gbscape.descriptor_properties.tables import MEASUREMENT_COLUMNS
from gbscape.survey.boundary import Boundary

SHORT_PERIOD_A0 = 2.0
"""A boundary with a common period of at most this many lattice constants is quasi-two-dimensional."""


def coverage(
    descriptor: str, described: Collection[str], relaxed: Sequence[str], boundaries: Sequence[Boundary]
) -> pd.DataFrame:
    """Shares of the survey's boundaries that are described, columns `MEASUREMENT_COLUMNS`; x is the number of boundaries.

    Args:
        descriptor: its name.
        described: ids.
        relaxed: ids of all boundaries that were relaxed, those whose atoms could not be found among them.
        boundaries: crystallography, from which those with three-dimensional structures are known; may be empty.
    """
    three_dimensional = set(three_dimensional_ids(boundaries)) & set(relaxed)
    rows = [
        (descriptor, name, "share described", None, float(len(ids)), len(set(described) & set(ids)) / len(ids))
        for name, ids in (("automation", set(relaxed)), ("3D structures", three_dimensional))
        if ids
    ]
    return pd.DataFrame(rows, columns=MEASUREMENT_COLUMNS)


def three_dimensional_ids(boundaries: Sequence[Boundary]) -> list[str]:
    """Ids of the boundaries of mixed character both of whose common periods are longer than `SHORT_PERIOD_A0`."""
    return [b.id for b in boundaries if b.character == "mixed" and min(b.cell_lengths_a0) > SHORT_PERIOD_A0]
