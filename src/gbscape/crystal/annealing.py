"""Order in a particle at several annealing times, by the mutual information of its strided maps (Leitherer's thesis (2021),
section 6.7 and figure D.6)."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from gbscape.crystal.map_file import MapError, StridedMap

HISTOGRAM_COLUMNS = ["minutes", "lower_bits", "upper_bits", "share", "cumulative_share"]
RADIAL_COLUMNS = ["minutes", "lower_angstrom", "upper_angstrom", "boxes", "median_bits", "cumulative_bits"]
CHANGE_COLUMNS = ["from_minutes", "to_minutes", "radius_angstrom", "fractional_change"]

BELOW_BITS = 0.2
"""Only mutual information below this is counted: that of ordered regions."""
RADIUS_ANGSTROM = 25.0
"""At which global order is compared; the particles are not all of one size."""


def histogram(maps: Mapping[float, StridedMap], below_bits: float = BELOW_BITS, bins: int = 40) -> pd.DataFrame:
    """Histogram and cumulative distribution of low mutual information, over the number of all classified boxes.

    Args:
        maps: by annealing time in minutes.
        below_bits: upper end of the histogram.
        bins: number of bins.

    Returns:
        `HISTOGRAM_COLUMNS`; `share` sums up to the share of boxes below `below_bits`, not to 1.

    Raises:
        MapError: no map, or one without classified boxes.
    """
    limits = np.linspace(0, below_bits, bins + 1)
    tables = []
    for minutes, strided_map in _in_time(maps):
        values = strided_map.mutual_information[strided_map.classified]
        # Mutual information is never negative, but for rounding.
        inside = np.maximum(values[values < below_bits], 0)
        share = np.histogram(inside, limits)[0] / len(values)
        tables.append((np.full(bins, minutes), limits[:-1], limits[1:], share, np.cumsum(share)))
    return pd.DataFrame(dict(zip(HISTOGRAM_COLUMNS, np.concatenate(tables, axis=1), strict=True)))


def radial_medians(maps: Mapping[float, StridedMap], width_angstrom: float = 1.0) -> pd.DataFrame:
    """Median mutual information in spherical shells around the most central box, and its cumulative sum.

    The most central box is the classified one nearest to the middle of the classified boxes' extent. Shells without
    boxes have no row and add nothing to the sum.

    Args:
        maps: by annealing time in minutes.
        width_angstrom: of the shells; the stride of the maps.

    Returns:
        `RADIAL_COLUMNS`, outwards.

    Raises:
        MapError: as `histogram`.
        ValueError: a width that is not positive.
    """
    if not width_angstrom > 0:
        raise ValueError(f"the shells need a positive width in Angstrom, got {width_angstrom}")
    tables = []
    for minutes, strided_map in _in_time(maps):
        classified = strided_map.take(strided_map.classified)
        centres = classified.centres_angstrom()
        middle = (centres.min(axis=0) + centres.max(axis=0)) / 2
        central = centres[np.linalg.norm(centres - middle, axis=1).argmin()]
        # A hair less than the width's multiples belongs to the shell that begins there.
        shell = np.floor(np.linalg.norm(centres - central, axis=1) / width_angstrom + 1e-9).astype(int)
        found = (
            pd.Series(classified.mutual_information.astype(np.float64))
            .groupby(shell)
            .agg(boxes="size", median_bits="median")
            .reset_index(names="shell")
        )
        found["minutes"] = minutes
        found["lower_angstrom"] = found["shell"] * width_angstrom
        found["upper_angstrom"] = (found["shell"] + 1) * width_angstrom
        found["cumulative_bits"] = found["median_bits"].cumsum()
        tables.append(found[RADIAL_COLUMNS])
    return pd.concat(tables, ignore_index=True)


def cumulative_change(radial: pd.DataFrame) -> pd.DataFrame:
    """Fractional change of the cumulative sums from each annealing time t1 to each later one t2: (S2 - S1) / S1.

    Args:
        radial: of `radial_medians`.

    Returns:
        `CHANGE_COLUMNS`, at the outer radii of the shells that both times have. Below zero the longer annealed particle
        is the more ordered one, within that radius.
    """
    sums = {t: part.set_index("upper_angstrom")["cumulative_bits"] for t, part in radial.groupby("minutes")}
    tables = []
    for first, second in combinations(sorted(sums), 2):
        shared = sums[first].index.intersection(sums[second].index)
        change = sums[second][shared] / sums[first][shared] - 1
        tables.append(
            pd.DataFrame(
                {"from_minutes": first, "to_minutes": second, "radius_angstrom": shared, "fractional_change": change}
            )
        )
    return pd.concat(tables, ignore_index=True)[CHANGE_COLUMNS] if tables else pd.DataFrame(columns=CHANGE_COLUMNS)


def change_at(change: pd.DataFrame, radius_angstrom: float = RADIUS_ANGSTROM) -> pd.DataFrame:
    """The fractional changes at the largest radius that is not above `radius_angstrom`, a row for each pair of times."""
    within = change[change["radius_angstrom"] <= radius_angstrom * (1 + 1e-9)]
    last = within.groupby(["from_minutes", "to_minutes"], sort=False)["radius_angstrom"].idxmax()
    return within.loc[last].reset_index(drop=True)


def _in_time(maps: Mapping[float, StridedMap]) -> list[tuple[float, StridedMap]]:
    if not maps:
        raise MapError("an annealing series needs a map")
    for minutes, strided_map in maps.items():
        if not strided_map.classified.any():
            raise MapError(f"the map at {minutes:g} minutes has no classified box")
    return sorted(maps.items())
