"""Runs one cell: a run with a fault, the recovery, and what has to be true afterwards."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest

from gbscape.recovery.controller import RUN_VARIABLE, ControllerError, claim
from gbscape.store.processes import processes_with
from gbscape.store.seal import DamagedError, damage, require_sound, seal_path, sha256

from .cells import Cell
from .clean import CLASSES, RESULTS, command, environment

HOOK = Path(__file__).with_name("hook")
DISK_MIB = 64
LATE_SECONDS = float(os.environ.get("GBSCAPE_LATE_SECONDS", "60"))
REMEDY = "python -m gbscape.recovery"
LIMIT_SECONDS = 1800.0


@dataclass
class Found:
    """What a cell came to."""

    said: str = ""
    """By the run with the fault, its jobs and the recovery."""
    problems: list[str] = field(default_factory=list)
    """Why it failed; nothing if it passed."""
    seconds: float = 0.0
    message: str = ""
    """The line that names the file and the remedy."""


@contextmanager
def small_disk(folder: Path, mib: int) -> Iterator[None]:
    """A folder is a disk of its own. Only root can mount one: the test is skipped otherwise."""
    if os.geteuid() != 0:
        pytest.skip("a small disk is mounted by root only")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def prepared(cell: Cell, clean: Path, folder: Path) -> Iterator[Path]:
    """A copy of the clean run without the outputs of the rule, on a small disk where that is the fault."""
    folder.mkdir()
    with small_disk(folder, DISK_MIB) if cell.kind == "full disk" else nullcontext():
        shutil.copytree(clean, folder / "work", symlinks=True)
        for output in map((folder / "work").joinpath, CLASSES[cell.rule_class].outputs):
            output.unlink()
            seal_path(output).unlink()
        yield folder / "work"


def fault(cell: Cell, work: Path, notes: Path) -> dict[str, str]:
    """Environment that injects the fault."""
    its = CLASSES[cell.rule_class]
    notes.mkdir()
    told = {
        "kind": cell.kind,
        "moment": cell.moment,
        "target": str(work / its.target),
        "input": str(work / its.input),
        "results": str(work / RESULTS),
        "folder": str(notes),
        "filler": str(work.parent / "filler"),
        "late_seconds": LATE_SECONDS,
    }
    return {"GBSCAPE_FAULT": json.dumps(told)} | journalled(notes)


def journalled(notes: Path) -> dict[str, str]:
    """Environment that only writes down which jobs run."""
    return {"GBSCAPE_JOURNAL": str(notes / "journal.tsv"), "PYTHONPATH": str(HOOK)}


def run_cell(cell: Cell, project: Path, clean: Path, folder: Path, without: str = "") -> Found:
    """One cell of the kinds of this machine; `without` names guards that are taken out."""
    return run_with(cell, project, clean, folder, lambda at: _act(cell, at), {"GBSCAPE_WITHOUT": without})


@dataclass
class At:
    """Where a cell is when something is done to it from outside."""

    project: Path
    work: Path
    notes: Path
    run: "subprocess.Popen[bytes]"
    env: dict[str, str]
    """Of further commands: no fault in it."""
    found: Found


def run_with(
    cell: Cell,
    project: Path,
    clean: Path,
    folder: Path,
    act: Callable[[At], None],
    more: dict[str, str],
    profile: str = "default",
) -> Found:
    """One cell: start, `act`, wait for the end, recover, check.

    Args:
        cell: the cell.
        project: the cut project.
        clean: the clean run.
        folder: for this cell; notes lie beside it.
        act: what is done from outside while the run goes.
        more: environment of all commands.
        profile: of Snakemake, one of the cut project's.
    """
    start = time.monotonic()
    found = Found()
    notes = folder.with_name(folder.name + ".notes")
    with prepared(cell, clean, folder) as work:
        injecting = environment(**fault(cell, work, notes), **more)
        said = notes / "said.txt"
        with said.open("wb") as out:
            run = subprocess.Popen(
                command(project, cell.rule_class, profile),
                cwd=work, env=injecting, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
            at = At(project, work, notes, run, environment(**journalled(notes), **more), found)
            try:
                act(at)
                run.wait(LIMIT_SECONDS)
            finally:
                if run.poll() is None:
                    run.kill()
        found.said += said.read_text() + _logs(work)
        if not (notes / "happened").exists():
            found.problems.append("the fault did not happen")
        if cell.kind == "late file":
            _wait_for_late_files(notes)
        (work.parent / "filler").unlink(missing_ok=True)
        if cell.kind == "controller SIGKILL":
            _next_start_refuses(cell, at)
        if (cell.kind, cell.moment) == ("damaged file", "after"):
            _reader_refuses(cell, at)
        wrong = _not_as_in(clean, work, CLASSES[cell.rule_class].outputs)
        mended_itself = run.returncode == 0 and not wrong
        # What is damaged after it was written the next reader notices, and the recovery.
        if run.returncode == 0 and wrong and (cell.kind, cell.moment) != ("damaged file", "after"):
            found.problems.append(f"the run ended as if all were well: {wrong}")
        recovered = recover(at)
        (notes / "go").touch()
        found.said += recovered.stdout + _logs(work)
        if recovered.returncode != 0:
            found.problems.append(f"the recovery ended with {recovered.returncode}: {recovered.stdout[-1500:]}")
        check(cell, clean, work, notes, found, mended_itself)
    found.seconds = time.monotonic() - start
    return found


def recover(at: At) -> "subprocess.CompletedProcess[str]":
    """The one documented command."""
    env = at.env | {"PYTHONPATH": f"{at.project / 'src'}:{at.env['PYTHONPATH']}"}
    return subprocess.run(
        [sys.executable, "-m", "gbscape.recovery", "--run", RESULTS],
        cwd=at.work, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT_SECONDS, check=False,
    )  # fmt: skip


def _not_as_in(clean: Path, work: Path, outputs: Sequence[str]) -> list[str]:
    """What is wrong with the outputs."""
    wrong = []
    for output in outputs:
        if not (work / output).exists():
            wrong.append(f"{output} is not there")
        elif sha256(work / output) != sha256(clean / output):
            wrong.append(f"{output} differs from the clean run")
        elif not seal_path(work / output).exists() or damage(work / output):
            wrong.append(f"{output} is not sealed, or damaged: {damage(work / output)}")
    return wrong


def check(cell: Cell, clean: Path, work: Path, notes: Path, found: Found, mended_itself: bool) -> None:
    """What has to be true in the end; a run that has ended with the right results by itself need not say what to do."""
    its = CLASSES[cell.rule_class]
    found.problems += _not_as_in(clean, work, its.outputs)
    left = [
        path
        for path in (work / RESULTS).rglob(".*")
        if ".partial" in path.name or path.suffix == ".running" or path.name == ".controller"
    ]
    found.problems += [f"{path.relative_to(work)} was left behind" for path in left]
    if left_running := processes_with(RUN_VARIABLE, str(work / RESULTS)):
        found.problems.append(f"processes {left_running} still run")
    _check_journal(cell, notes, found)
    lines = [line.strip() for line in _messages(found.said)]
    # A disk that is full may be so for the job beside it.
    hit = [Path(output).name for output in (its.outputs if cell.kind == "full disk" else [its.target])]
    naming = [
        line for line in lines if any(name in line for name in hit) or (its.input in line and "delete it" in line)
    ]
    if not naming and not mended_itself:
        found.problems.append(f"no message names {' or '.join(hit)}")
    if (
        cell.kind != "second controller"
        and not mended_itself
        and not any(REMEDY in line or "run again" in line.lower() for line in lines)
    ):
        found.problems.append("no message says what to do")
    if cell.kind == "time limit" and not any("longer `runtime`" in line for line in lines):
        found.problems.append("no message says that it was the time limit")
    best = [line for line in naming if re.search(r"\b(again|deleted|damaged)\b", line)] or naming
    remedies = [line for line in lines if REMEDY in line]
    said = best[:1] if best and re.search(r"\bagain\b", best[0]) else [*best[:1], *remedies[:1]]
    if mended_itself and not remedies:
        did = [line for line in lines if line.startswith("cancelled Slurm job")]
        said = ["the run went on by itself", *(did[:1] or ["the recovery found nothing to be done"])]
    found.message = " … ".join(said).replace(f"{work}/", "")[:500]


def _messages(said: str) -> Iterator[str]:
    """Lines of what was said, without those by which Snakemake announces a job, which name files whatever happens."""
    announces = False
    for line in said.splitlines():
        if not line.startswith(" "):
            announces = line.startswith(("rule ", "localrule "))
        if not announces:
            yield line


def _check_journal(cell: Cell, notes: Path, found: Found) -> None:
    """Only what was hit is computed twice, and no two jobs are at one output."""
    its = CLASSES[cell.rule_class]
    lines = [line.split("\t") for line in (notes / "journal.tsv").read_text().splitlines()]
    ends = {output: [line for line in lines if line[:2] == ["end", output]] for _, output, *_ in lines}
    # What was at work beside the target when controller or node died, or the disk was full, is hit as well.
    hit_too = cell.kind in ("controller SIGKILL", "full disk", "node failure") or (cell.kind, cell.moment) == (
        "damaged file",
        "start",
    )
    for output in its.others:
        times = len(ends.get(output, []))
        if not 1 <= times <= 1 + hit_too:
            found.problems.append(f"{output}, which was not hit, was computed {times} times")
    allowed = {*its.outputs, its.input}
    if cell.kind == "damaged file" and cell.moment == "start":
        return
    found.problems += [f"{output} was computed though it was there" for output in ends.keys() - allowed]
    for output in its.outputs:
        spans = _spans(lines, output)
        if any(one.begin < other.begin < one.end for one in spans for other in spans):
            found.problems.append(f"two jobs were at {output} at the same time: {spans}")


class Span(NamedTuple):
    """Seconds from which and to which a job worked on an output."""

    begin: float
    end: float


def _spans(journal: Sequence[Sequence[str]], output: str) -> list[Span]:
    """Of the jobs that came to their ends."""
    times = {
        word: {line[2]: float(line[3]) for line in journal if line[:2] == [word, output]} for word in ("works", "end")
    }
    return [Span(times["works"][pid], end) for pid, end in times["end"].items() if pid in times["works"]]


def wait_for(condition: Path, run: subprocess.Popen[bytes] | None = None, seconds: float = 600.0) -> bool:
    """Wait until a file is there, or a process has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not condition.exists():
        if run is not None and run.poll() is not None:
            return condition.exists()
        time.sleep(0.1)
    return condition.exists()


