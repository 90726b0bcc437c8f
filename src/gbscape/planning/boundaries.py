"""How many boundaries an enumeration gives, and their areas, without enumerating them."""

import csv
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gbscape.config.survey import Enumeration

TABLE = "resources/boundary_areas.csv"
QUANTILES = (0.0, 0.01, 0.05, *(round(0.1 * i, 1) for i in range(1, 10)), 0.95, 0.99, 1.0)


def areas(settings: Enumeration, project: str | Path) -> NDArray[np.float64]:
    """Areas like those of the boundaries of an enumeration, in a0^2, ascending, (n,).

    They are drawn evenly from the distribution in `TABLE`, in whose range of lengths number and areas are within some
    percent; beyond it both are extrapolated as powers of the length. Named boundaries are taken for typical ones.
    """
    lengths, numbers, quantiles = _table(settings.lattice, Path(project) / TABLE)
    x, at = np.log(lengths), math.log(settings.max_length)
    n = max(1, round(math.exp(_interpolated(at, x, np.log(numbers)))))
    of_length = np.exp([_interpolated(at, x, np.log(column)) for column in quantiles.T])
    all_areas = np.interp((np.arange(n) + 0.5) / n, QUANTILES, of_length)
    chosen = len(settings.ids) if settings.ids is not None else settings.count or n
    if chosen >= n:
        return all_areas
    if settings.ids is None and settings.order_by == "area":
        return all_areas[:chosen]
    return all_areas[((np.arange(chosen) + 0.5) / chosen * n).astype(int)]


def _interpolated(at: float, x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Linear between the points of the table, and beyond them on the line through the last two."""
    right = int(np.clip(np.searchsorted(x, at), 1, len(x) - 1))
    slope = (y[right] - y[right - 1]) / (x[right] - x[right - 1])
    return float(y[right - 1] + slope * (at - x[right - 1]))


def _table(lattice: str, path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    with path.open(newline="", encoding="utf-8") as handle:
        rows = [row for row in csv.reader(handle) if row[0] == lattice]
    values = np.array([[float(cell) for cell in row[1:]] for row in rows])
    return values[:, 0], values[:, 1], values[:, 2:]


def tabulated(lattice: str, max_length: float, sample: int = 800) -> list[float]:
    """A row of `TABLE`: max_length, number, quantiles of the area in a0^2, from the real enumeration.

    Args:
        lattice: of `Enumeration`.
        max_length: likewise.
        sample: boundaries whose smallest cell is sought; all would take long.
    """
    # Not needed for planning, and further up than this.
    from gbscape.survey.boundary import smallest_description
    from gbscape.survey.enumeration import canonical_forms_within

    forms = sorted(canonical_forms_within(lattice, max_length))  # type: ignore[arg-type]
    chosen = forms[:: max(1, len(forms) // sample)]
    found = [smallest_description(form, lattice, max_length).area_a0_squared for form in chosen]  # type: ignore[arg-type]
    return [max_length, len(forms), *(round(float(q), 3) for q in np.quantile(found, QUANTILES))]


if __name__ == "__main__":
    print(",".join(["lattice", "max_length", "number", *(f"area_{q:g}" for q in QUANTILES)]))
    for lattice in ("fcc", "bcc"):
        for length in (4.0 if lattice == "fcc" else 5.0, 6.0, 8.0, 10.0, 12.0, 15.0, 18.0, 22.0, 27.0, 33.0, 40.0):
            print(",".join([lattice, *(f"{value:g}" for value in tabulated(lattice, length))]), flush=True)
