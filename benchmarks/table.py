"""The table of contests, from what `descriptors.py` recorded."""

from typing import Any

COLUMNS = [
    "engine", "setting", "ours", "rate", "peer", "peer's", "ratio", "of minima", "max difference", "memory, ours",
    "memory, peer", "goal", "met",
]  # fmt: skip


NOTES = """
Times are medians over interleaved rounds on one core with one thread; memory is the peak beyond what was there before
and beyond the result. Ratios are the peer's time to ours: of the medians, and of the minima. dscribe and featomic expand
in other radial bases, so their numbers cannot be compared with ours. Peers that are not installed:
`pip install --editable ".[peers]"`.
"""


def report(record: dict[str, Any]) -> str:
    """The table with a line about the machine and notes."""
    machine = record["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items() if number)
    quick = "Tiny sizes (--quick): the times mean nothing.\n\n" * machine["quick"]
    return (
        f"{quick}{markdown(record['rows'])}\n{NOTES}\n{machine['cpu']}, {machine['cores']} cores, "
        f"{machine['memory_gib']:g} GiB, kernels built for {machine['kernels']}, "
        f"{machine['cuda'] or 'no CUDA device'}; {machine['date']}. Python {machine['python']}, {versions}."
    )


def markdown(rows: list[dict[str, Any]]) -> str:
    """A Markdown table, its columns aligned for reading as plain text."""
    cells = [COLUMNS, *([_cell(row, column) for column in COLUMNS] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(COLUMNS))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |" for line in cells]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(lines)


def _cell(row: dict[str, Any], column: str) -> str:
    value = row[column]
    if value is None:
        return "-"
    if column in ("ours", "peer's"):
        return value if isinstance(value, str) else seconds(value)
    if column in ("memory, ours", "memory, peer"):
        return memory(value)
    if column in ("ratio", "of minima"):
        return f"{value:.3g}x" if value < 100 else f"{value:.0f}x"
    if column == "max difference":
        return value if isinstance(value, str) else f"{value:.1g}"
    return str(value)


def seconds(value: float) -> str:
    """Three digits in the largest unit that leaves something before the point."""
    factor, unit = next(((f, u) for f, u in ((1, "s"), (1e3, "ms")) if value * f >= 0.9995), (1e6, "µs"))
    return f"{value * factor:.3g} {unit}"


def memory(value: float) -> str:
    factor, unit = next(((f, u) for f, u in ((1e-9, "GB"), (1e-6, "MB")) if value * f >= 0.9995), (1e-3, "kB"))
    return f"{value * factor:.3g} {unit}"


def rate(units: int, unit: str, value: float) -> str:
    """Units a second."""
    per_second = units / value
    factor, prefix = next(((f, p) for f, p in ((1e-6, "M"), (1e-3, "k")) if per_second * f >= 0.9995), (1, ""))
    return f"{per_second * factor:.3g} {prefix} {unit}/s".replace("  ", " ")
