"""Send everything that a job prints, compiled libraries included, to its log file."""

import os
import sys
from pathlib import Path


def log_to(path: str | Path) -> None:
    """Redirect standard output and standard error of this process, down to the file descriptors, to `path`."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
