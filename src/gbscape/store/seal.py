"""Seals: beside every file that a job has written its length and checksum, so that damage is noticed before it is read.

Neither a batch system's word nor a file's date is proof that a file is what was written. `gbscape.store.job` seals what a job
has written and checks what it reads.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

FULLY_CHECKED_BYTES = 2**30
"""Of larger files only the length is compared: a job would spend minutes on reading them twice."""


class DamagedError(RuntimeError):
    """A file is not what was written; the message names it and says what to do."""


def seal_path(path: str | Path) -> Path:
    """Where the seal of a file is."""
    path = Path(path)
    return path.with_name(f".{path.name}.seal")


def write_seal(path: str | Path) -> None:
    """Seal a file; of a folder, which files are in it."""
    path, seal = Path(path), seal_path(path)
    temporary = seal.with_name(f"{seal.name}.partial")
    temporary.write_text(json.dumps({"bytes": _size(path), "sha256": _digest(path)}), encoding="ascii")
    temporary.replace(seal)


def damage(path: str | Path) -> str | None:
    """What is wrong with a file, by its seal; None for one that is as it was written, or was never sealed.

    Of a folder: whether its files are those that were written, by names and lengths; each has a seal of its own.
    """
    path, seal = Path(path), seal_path(path)
    try:
        sealed = json.loads(seal.read_text(encoding="ascii"))
        length, digest = int(sealed["bytes"]), str(sealed["sha256"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return f"its seal {seal.name} cannot be read"
    found = _size(path)
    if found != length:
        return f"it has {found} bytes, {length} were written"
    if (path.is_dir() or length <= FULLY_CHECKED_BYTES) and _digest(path) != digest:
        return f"its {length} bytes are not those that were written"
    return None


def require_sound(paths: Iterable[str | Path]) -> None:
    """Check files, and those in folders, by their seals.

    Raises:
        DamagedError: one of them is damaged.
    """
    for path in files_of(paths):
        if (problem := damage(path)) is not None:
            raise DamagedError(
                f"{path} is damaged or was changed ({problem}): delete it and run again, which computes it anew; or delete its "
                f"seal {seal_path(path)} to take it as it is"
            )


def files_of(paths: Iterable[str | Path]) -> Iterator[Path]:
    """Files among the paths, and the folders among them after the files in these, seals left out."""
    for path in map(Path, paths):
        if path.is_dir():
            yield from _files_in(path)
            yield path
        elif path.exists():
            yield path


def _files_in(folder: Path) -> list[Path]:
    return [its for its in sorted(folder.rglob("*")) if its.is_file() and its.suffix != ".seal"]


def _size(path: Path) -> int:
    return sum(its.stat().st_size for its in _files_in(path)) if path.is_dir() else path.stat().st_size


def _digest(path: Path) -> str:
    if not path.is_dir():
        return sha256(path)
    listed = "".join(f"{its.relative_to(path)}\0{its.stat().st_size}\n" for its in _files_in(path))
    return hashlib.sha256(listed.encode()).hexdigest()


def sha256(path: Path) -> str:
    """Checksum of a file, in hexadecimal digits."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
