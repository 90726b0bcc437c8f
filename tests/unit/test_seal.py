"""Seals: any change of a file is noticed, and a job neither reads a damaged file nor leaves its own unsealed."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import h5py
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gbscape.store import seal
from gbscape.store.atomic import DiskFullError, atomic_path
from gbscape.store.seal import DamagedError, damage, require_sound, seal_path, write_seal


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    path = tmp_path / "shard 1.h5"
    with h5py.File(path, "w") as file:
        file["x"] = range(1000)
    write_seal(path)
    return path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_flipped_bit_is_noticed(sealed: Path, place: float, bit: int) -> None:
    content = bytearray(sealed.read_bytes())
    flipped = bytearray(content)
    flipped[int(place * len(content))] ^= 1 << bit
    sealed.write_bytes(flipped)
    assert "are not those that were written" in str(damage(sealed))
    sealed.write_bytes(content)
    assert damage(sealed) is None


@pytest.mark.parametrize("length", [0, 1, 2000])
def test_a_truncated_file_is_noticed_whatever_its_size(
    sealed: Path, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal, "FULLY_CHECKED_BYTES", 0)
    before = sealed.stat().st_size
    os.truncate(sealed, length)
    assert damage(sealed) == f"it has {length} bytes, {before} were written"


def test_a_seal_that_cannot_be_read_is_damage(sealed: Path) -> None:
    seal_path(sealed).write_text("{")
    with pytest.raises(
        DamagedError, match=r"shard 1\.h5 is damaged .*its seal \.shard 1\.h5\.seal cannot be read.*delete it"
    ):
        require_sound([sealed])


def test_files_of_users_have_no_seal_and_files_in_folders_have(tmp_path: Path, sealed: Path) -> None:
    (tmp_path / "mine.csv").write_text("a\n1\n")
    require_sound([tmp_path / "mine.csv", tmp_path])
    os.truncate(sealed, 10)
    require_sound([tmp_path / "mine.csv"])
    with pytest.raises(DamagedError, match=r"shard 1\.h5"):
        require_sound([tmp_path])


_JOB = """
from types import SimpleNamespace
from gbscape.store.job import begin_job
begin_job(SimpleNamespace(log=["log.txt"], input=["in.csv"], output=["out.csv"], resources={}))
open("out.csv", "w").write("b\\n2\\n")
print("said")
"""


def test_a_job_seals_what_it_writes_and_ends_at_what_is_damaged(tmp_path: Path) -> None:
    def job() -> int:
        return subprocess.run([sys.executable, "-c", _JOB], cwd=tmp_path, check=False).returncode

    (tmp_path / "in.csv").write_text("a\n1\n")
    write_seal(tmp_path / "in.csv")
    assert job() == 0
    assert damage(tmp_path / "out.csv") is None
    assert seal_path(tmp_path / "out.csv").exists()
    assert (tmp_path / "log.txt").read_text() == "said\n"

    (tmp_path / "out.csv").unlink()
    (tmp_path / "in.csv").write_text("a\n2\n")
    assert job() != 0
    assert not (tmp_path / "out.csv").exists()
    said = (tmp_path / "log.txt").read_text()
    assert "in.csv is damaged or was changed (its 4 bytes are not those that were written): delete it" in said
    assert "Traceback" not in said


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    def write() -> None:
        with atomic_path(tmp_path / "x.h5") as path:
            path.write_text("half")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DiskFullError, match=r"no space is left for .*x\.h5: free some and run again"):
        write()
    assert not list(tmp_path.iterdir())
