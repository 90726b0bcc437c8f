"""Many records as one compact HDF5 file: each field of all items is one column, so that many small arrays cost little.

A field that is a number or a text has one value an item; of an array the items' rows are put one after the other, with
their number in `rows`. A field may be missing from some items. Fields inside others are named by their path.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from gbscape.store.new_hdf5 import new_hdf5
from gbscape.store.progress import progress
from gbscape.store.provenance import Provenance
from gbscape.store.records import Record
from gbscape.store.shards import ShardError

_ABSENT = -1
_SMALLEST = {"f": np.float32, "i": np.int16, "u": np.uint8}


def write_columns(path: str | Path, records: Mapping[str, Record], provenance: Provenance) -> None:
    """Write records as columns. Arrays of floating-point numbers are rounded to single precision; single numbers are not.

    Args:
        path: file to write.
        records: by item.
        provenance: what determines the content.

    Raises:
        ValueError: a field is an array in one item and a single value in another.
    """
    fields: dict[str, dict[str, Any]] = {}
    for item, record in records.items():
        for name, value in _flattened(record):
            fields.setdefault(name, {})[item] = value
    with new_hdf5(path, libver="latest") as file:
        file["provenance"] = provenance.to_json()
        file["ids"] = json.dumps(list(records))
        columns = file.create_group("columns")
        for name, values in progress(sorted(fields.items()), len(fields), "columns written"):
            _write_column(columns.create_group(name.replace("/", "|")), name, [values.get(item) for item in records])


def read_columns(path: str | Path) -> tuple[dict[str, dict[str, Any]], Provenance]:
    """Records by item, in the order in which they were written, and their provenance. Arrays have their first type again.

    Raises:
        ShardError: the file is damaged or of another kind.
    """
    path = Path(path)
    try:
        with h5py.File(path, "r") as file:
            provenance = Provenance.from_json(file["provenance"].asstr()[()])
            records: dict[str, dict[str, Any]] = {item: {} for item in json.loads(file["ids"].asstr()[()])}
            for name, column in file["columns"].items():
                for record, value in zip(records.values(), _read_column(column), strict=True):
                    if value is not None:
                        _put(record, name.split("|"), value)
    except (OSError, KeyError, ValueError, TypeError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ShardError(f"{path} is not a file of columns, or damaged ({error})") from error
    return records, provenance


def _flattened(record: Record, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", value


def _put(record: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        record = record.setdefault(name, {})
    record[path[-1]] = value


def _write_column(group: h5py.Group, name: str, values: list[Any]) -> None:
    present = [value for value in values if value is not None]
    arrays = [np.asarray(value) for value in present]
    if len({array.ndim == 0 for array in arrays}) > 1:
        raise ValueError(f"{name} is an array in one item and a single value in another")
    single = arrays[0].ndim == 0
    joined = np.stack(arrays) if single else np.concatenate([array for array in arrays if len(array)] or arrays)
    if not single:
        group["rows"] = np.array([_ABSENT if value is None else len(value) for value in values], dtype=np.int32)
    elif len(present) < len(values):
        group["present"] = np.array([value is not None for value in values])
    if joined.dtype.kind == "U":
        # Few distinct texts, many times over.
        texts, joined = np.unique(joined, return_inverse=True)
        group.attrs["texts"] = json.dumps(texts.tolist())
    group.attrs["dtype"] = joined.dtype.str
    if not single:
        joined = _narrowed(joined)
    group.create_dataset("values", data=joined, compression="gzip", compression_opts=9, shuffle=True)


def _read_column(group: h5py.Group) -> Iterator[Any]:
    values = group["values"][()].astype(group.attrs["dtype"])
    if "texts" in group.attrs:
        values = np.array(json.loads(group.attrs["texts"]), dtype=str)[values]
    if "rows" in group:
        end = 0
        for rows in group["rows"][()]:
            start, end = end, end + max(int(rows), 0)
            part = values[start:end]
            yield None if rows == _ABSENT else part.tolist() if part.dtype.kind == "U" else part
        return
    remaining = iter(values)
    for present in group["present"][()] if "present" in group else np.ones(len(values), dtype=bool):
        yield next(remaining).item() if present else None


def _narrowed(values: np.ndarray) -> np.ndarray:
    narrow = _SMALLEST.get(values.dtype.kind)
    if narrow is None or np.dtype(narrow).itemsize >= values.dtype.itemsize:
        return values
    smaller = values.astype(narrow)
    return smaller if values.dtype.kind == "f" or np.array_equal(smaller, values) else values
