"""What is done to jobs of a real Slurm, from outside."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from gbscape.recovery.controller import run_id
from gbscape.recovery.slurm import jobs_of
from gbscape.store.processes import processes_with

from .cells import Cell
from .clean import CLASSES, RESULTS
from .harness import At, Found, run_with, wait_for

WRAPPERS = Path(__file__).with_name("wrappers")


def run_slurm_cell(
    cell: Cell, project: Path, clean: Path, folder: Path, without: str = "", profile: str = "mycluster"
) -> Found:
    """One cell of the kinds of Slurm; `without` names guards that are taken out, `profile` is one of those of `cut_project`."""
    its = CLASSES[cell.rule_class]
    comment = f"rule_{its.rule}" + (f"_wildcards_{its.wildcards}" if its.wildcards else "")
    real = Path(str(shutil.which("sbatch"))).parent
    wrapped = {
        "PATH": f"{WRAPPERS}:{os.environ['PATH']}",
        "GBSCAPE_REAL": str(real),
        "GBSCAPE_NOTES": str(folder.with_name(folder.name + ".notes")),
        "GBSCAPE_LOST_COMMENT": comment if cell.kind == "reply of sbatch lost" else "none",
        "GBSCAPE_UNKNOWN": str(int(cell.kind == "status UNKNOWN")),
        "GBSCAPE_WITHOUT": without,
    }

    def act(at: At) -> None:
        if not wait_for(at.notes / "reached", at.run):
            at.found.problems.append("the job did not come to its moment")
            return
        job = json.loads((at.notes / "reached").read_text())["slurm_job"]
        _ACTS.get(cell.kind, _nothing)(at, job)

    found = run_with(cell, project, clean, folder, act, wrapped, profile)
    if left := jobs_of(run_id(folder / "work" / RESULTS)):
        found.problems.append(f"Slurm's jobs {left} are left")
    return found


def _nothing(at: At, job: str) -> None:
    """The wrappers do it; the job stays where it is, without a controller once this has ended."""


def _time_limit(at: At, job: str) -> None:
    _scontrol("update", f"JobId={job}", "TimeLimit=1")


def _node_failure(at: At, job: str) -> None:
    node = os.uname().nodename.split(".")[0]
    jobs = _scheduled()
    _scontrol("update", f"NodeName={node}", "State=DOWN", "Reason=test")
    # What runs on a node that fails is gone at once; the daemon of this one lives, and would first ask it to end.
    for pid in [pid for its in jobs for pid in processes_with("SLURM_JOB_ID", its)]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    _until(lambda: _state(job) not in ("RUNNING", "COMPLETING"))
    time.sleep(5)  # a job that starts again before the daemon has noticed drains the node: "Duplicate jobid"
    # Unless it has come back by itself.
    subprocess.run(["scontrol", "update", f"NodeName={node}", "State=RESUME"], capture_output=True, check=False)
    for its in jobs:
        _start_soon(its)


def _requeue(at: At, job: str) -> None:
    _scontrol("requeue", job)
    _until(lambda: _state(job) not in ("RUNNING", "COMPLETING"))
    _start_soon(job)


_ACTS: dict[str, Callable[[At, str], None]] = {
    "time limit": _time_limit,
    "node failure": _node_failure,
    "requeue": _requeue,
}


def _scheduled() -> list[str]:
    """All jobs that wait or run."""
    command = ["squeue", "--noheader", "--format=%A"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def _start_soon(job: str) -> None:
    """Slurm lets a job wait for two minutes before it starts it once more."""
    if _state(job) == "PENDING":
        subprocess.run(["scontrol", "update", f"JobId={job}", "StartTime=now"], capture_output=True, check=False)


def _scontrol(*arguments: str) -> None:
    subprocess.run(["scontrol", *arguments], check=True, capture_output=True)


def _state(job: str) -> str:
    command = ["squeue", "--noheader", "--states=all", "--format=%T", f"--jobs={job}"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not condition():
        time.sleep(0.5)
