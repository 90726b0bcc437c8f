"""What every job does first and last.

First: a log of its own, its outputs claimed, inputs that are what was written. Last: outputs that are whole, and sealed.
"""

import atexit
import logging
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, NoReturn

from gbscape.store.atomic import DiskFullError
from gbscape.store.output_check import OutputError, require_whole
from gbscape.store.processes import Process, is_alive, read_process, this_process, write_process
from gbscape.store.seal import DamagedError, files_of, require_sound, seal_path, write_seal

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake

_BEFORE = [2]
"""Descriptors of standard error, that before the log last."""


def begin_job(snakemake: "Snakemake") -> None:
    """Send what the job prints to its log, claim what it writes and check what it reads; check and seal the outputs at its end.

    The job ends here, with one message, if another one is at the same outputs or if an input is missing or damaged. It fails at
    its end, likewise, if an output is not whole. If it was given no GPU, it sees none.
    """
    log_to(snakemake.log[0])
    logging.basicConfig(format="%(message)s")
    logging.getLogger("gbscape").setLevel(logging.INFO)
    if snakemake.resources.get("gpu") == 0:
        # Machines do not always hide the GPUs that a batch system gave to others.
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    outputs = list(snakemake.output)
    end_if_told(outputs)
    claim(outputs)
    check_inputs(snakemake.input)
    atexit.register(_end, outputs)


def check_inputs(paths: Iterable[str | Path]) -> None:
    """End this process with one message if a file is missing, damaged, or still being written."""
    paths = list(paths)
    for path in map(Path, paths):
        writer = alive_writer(record_path(path))
        if writer is not None:
            raise SystemExit(
                f"{path} is being written by {writer}, though it was said to have ended: wait until it has and run again, or put "
                "the run in order with 'python -m gbscape.recovery'"
            )
        if path.exists() and record_path(path).exists() and not seal_path(path).exists():
            raise SystemExit(
                f"{path} was not checked and sealed by the job that wrote it: put the run in order with 'python -m gbscape.recovery'"
            )
        if not path.exists():
            raise SystemExit(
                f"{path} is not there, though the job that writes it has ended: network file systems show files late. Run "
                "again, or raise latency-wait if it comes again"
            )
    try:
        require_sound(paths)
    except DamagedError as error:
        raise SystemExit(str(error)) from None


def seal_outputs(paths: Iterable[str | Path]) -> None:
    """Check that outputs are whole, and seal them.

    Raises:
        OutputError: one of them is not; none is sealed then.
    """
    paths = list(paths)
    require_whole(paths)
    for path in files_of(paths):
        write_seal(path)


def claim(outputs: Sequence[str | Path]) -> None:
    """Write down that this process writes these outputs; end it with one message if another one does."""
    record = record_path(outputs[0])
    record.parent.mkdir(parents=True, exist_ok=True)
    writer = alive_writer(record)
    if writer is not None:
        raise SystemExit(
            f"{outputs[0]} is being written by {writer}: this job ends, so that no two write the same file. Wait for the "
            "other one or end it: 'python -m gbscape.recovery' does that. If there is none any more (its machine went down), "
            f"delete {record}"
        )
    _write_claim(outputs, ended=False)
    atexit.register(_release, record, os.getpid())


def record_path(output: str | Path) -> Path:
    """Where a job writes down that it writes `output` (of several, the first)."""
    path = Path(output)
    return path.with_name(f".{path.name}.running")


def is_record(path: Path) -> bool:
    """Whether a path is one of `record_path`."""
    return path.name.startswith(".") and path.suffix == ".running"


def claimed_outputs(record: Path) -> list[str]:
    """Outputs that a job has written down as its own and not come to seal, or not to say that it has ended."""
    found = read_process(record)
    outputs = found[1].get("outputs") if found else None
    return [str(output) for output in outputs] if isinstance(outputs, list) else []


def end_if_told(outputs: Sequence[str | Path]) -> None:
    """At SIGTERM, which batch systems send at the time limit, say so and leave nothing half written."""

    pid = os.getpid()

    def told(number: int, frame: FrameType | None) -> NoReturn:
        atexit.unregister(_end)
        if os.getpid() != pid:  # a process that the job has forked
            raise SystemExit(128 + number)
        _say(
            f"{outputs[0]}: this job was told to end (time limit, preemption or cancelled). What is finished is kept: run "
            "again, with a longer `runtime` or more shards if it was the time limit"
        )
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, told)


def log_to(path: str | Path) -> None:
    """Redirect standard output and standard error of this process, down to the file descriptors, to `path`."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    _BEFORE.append(os.dup(2))
    sys.excepthook = _also_outside
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _write_claim(outputs: Sequence[str | Path], ended: bool) -> None:
    write_process(record_path(outputs[0]), this_process(), outputs=[str(output) for output in outputs], ended=ended)


def alive_writer(record: Path) -> Process | None:
    """The process that is at work by a record (`record_path`), if there is, or may be, one."""
    found = read_process(record)
    if found is None or found[1].get("ended") or is_alive(found[0]) is False:
        return None
    return found[0]


def _end(outputs: Sequence[str | Path]) -> None:
    """Seal what was written; make the job fail if that is not whole."""
    if hasattr(sys, "last_type"):
        return  # it has failed already, and Snakemake removes what is there
    try:
        seal_outputs(outputs)
    except BaseException as error:  # whatever it is: what cannot be looked at is not sealed
        said = isinstance(error, OutputError)
        _say(
            str(error)
            if said
            else f"{outputs[0]} could not be checked and sealed ({error}): run again, with space on the disk"
        )
        with suppress(OSError):  # an output that comes late, on a network file system, is known by this
            _write_claim(outputs, ended=True)
        os._exit(1)  # an exception would not change the exit status here


def _say(message: str) -> None:
    """Print to the log, and where that cannot be, on a full disk, to where messages went before."""
    try:
        print(message, file=sys.stderr, flush=True)
    except OSError:
        _say_outside(message)


def _say_outside(message: str) -> None:
    with suppress(OSError):
        os.write(_BEFORE[-1], f"{message}\n".encode())


def _also_outside(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The log may be on the disk that is full."""
    sys.__excepthook__(kind, error, trace)
    if isinstance(error, DiskFullError):
        _say_outside(str(error))


def _release(record: Path, pid: int) -> None:
    if os.getpid() == pid:  # not in a process that this one has forked
        record.unlink(missing_ok=True)
