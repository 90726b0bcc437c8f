"""Files that are either complete under their final name or not there at all."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FULL = errno.ENOSPC, errno.EDQUOT
"""Numbers of errors of a file system, or one's share of it, that is full."""


class DiskFullError(OSError):
    """The file system is full; the message names the file that was being written."""


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block ends without an error.

    The temporary name keeps the suffix (libraries choose formats by it) and ends up on the same file system, so the
    rename is atomic. On an error the temporary file is removed and `path` is untouched.

    Raises:
        DiskFullError: there was no room for it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        yield temporary
        if not temporary.exists():
            raise FileNotFoundError(f"nothing was written for {path}")
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        temporary.replace(path)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL:
            raise DiskFullError(
                errno.ENOSPC, f"no space is left for {path}: free some and run again; what is finished is kept"
            ) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)