def _act(cell: Cell, at: At) -> None:
    """Start the command and the recovery beside a run, both of which have to refuse."""
    if cell.kind != "second controller":
        return
    wait_for(at.notes / "reached", at.run)
    second = subprocess.run(
        command(at.project, cell.rule_class), cwd=at.work, env=at.env, capture_output=True, text=True, check=False
    )
    for what, its in (("Snakemake", second), ("recovery", recover(at))):
        said = its.stdout + (its.stderr or "")
        at.found.said += said
        if its.returncode == 0 or "Another Snakemake works on this run" not in said:
            at.found.problems.append(f"a second {what} was not refused: {said[-500:]}")
    (at.notes / "go").touch()


def _next_start_refuses(cell: Cell, at: At) -> None:
    """Started as if nothing had been, a run whose controller was killed says what to do."""
    if cell.moment == "mid":
        done = subprocess.run(
            command(at.project, cell.rule_class), cwd=at.work, env=at.env, capture_output=True, text=True, check=False
        )
        said = done.stdout + done.stderr
    else:  # the same without all of Snakemake
        try:
            claim(at.work / RESULTS)
            said = "nothing"
        except ControllerError as error:
            said = f"{error}\n"
    at.found.said += said
    if "was killed and may have left jobs" not in said:
        at.found.problems.append(f"the next start does not say that the last was killed: {said[-500:]}")


def _reader_refuses(cell: Cell, at: At) -> None:
    """A job that is to read the damaged file says so and ends."""
    target = CLASSES[cell.rule_class].target
    try:
        require_sound([at.work / target])
        at.found.problems.append(f"nobody notices that {target} is damaged")
    except DamagedError as error:
        at.found.said += f"{error}\n"


def _wait_for_late_files(notes: Path) -> None:
    end = time.monotonic() + LATE_SECONDS + 60
    while list(notes.glob("*.hidden")) and time.monotonic() < end:
        time.sleep(0.2)


def _logs(work: Path) -> str:
    """What jobs have said in their own logs."""
    return "".join(path.read_text(errors="replace") for path in sorted((work / RESULTS / "logs").rglob("*.log")))
