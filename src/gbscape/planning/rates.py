"""Measured rates: seconds, memory and files of each step, by its unit of work."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from gbscape.store.atomic import atomic_path


@dataclass(frozen=True, slots=True)
class Rate:
    """A row of the table of costs."""

    step: str
    """Rule, and after a colon the kind of what it computes."""
    unit: str
    """What one unit of work is, see `gbscape.planning.costs`."""
    seconds_per_unit: float
    """Core-seconds of a unit of work."""
    seconds_per_job: float
    """Core-seconds that every job takes besides, to start and to read."""
    mib_per_job: float
    """Memory of a job, in MiB, but for what grows with its items."""
    memory_bytes_per_item: float
    """Memory that grows with the items of a job."""
    stored_bytes_per_item: float
    """Of the files that are left."""
    machine: str
    date: str
    source: str
    """What was measured."""


_TEXT = {"step", "unit", "machine", "date", "source"}


def read_rates(path: str | Path) -> dict[str, Rate]:
    """The table of costs, by step.

    Raises:
        ValueError: columns are missing or unknown, a cell is no number from 0, or a step comes twice.
    """
    columns = [field.name for field in fields(Rate)]
    rates: dict[str, Rate] = {}
    with Path(path).open(newline="", encoding="utf-8") as handle:
        reader = csv.DictReader(handle, strict=True)
        if reader.fieldnames != columns:
            raise ValueError(f"{path} must have the columns {', '.join(columns)}; it has {reader.fieldnames}")
        for row in reader:
            where = f"{path}, row {reader.line_num}"
            if None in row or None in row.values():
                raise ValueError(f"{where}: expected {len(columns)} cells")
            if row["step"] in rates:
                raise ValueError(f"{where}: {row['step']} comes twice")
            numbers = {name: _number(row[name], f"{where}, column {name}") for name in columns if name not in _TEXT}
            rates[row["step"]] = Rate(**{name: row[name] for name in _TEXT}, **numbers)  # type: ignore[arg-type]
    return rates


def write_rates(path: str | Path, rates: Iterable[Rate]) -> None:
    """Write a table of costs."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(field.name for field in fields(Rate))
        for rate in rates:
            writer.writerow(f"{value:.4g}" if isinstance(value, float) else value for value in asdict(rate).values())


def rate_of(rates: Mapping[str, Rate], step: str) -> Rate:
    """The rate of a step.

    Raises:
        ValueError: the table lacks it.
    """
    if step not in rates:
        raise ValueError(f"the table of costs has no row for {step}; copy that of resources/costs.csv")
    return rates[step]


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ValueError(f"{where}: {text!r}; expected a number from 0")
    return value
