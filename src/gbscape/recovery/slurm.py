"""Jobs of a run in Slurm's queue, found by their names: each begins with an id of the run's folder."""

import getpass
import hashlib
import subprocess
import time
from collections.abc import Sequence

_LONGEST_PREFIX = 50
"""What Snakemake's plugin allows."""


class SlurmError(RuntimeError):
    """Slurm does not answer, or a job cannot be ended."""


def job_prefix(run_id: str, of_site: str | None = None) -> str:
    """Beginning of the names of all jobs of a run; one that the site has set comes after it."""
    own = f"gbscape-{hashlib.sha256(run_id.encode()).hexdigest()[:12]}"
    return f"{own}_{of_site}"[:_LONGEST_PREFIX] if of_site and not of_site.startswith(own) else of_site or own


def jobs_of(run_id: str) -> list[str]:
    """Numbers of the jobs of a run that are waiting or running.

    Raises:
        SlurmError: Slurm is not there or does not answer.
    """
    command = ["squeue", "--noheader", f"--user={getpass.getuser()}", "--format=%i %j"]
    lines = [line.split(maxsplit=1) for line in _answer(command).splitlines()]
    return [line[0] for line in lines if len(line) == 2 and line[1].startswith(job_prefix(run_id))]


def cancel(jobs: Sequence[str], run_id: str, patience_seconds: float = 120.0) -> None:
    """Cancel jobs of a run and wait until they are gone: one that ends may still write.

    Raises:
        SlurmError: Slurm refuses, or some are there after the time.
    """
    if not jobs:
        return
    _answer(["scancel", *jobs])
    end = time.monotonic() + patience_seconds
    while left := sorted(set(jobs) & set(jobs_of(run_id))):
        if time.monotonic() > end:
            raise SlurmError(f"jobs {', '.join(left)} were cancelled but are still there; look at them with squeue")
        time.sleep(1)


def _answer(command: Sequence[str]) -> str:
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SlurmError(f"{command[0]} does not answer ({error}); try again when it does") from None
    if asked.returncode != 0:
        raise SlurmError(f"{command[0]} does not answer ({asked.stderr.strip()}); try again when it does")
    return asked.stdout
