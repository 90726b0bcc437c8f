"""New HDF5 files, on disks that may be full."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from gbscape.store.atomic import FULL, atomic_path


@contextmanager
def new_hdf5(path: str | Path, **options: Any) -> Iterator[h5py.File]:
    """Yield an empty HDF5 file, which appears as `path` when the block ends without an error.

    Args:
        path: the file.
        options: of `h5py.File`.

    Raises:
        DiskFullError: there was no room for it.
    """
    with atomic_path(path) as temporary, _Disk(temporary, "w+b") as disk:
        try:
            with h5py.File(disk, "w", **options) as file:
                yield file
        finally:
            if disk.full is not None:
                raise disk.full


class _Disk(io.FileIO):
    """A file that takes all that is written to it, and keeps the error of what it had no room for.

    HDF5 told of that error at once ends the whole process by a segmentation fault when it closes the file, and no message is left.
    """

    full: OSError | None = None

    def write(self, data: Any) -> int:
        rest = memoryview(data).cast("B")
        size = len(rest)
        while rest and self.full is None:
            try:
                rest = rest[super().write(rest) :]
            except OSError as error:
                self._keep(error)
        self.seek(len(rest), io.SEEK_CUR)
        return size

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self._keep(error)
            return self.tell() if size is None else size

    def _keep(self, error: OSError) -> None:
        if error.errno not in FULL:
            raise error
        self.full = error
