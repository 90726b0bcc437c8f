"""Records of processes that hold something: who wrote it down, and whether that process is still alive."""

import json
import os
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

_HAVE_PROCESSES = {"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT"}
"""States of Slurm's jobs; those that wait, or are to start once more, have none."""


@dataclass(frozen=True)
class Process:
    """A process, so described that no later one is taken for it."""

    host: str
    pid: int
    started: str
    """Boot of the machine and clock ticks since then: process numbers are used again."""
    slurm_job: str | None = None
    """Job of Slurm that the process is part of."""

    def __str__(self) -> str:
        job = f" (Slurm job {self.slurm_job})" if self.slurm_job else ""
        return f"process {self.pid} on {self.host}{job}"


def this_process() -> Process:
    """The process that calls this."""
    return Process(os.uname().nodename, os.getpid(), _start_of(os.getpid()) or "", os.environ.get("SLURM_JOB_ID"))


def is_alive(process: Process) -> bool | None:
    """Whether a process is alive; None: it is on another machine, and Slurm does not know either."""
    if process.host == os.uname().nodename:
        return _start_of(process.pid) == process.started
    if process.slurm_job is None:
        return None
    if process.slurm_job == os.environ.get("SLURM_JOB_ID"):
        return False  # this is the same job, which Slurm has started once more
    state = _slurm_state(process.slurm_job)
    return None if state is None else state in _HAVE_PROCESSES


def write_process(path: Path, process: Process, **more: object) -> None:
    """Write a record at once."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.partial")
    temporary.write_text(json.dumps(asdict(process) | more), encoding="utf-8")
    temporary.replace(path)


def read_process(path: Path) -> tuple[Process, dict[str, object]] | None:
    """The process of a record and what else was written with it; None where there is no (whole) record."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        its = {name: record.pop(name) for name in ("host", "pid", "started", "slurm_job")}
        return Process(**its), record
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def processes_with(variable: str, value: str) -> list[int]:
    """Numbers of this user's processes on this machine that were started with an environment variable of this value.

    This process and those that started it are left out.
    """
    entry = f"{variable}={value}".encode()
    ours = set(_with_parents(os.getpid()))
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        pid = int(folder.name)
        with suppress(OSError):  # it has ended, or is another user's
            if pid not in ours and entry in (folder / "environ").read_bytes().split(b"\0") and _start_of(pid):
                found.append(pid)
    return sorted(found)


def _with_parents(pid: int) -> Iterable[int]:
    while pid > 0:
        yield pid
        status = _status_of(pid)
        pid = int(status[1]) if status else 0


def _start_of(pid: int) -> str | None:
    """When a process started; None if there is none, or it is dead but not fetched by its parent."""
    status = _status_of(pid)
    if status is None or status[0] in ("Z", "X"):
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot} {status[19]}"


def _status_of(pid: int) -> list[str] | None:
    """State, parent and so on, as Linux tells them after the name."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None


def _slurm_state(job: str) -> str | None:
    """State of a job; "" if Slurm has forgotten it, None if it cannot be asked."""
    command = ["squeue", "--noheader", "--states=all", "--format=%T", f"--jobs={job}"]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if asked.returncode == 0:
        return asked.stdout.strip()
    return "" if "Invalid job id" in asked.stderr else None
