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
    """Seal a file."""
    path, seal = Path(path), seal_path(path)
    temporary = seal.with_name(f"{seal.name}.partial")
    temporary.write_text(json.dumps({"bytes": path.stat().st_size, "sha256": sha256(path)}), encoding="ascii")
    temporary.replace(seal)


def damage(path: str | Path) -> str | None:
    """What is wrong with a file, by its seal; None for one that is as it was written, or was never sealed."""
    path, seal = Path(path), seal_path(path)
    try:
        sealed = json.loads(seal.read_text(encoding="ascii"))
        length, digest = int(sealed["bytes"]), str(sealed["sha256"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return f"its seal {seal.name} cannot be read"
    found = path.stat().st_size
    if found != length:
        return f"it has {found} bytes, {length} were written"
    if length <= FULLY_CHECKED_BYTES and sha256(path) != digest:
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
    """Files among the paths, and those in the folders among them, seals left out."""
    for path in map(Path, paths):
        if path.is_dir():
            yield from (its for its in sorted(path.rglob("*")) if its.is_file() and its.suffix != ".seal")
        elif path.exists():
            yield path


def sha256(path: Path) -> str:
    """Checksum of a file, in hexadecimal digits."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
