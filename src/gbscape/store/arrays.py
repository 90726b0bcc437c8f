"""Large arrays of one thing (all atoms of a model, say) in an HDF5 file, with their provenance; not compressed, since random
positions do not shrink and reading them in part must be cheap."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from gbscape.store.new_hdf5 import new_hdf5
from gbscape.store.provenance import Provenance
from gbscape.store.shards import ShardError


def write_arrays(path: str | Path, arrays: Mapping[str, Any], provenance: Provenance) -> None:
    """Write arrays by name.

    Raises:
        ValueError: a number is not finite; nothing is written then.
    """
    with new_hdf5(path) as file:
        file["provenance"] = provenance.to_json()
        for name, values in arrays.items():
            array = np.asarray(values)
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise ValueError(f"{path}: {name} has values that are not finite")
            file.create_dataset(f"arrays/{name}", data=array, track_times=False)


def read_arrays(
    path: str | Path, names: Sequence[str] | None = None, rows: slice = slice(None)
) -> dict[str, NDArray[Any]]:
    """Arrays by name, all of them or some; of those with rows only these rows.

    Raises:
        ShardError: the file is damaged, of another kind, or lacks an array.
    """
    with _opened(path) as file:
        stored = file["arrays"]
        wanted = list(stored) if names is None else names
        return {name: stored[name][rows] if stored[name].ndim else stored[name][()] for name in wanted}


def arrays_shape(path: str | Path, name: str) -> tuple[int, ...]:
    """Shape of one of the arrays, without reading it.

    Raises:
        ShardError: the file is damaged, of another kind, or lacks the array.
    """
    with _opened(path) as file:
        return tuple(file["arrays"][name].shape)


def arrays_provenance(path: str | Path) -> Provenance:
    """Provenance of a file of arrays.

    Raises:
        ShardError: the file is damaged or of another kind.
    """
    with _opened(path) as file:
        return Provenance.from_json(file["provenance"].asstr()[()])


@contextmanager
def _opened(path: str | Path) -> Iterator[h5py.File]:
    """The file for reading; what h5py raises about its content becomes a ShardError."""
    try:
        with h5py.File(path, "r") as file:
            yield file
    except FileNotFoundError:
        raise
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise ShardError(
            f"{path} is not a file of arrays, lacks one, or is damaged ({error}); delete it and run again"
        ) from error
