"""Put a run in order after whatever happened: nothing that is finished is touched, and nothing is left that is not."""

import os
import re
import shutil
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gbscape.recovery import slurm
from gbscape.recovery.controller import RUN_VARIABLE, last_command, release, run_id, take_over
from gbscape.recovery.snakemake_records import finished, unfinished, unlock
from gbscape.store.job import alive_writer, claimed_outputs, is_record
from gbscape.store.processes import is_alive, processes_with
from gbscape.store.progress import progress
from gbscape.store.seal import damage, seal_path

_HALF_WRITTEN = re.compile(r"^\..+\.partial(\.\w+)?$")
_PATIENCE_SECONDS = 10.0


@dataclass
class Recovery:
    """What was found and done."""

    cancelled: list[str] = field(default_factory=list)
    """Jobs of Slurm."""
    ended: list[int] = field(default_factory=list)
    """Processes of this machine."""
    interrupted: list[str] = field(default_factory=list)
    """Outputs that these processes were at."""
    deleted: dict[Path, str] = field(default_factory=dict)
    """Files, and why."""
    again: list[Path] = field(default_factory=list)
    """Outputs that are whole, but whose jobs Snakemake did not see end: it computes them again."""
    at_work: dict[Path, str] = field(default_factory=dict)
    """Records of jobs that cannot be ended from here, and of what process each is."""
    unlocked: bool = False

    def text(self) -> str:
        """A line for everything that was done."""
        lines = [f"cancelled Slurm job {job}, which had no controller any more" for job in self.cancelled]
        lines += [f"ended process {pid}, which had no controller any more" for pid in self.ended]
        lines += [
            f"interrupted {output}: that process was at it, and it is computed again" for output in self.interrupted
        ]
        lines += [f"deleted {path}: {why}" for path, why in self.deleted.items()]
        lines += [
            f"kept {path}: it is whole, but Snakemake has no record of it and computes it again" for path in self.again
        ]
        lines += [
            f"left {path}: {its} may still be at work. If it is gone, delete that file"
            for path, its in self.at_work.items()
        ]
        lines += ["removed Snakemake's locks"] if self.unlocked else []
        return "\n".join(lines or ["nothing to be done: the run is in order"])


def recover(results: str | Path, controller_is_dead: bool = False) -> Recovery:
    """End what a killed controller has left running, and delete what is damaged or half written.

    Files are read in full to compare them with their seals. A file without a seal is deleted only if Snakemake was waiting for
    it or a job was at it: other ones are taken as they are.

    Args:
        results: folder of the run, results/NAME.
        controller_is_dead: the user says so, of one on another machine; its jobs there count as dead, too.

    Raises:
        FileNotFoundError: there is no such folder.
        ControllerError: a controller works on it.
        SlurmError: Slurm does not answer, or a job does not end.
    """
    results = Path(results)
    if not results.is_dir():
        raise FileNotFoundError(f"{results}: no such folder")
    take_over(results, controller_is_dead)
    done = Recovery()
    started = last_command(results)
    try:
        done.cancelled = slurm.jobs_of(run_id(results))
        slurm.cancel(done.cancelled, run_id(results))
    except slurm.SlurmError:
        if started is not None and started.executor == "slurm":
            raise
    at_work = _outputs_at_work(results)  # jobs that are told to end take their records away
    done.ended = _end_processes(run_id(results))
    done.interrupted = sorted(output for output, pid in at_work.items() if pid in done.ended)
    _clean(results, started.folder.resolve() if started else results.resolve().parents[1], done, controller_is_dead)
    release(results)
    return done


def _outputs_at_work(results: Path) -> dict[str, int]:
    """Outputs that jobs are at, with the numbers of their processes on this machine."""
    writers = {
        path: writer for path in _files(results) if is_record(path) and (writer := alive_writer(path)) is not None
    }
    return {output: its.pid for path, its in writers.items() if is_alive(its) for output in claimed_outputs(path)}


def _end_processes(its_run: str) -> list[int]:
    """End the processes of a run on this machine, those that its jobs have started too; their numbers."""
    ended: set[int] = set()
    end = time.monotonic() + _PATIENCE_SECONDS
    while pids := processes_with(RUN_VARIABLE, its_run):
        late = time.monotonic() > end
        for pid in pids:
            if late or pid not in ended:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
        ended.update(pids)
        time.sleep(0.1)
    return sorted(ended)


def _clean(results: Path, folder: Path, done: Recovery, controller_is_dead: bool) -> None:
    """Delete what is damaged or half written; `folder` is where Snakemake keeps its records."""
    # As Snakemake names it: the folder may be a link to another disk.
    name = "/".join(Path(os.path.abspath(results)).parts[-2:])
    recorded = {results / path.relative_to(name) for path in finished(folder, name)}
    waited_for = {results / path.relative_to(name) for path in unfinished(folder, name)}
    claimed: set[Path] = set()
    files = list(_files(results))
    for path in progress(files, len(files), "files looked at"):
        if _HALF_WRITTEN.match(path.name):
            _delete(path, "half written", done)
        elif is_record(path):
            writer = alive_writer(path)
            if writer is not None and not (controller_is_dead and is_alive(writer) is None):
                done.at_work[path] = str(writer)
                continue
            claimed.update(
                results / Path(output).relative_to(name)
                for output in claimed_outputs(path)
                if output.startswith(f"{name}/")
            )
            path.unlink(missing_ok=True)
        elif path.name.startswith(".") and path.suffix == ".seal":
            _check(path, recorded, done)
    for path in sorted(waited_for | claimed):
        if path.exists() and not seal_path(path).exists():
            _delete(path, "its job was killed before the file was checked and sealed", done)
        elif path.exists() and path in waited_for:
            done.again.append(path)
    done.unlocked = unlock(folder, name)


def _check(seal: Path, recorded: set[Path], done: Recovery) -> None:
    """Delete the file of a seal if it is damaged, with the whole folder if that is the output of a job."""
    path = seal.with_name(seal.name.removeprefix(".").removesuffix(".seal"))
    if not path.exists():
        seal.unlink(missing_ok=True)
        return
    problem = damage(path)
    if problem is None:
        return
    folder = next((parent for parent in path.parents if parent in recorded), None)
    if folder is None:
        _delete(path, f"damaged: {problem}", done)
    else:
        _delete(folder, f"{path.name} in it is damaged: {problem}", done)


def _delete(path: Path, why: str, done: Recovery) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    seal_path(path).unlink(missing_ok=True)
    done.deleted[path] = why


def _files(folder: Path) -> Iterator[Path]:
    """Files of a folder, and folders that are half written, links not followed."""
    for where, folders, names in os.walk(folder):
        for name in _taken(folders):
            yield Path(where) / name
        for name in sorted(names):
            yield Path(where) / name


def _taken(folders: list[str]) -> Iterable[str]:
    """Take the half-written ones out of a list of folders."""
    half = sorted(name for name in folders if _HALF_WRITTEN.match(name))
    folders[:] = sorted(set(folders) - set(half))
    return half
