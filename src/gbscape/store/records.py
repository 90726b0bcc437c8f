"""Records (named arrays and scalars of one item) in HDF5 groups, and ASE structures as records."""

from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np
from ase import Atoms

Record = Mapping[str, Any]
"""Arrays, numbers, strings, booleans, lists of strings, or nested records; by name."""


def write_record(group: h5py.Group, record: Record) -> None:
    """Write `record` into an empty HDF5 `group`; arrays of more than 1 kB are compressed.

    Raises:
        ValueError: a number is not finite, or a value has a type that HDF5 cannot hold.
    """
    for name, value in record.items():
        if isinstance(value, Mapping):
            write_record(group.create_group(name), value)
        elif isinstance(value, str | bool | int | float | np.number | np.bool_):
            _check_finite(np.asarray(value), f"{group.name}/{name}")
            group.attrs[name] = value
        else:
            array = np.asarray(value)
            if array.dtype.kind in "OU":
                group.create_dataset(name, data=array.astype(object), dtype=h5py.string_dtype())
                continue
            _check_finite(array, f"{group.name}/{name}")
            large = array.nbytes > 1024
            group.create_dataset(
                name, data=array, compression="gzip" if large else None, shuffle=large, track_times=False
            )


def read_record(group: h5py.Group) -> dict[str, Any]:
    """Read what `write_record` wrote; scalars come back as Python numbers and strings."""
    record: dict[str, Any] = {}
    for name, value in group.attrs.items():
        record[name] = value.item() if isinstance(value, np.generic) else value
    for name, node in group.items():
        if isinstance(node, h5py.Group):
            record[name] = read_record(node)
        elif h5py.check_string_dtype(node.dtype):
            record[name] = [text.decode() for text in node[()]]
        else:
            record[name] = node[()]
    return record


def atoms_to_record(atoms: Atoms) -> dict[str, Any]:
    """Record of a structure: numbers, positions (n, 3) and cell (3, 3) in Angstrom, pbc, and its extra arrays."""
    record: dict[str, Any] = {
        "numbers": atoms.numbers.astype(np.uint8),
        "positions": atoms.positions,
        "cell": np.asarray(atoms.cell),
        "pbc": np.asarray(atoms.pbc),
    }
    record["arrays"] = {n: a for n, a in atoms.arrays.items() if n not in ("numbers", "positions")}
    return record


def atoms_from_record(record: Record) -> Atoms:
    """Structure from what `atoms_to_record` made."""
    atoms = Atoms(record["numbers"], positions=record["positions"], cell=record["cell"], pbc=record["pbc"])
    for name, array in record.get("arrays", {}).items():
        atoms.set_array(name, array)
    return atoms


def _check_finite(array: np.ndarray, where: str) -> None:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{where} has values that are not finite")
