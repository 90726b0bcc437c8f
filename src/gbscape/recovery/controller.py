"""One controller a run: the Snakemake that works on `results/NAME` writes itself down there and refuses to be a second one.

Snakemake's own locks name no owner, a killed one leaves them, and the end of one Snakemake removes those of all others in the
working folder.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gbscape.recovery.slurm import job_prefix
from gbscape.store.atomic import atomic_path
from gbscape.store.job import claimed_outputs, is_record
from gbscape.store.processes import Process, is_alive, read_process, this_process, write_process
from gbscape.store.seal import seal_path

RUN_VARIABLE = "GBSCAPE_RUN"
"""Environment variable that every process of a run inherits, by which those that outlive their controller are found."""


class ControllerError(RuntimeError):
    """A controller works on the run, or did and was killed; the message says which and what to do."""


def record_of(results: str | Path) -> Path:
    """Where the controller of a run writes itself down."""
    return Path(results) / ".controller"


def run_id(results: str | Path) -> str:
    """Value of `RUN_VARIABLE` in all processes of a run."""
    return str(Path(results).resolve())


def guard_execution(
    workflow: Any, results: str | Path, end: Callable[[str], None], notices: Sequence[str] = ()
) -> None:
    """Let a Snakemake (`workflow`) that is about to run jobs claim the folder of its run first, and mark what it starts.

    Dry runs and the like claim nothing. Done here and not in `onstart`, which comes after Snakemake's own locks.

    Args:
        workflow: Snakemake's, before it executes.
        results: folder of the run.
        end: ends Snakemake with a message.
        notices: printed before the first job.
    """
    execute = workflow.execute

    def claimed(executor_plugin: Any, executor_settings: Any, **others: Any) -> Any:
        def go() -> Any:
            return execute(executor_plugin=executor_plugin, executor_settings=executor_settings, **others)

        if executor_plugin.common_settings.dryrun_exec or executor_plugin.name == "touch":
            return go()
        for notice in notices:
            print(notice, file=sys.stderr)
        try:
            claim(results, executor_plugin.name)
        except ControllerError as error:
            end(str(error))
        try:
            os.environ[RUN_VARIABLE] = run_id(results)
            if hasattr(executor_settings, "jobname_prefix"):
                executor_settings.jobname_prefix = job_prefix(run_id(results), executor_settings.jobname_prefix)
            return go()
        finally:
            release(results)

    workflow.execute = claimed


def claim(results: str | Path, executor: str = "local") -> None:
    """Write down that this process works on a run, by which command, and what runs its jobs.

    Raises:
        ControllerError: another one does, or did and was killed.
    """
    record = record_of(results)
    record.parent.mkdir(parents=True, exist_ok=True)
    try:
        record.touch(exist_ok=False)  # of two that come at once one fails here
    except FileExistsError:
        raise ControllerError(_why_not(record)) from None
    write_process(record, this_process(), folder=os.getcwd(), since=_now())
    program = [sys.executable, "-m", "snakemake"] if sys.argv[0].endswith("__main__.py") else sys.argv[:1]
    content = {"command": [*program, *sys.argv[1:]], "folder": os.getcwd(), "executor": executor}
    with atomic_path(_command_of(results)) as temporary:
        temporary.write_text(json.dumps(content), encoding="utf-8")


@dataclass(frozen=True)
class Command:
    """What started a run."""

    words: list[str]
    folder: Path
    executor: str
    """Snakemake's name of what runs the jobs."""


def last_command(results: str | Path) -> Command | None:
    """The command that started the run last; None if nothing is known."""
    try:
        record = json.loads(_command_of(results).read_text(encoding="utf-8"))
        return Command([str(word) for word in record["command"]], Path(record["folder"]), str(record["executor"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def take_over(results: str | Path, surely_dead: bool = False) -> None:
    """Claim a run whose controller was killed, or that has none, for this process, which puts it in order.

    Raises:
        ControllerError: a controller works on it.
    """
    require_none_alive(results, surely_dead)
    write_process(record_of(results), this_process(), folder=os.getcwd(), since=_now())


def release(results: str | Path) -> None:
    """Nobody works on the run any more."""
    record_of(results).unlink(missing_ok=True)


def require_none_alive(results: str | Path, surely_dead: bool = False) -> None:
    """Make sure that no controller works on a run.

    Args:
        results: folder of the run.
        surely_dead: the user says so, of one that is on another machine.

    Raises:
        ControllerError: one does, or perhaps does.
    """
    found = _read(record_of(results))
    if found is None:
        return
    process, more = found
    alive = is_alive(process)
    if alive or (alive is None and not surely_dead):
        raise ControllerError(_at_work(process, more, alive))


def _why_not(record: Path) -> str:
    found = _read(record)
    results = record.parent
    if found is None:
        return f"{record} is there but empty: the last run was killed as it began. {remedy(results)}"
    process, more = found
    alive = is_alive(process)
    if alive is False:
        return (
            f"The last Snakemake of {results}, {process}, since {more.get('since')}, was killed and may have left jobs and "
            f"half-written files behind. {remedy(results)}"
        )
    return _at_work(process, more, alive)


def _read(record: Path) -> tuple[Process, dict[str, object]] | None:
    found = read_process(record)
    if found is None and record.exists():
        time.sleep(1)  # it may be about to be written
        found = read_process(record)
    return found


def _command_of(results: str | Path) -> Path:
    return Path(results) / ".command.json"


def remedy(results: str | Path) -> str:
    """What to do with a run that was killed or has failed."""
    return f"To put the run in order and go on with it: python -m gbscape.recovery --run {results}"


def require_sealed(results: str | Path, end: Callable[[str], None], seconds: float = 10.0) -> None:
    """End a run that Snakemake counts as done though jobs of it have not sealed what they write: a batch system has said so of a job
    whose state it did not know.

    Args:
        results: folder of the run.
        end: ends Snakemake with a message.
        seconds: so long a file system may show late what the jobs have done.
    """
    deadline = time.monotonic() + seconds
    while (unsealed := _unsealed(Path(results))) and time.monotonic() < deadline:
        time.sleep(0.5)
    if unsealed:
        named = ", ".join(unsealed[:3]) + (f" and {len(unsealed) - 3} more" if len(unsealed) > 3 else "")
        end(f"Snakemake counts jobs as done that have not ended, or were killed: {named}. {remedy(results)}")


def _unsealed(results: Path) -> list[str]:
    """Outputs that a job has written down as its own, and not sealed."""
    records = [path for path in results.rglob(".*") if is_record(path)]
    return [output for record in records for output in claimed_outputs(record) if not seal_path(output).exists()]


def _at_work(process: Process, more: dict[str, object], alive: bool | None) -> str:
    since = f"{process}, since {more.get('since')}"
    folder = more.get("folder")
    if alive:
        return f"Another Snakemake works on this run in {folder}: {since}. Wait for it or end it (kill {process.pid})"
    return (
        f"Another Snakemake works on this run in {folder}, or was killed: {since}. Only that machine can tell: "
        f"ssh {process.host} ps -p {process.pid}. If it is gone, add --controller-is-dead to python -m gbscape.recovery"
    )


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S")
