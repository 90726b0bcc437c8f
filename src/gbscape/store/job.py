"""What every job does first and last: a log of its own, inputs that are what was written, outputs that are sealed."""

import atexit
import logging
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from gbscape.store.seal import DamagedError, files_of, require_sound, write_seal

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


def begin_job(snakemake: "Snakemake") -> None:
    """Send what the job prints to its log, check what it reads, and seal what it has written when it ends.

    The job ends here, with one message, if an input is damaged. If it was given no GPU, it sees none.
    """
    log_to(snakemake.log[0])
    logging.basicConfig(format="%(message)s")
    logging.getLogger("gbscape").setLevel(logging.INFO)
    if snakemake.resources.get("gpu") == 0:
        # Machines do not always hide the GPUs that a batch system gave to others.
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    check_inputs(snakemake.input)
    atexit.register(seal_outputs, list(snakemake.output))


def check_inputs(paths: Iterable[str | Path]) -> None:
    """End this process with one message if a file is damaged."""
    try:
        require_sound(paths)
    except DamagedError as error:
        raise SystemExit(str(error)) from None


def seal_outputs(paths: Iterable[str | Path]) -> None:
    """Seal the files that are there; those of a job that failed Snakemake removes."""
    for path in files_of(paths):
        write_seal(path)


def log_to(path: str | Path) -> None:
    """Redirect standard output and standard error of this process, down to the file descriptors, to `path`."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
