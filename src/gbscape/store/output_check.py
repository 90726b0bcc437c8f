"""What a job has written is looked at before it is sealed: is it there, whole, and what its name says?

An exit status is no proof of that, nor is a batch system's word. Numbers are checked for being finite when they are
written (`gbscape.store.records`, `gbscape.store.arrays`) and here once more, as they came to lie in the file. In tables, and in
columns of structures beside the positions, what is not finite stands for what is not there.
"""

import csv
import itertools
import json
import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from gbscape.store.seal import FULLY_CHECKED_BYTES

_HEADER_BYTES = 8
_MAYBE_NOT_FINITE = re.compile(rb"nan|inf", re.IGNORECASE)
_LARGEST_TABLE = 2**26
"""Of larger tables only the ends are looked at: a job would spend long on reading them row by row."""


class OutputError(RuntimeError):
    """What a job has written is not what it should be; the message names the file and says what to do."""


def require_whole(paths: Iterable[str | Path]) -> None:
    """Check outputs of a job; a folder is checked file by file.

    Raises:
        OutputError: one of them is missing, empty, or not what its name says.
    """
    for path in map(Path, paths):
        if (problem := problem_of(path)) is not None:
            raise OutputError(
                f"{path} was not written as it should be ({problem}): the job counts as failed. Run again, which computes "
                "it anew; if it comes again, look at the disk and the memory of the machine"
            )


def problem_of(path: Path) -> str | None:
    """What is wrong with an output; None if nothing is. Of files over 1 GiB only the form is looked at."""
    if path.is_dir():
        problems = ((its, problem_of(its)) for its in sorted(path.rglob("*")) if its.is_file())
        return next((f"{its.name}: {problem}" for its, problem in problems if problem), None)
    if not path.exists():
        return "it is not there"
    if path.stat().st_size == 0:
        return "it is empty"
    check = _CHECKS.get(path.suffix)
    try:
        return check(path) if check else None
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, csv.Error) as error:
        return " ".join(str(error).split())[:300] or type(error).__name__


def _hdf5(path: Path) -> str | None:
    import h5py  # most jobs have it by now; those that write tables need not wait for it

    with h5py.File(path, "r") as file:
        if "ids" in file and "items" in file:
            listed = json.loads(file["ids"].asstr()[()])
            if sorted(file["items"]) != sorted(listed):
                return "it does not hold the items that it lists"
        if "provenance" in file and not json.loads(file["provenance"].asstr()[()]):
            return "its provenance is empty"
        # Only these are checked for being finite when they are written; elsewhere NaN is for what is not there.
        finite = [file[name] for name in ("items", "arrays") if name in file]
        if path.stat().st_size <= FULLY_CHECKED_BYTES:
            return _first(file, _unreadable) or next(filter(None, (_first(its, _not_finite) for its in finite)), None)
        return _first(file, lambda node: None)


def _first(group: Any, problem: Callable[[Any], str | None]) -> str | None:
    """The first problem in a group; those of h5py itself, for what cannot be opened, are raised."""
    return group.visititems(lambda _, node: problem(node))  # type: ignore[no-any-return]


def _unreadable(node: Any) -> str | None:
    if hasattr(node, "shape") and node.shape is not None:
        node[()]  # h5py raises
    return None


def _not_finite(node: Any) -> str | None:
    import numpy as np

    values = [*node.attrs.values()] + ([node[()]] if hasattr(node, "shape") else [])
    for value in values:
        array = np.asarray(value)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            return f"{node.name} has values that are not finite"
    return None


def _table(path: Path) -> str | None:
    if path.stat().st_size > _LARGEST_TABLE:
        return _ends(b"", b"\n")(path)
    csv.field_size_limit(_LARGEST_TABLE)
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file, delimiter="\t" if path.suffix == ".tsv" else ",")
        width = len(next(rows, []))
        for row in rows:
            if len(row) != width:
                return f"line {rows.line_num} has {len(row)} cells, the first has {width}"
    return _ends(b"", b"\n")(path)


def _json(path: Path) -> str | None:
    def refuse(constant: str) -> None:
        raise ValueError(f"it holds {constant}, which is no number")

    json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    return None


def _safetensors(path: Path) -> str | None:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_HEADER_BYTES), "little")
        header = json.loads(file.read(length))
    ends = [its["data_offsets"][1] for name, its in header.items() if name != "__metadata__"]
    whole = _HEADER_BYTES + length + max(ends, default=0)
    found = path.stat().st_size
    return None if found == whole else f"it has {found} bytes, its header says {whole}"


def _xyz(path: Path) -> str | None:
    if path.stat().st_size > FULLY_CHECKED_BYTES:
        return _ends(b"", b"\n")(path)
    with path.open("rb") as file:
        for frame, line in enumerate(file):
            if not line.strip().isdigit():
                return f"frame {frame} does not begin with a number of atoms"
            wanted, found = int(line), 0
            next(file, None)  # the comment
            for atom in itertools.islice(file, wanted):
                found += 1
                if _MAYBE_NOT_FINITE.search(atom) and not all(math.isfinite(float(its)) for its in atom.split()[1:4]):
                    return f"atom {found - 1} of frame {frame} has a position that is not finite"
            if found < wanted:
                return f"frame {frame} has {found} of {wanted} atoms"
    return _ends(b"", b"\n")(path)


def _ends(first: bytes, last: bytes) -> Callable[[Path], str | None]:
    """A check of how a file begins and ends, white space at its end left out."""

    def check(path: Path) -> str | None:
        with path.open("rb") as file:
            if file.read(len(first)) != first:
                return f"it does not begin as a {path.suffix[1:]} does"
            file.seek(-min(64, path.stat().st_size), 2)
            tail = file.read()
        whole = tail if last.isspace() else tail.rstrip()
        return None if whole.endswith(last) else f"it does not end as a {path.suffix[1:]} does"

    return check


_CHECKS: dict[str, Callable[[Path], str | None]] = {
    ".h5": _hdf5,
    ".csv": _table,
    ".tsv": _table,
    ".json": _json,
    ".safetensors": _safetensors,
    ".svg": _ends(b"<?xml", b"</svg>"),
    ".png": _ends(b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"),
    ".pdf": _ends(b"%PDF", b"%%EOF"),
    ".html": _ends(b"<!DOCTYPE html>", b"</html>"),
    ".xyz": _xyz,
    ".yaml": _ends(b"", b"\n"),
    ".vti": _ends(b"<", b">"),
}
