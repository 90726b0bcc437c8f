"""HDF5 files that find room on the disk, and those that do not."""

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from gbscape.store.new_hdf5 import new_hdf5
from tests.faults.harness import small_disk

_WRITE = """
import sys
import numpy as np
from gbscape.store.atomic import DiskFullError
from gbscape.store.new_hdf5 import new_hdf5

try:
    with new_hdf5(sys.argv[1]) as file:
        for number in range(200):
            file[f"{number}/values"] = np.ones(300)
            file[f"{number}"].attrs["name"] = "x" * 100
except DiskFullError as error:
    print(error)
"""


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with new_hdf5(path, libver="latest") as file:
        file["a/b"] = np.arange(1000.0)
        rows = file.create_dataset("rows", (5000, 3), dtype=float, chunks=(100, 3), compression="gzip")
        for first in range(0, 5000, 100):
            rows[first : first + 100] = first
        assert rows[4999, 0] == 4900
        assert not path.exists()
    with h5py.File(path) as file:
        assert np.array_equal(file["a/b"][:], np.arange(1000.0))
        assert np.array_equal(file["rows"][:, 2], np.repeat(np.arange(0, 5000, 100), 100))
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    def write() -> None:
        with new_hdf5(tmp_path / "x.h5") as file:
            file["a"] = 1
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        write()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("free_kib", [0, 4, 40, 60, 300])
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, free_kib: int) -> None:
    """In a process of its own: HDF5 itself ends with a segmentation fault when 40 KiB are free."""
    with small_disk(tmp_path, 1):
        (tmp_path / "filler").write_bytes(bytes((1024 - free_kib) * 1024))
        done = subprocess.run(
            [sys.executable, "-c", _WRITE, str(tmp_path / "x.h5")], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert f"no space is left for {tmp_path}/x.h5: free some and run again" in done.stdout
        assert [path.name for path in tmp_path.iterdir()] == ["filler"]
