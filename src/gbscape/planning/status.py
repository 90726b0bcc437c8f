"""How far a run has come, from what it has written: nothing is locked, changed or started."""

import os
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from gbscape.planning.learn import read_benchmark
from gbscape.sweeps.modules import plain_rule

_STAMP = re.compile(r"^\[(\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4})\]$")
_START = re.compile(r"^(?:local)?(?:rule|checkpoint) (\w+):$")
_COUNT = re.compile(r"^(\w+) +(\d+)$")


@dataclass
class Session:
    """One start of Snakemake, as its log tells it."""

    log: Path
    planned: Counter[str] = field(default_factory=Counter)
    """Jobs by rule, of all points of a sweep."""
    running: dict[str, str] = field(default_factory=dict)
    """Rule by number of the job, of jobs that were started and did not end."""
    finished: Counter[str] = field(default_factory=Counter)
    failed: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Rule and log file by number of the job."""
    rule_of: dict[str, str] = field(default_factory=dict)
    """Rule by benchmark file, whose folder may have another name."""
    started: float | None = None
    """Seconds since the epoch; None in a log without a time."""
    last: float | None = None


@dataclass(frozen=True)
class RuleStatus:
    """How far a rule has come."""

    done: int
    running: int
    failed: int
    waiting: int
    spent_hours: float
    """Core-hours of the jobs that are done."""
    left_hours: float | None
    """Core-hours of the others, by those that are done or by the estimates; None: neither is known."""


@dataclass(frozen=True)
class Status:
    """How far a run has come."""

    rules: dict[str, RuleStatus]
    failed: list[tuple[str, str]]
    """Rule and log file of each job that failed."""
    log: Path | None
    """Log of the last Snakemake of this run."""
    is_running: bool
    silent_seconds: float | None
    """Since Snakemake last wrote to its log."""
    seconds_left: float | None
    """At the pace of the last Snakemake; None where it has no pace yet."""


def status(
    results: str | Path,
    estimated_seconds: Mapping[str, float] | None = None,
    now: float | None = None,
    cores: Mapping[str, int] | None = None,
) -> Status:
    """Status of a run, from its benchmark files and from Snakemake's own logs beside `results`.

    Jobs that are done are those with a benchmark file, which every rule writes; what else there is to do is what the last
    Snakemake that was started for this run planned and has not done. Without its log only what is done is known.

    Args:
        results: folder of the run, results/NAME, in the folder where Snakemake was started.
        estimated_seconds: core-seconds of a job by rule, for rules of which none is done.
        now: seconds since the epoch, of this call.
        cores: that a job takes by rule, where that is more than one.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    results = Path(results)
    if not results.is_dir():
        raise FileNotFoundError(f"{results}: no such folder")
    session = last_session(results)
    seconds, when = _done(results, session.rule_of if session else {}, cores or {})
    is_running = session is not None and _is_locked(session.log.parents[1], results.name)
    running = Counter(session.running.values()) if session and is_running else Counter[str]()
    failed = Counter(rule for rule, _ in session.failed.values()) if session else Counter[str]()
    planned = session.planned if session else Counter[str]()
    ended = session.finished if session else Counter[str]()
    rules = {}
    for rule in [*planned, *(rule for rule in seconds if rule not in planned)]:
        # Jobs that are not written to the log as finished but left their benchmark file are done.
        waiting = max(0, planned[rule] - ended[rule] - running[rule] - failed[rule])
        todo = waiting + running[rule] + failed[rule]
        each = _mean(seconds[rule]) if seconds.get(rule) else (estimated_seconds or {}).get(rule)
        left = todo * each / 3600 if each is not None else None if todo else 0.0
        done = max(len(seconds.get(rule, ())), ended[rule])
        rules[rule] = RuleStatus(done, running[rule], failed[rule], waiting, sum(seconds.get(rule, ())) / 3600, left)
    now = time.time() if now is None else now
    return Status(
        rules=rules,
        failed=sorted(session.failed.values()) if session else [],
        log=session.log if session else None,
        is_running=is_running,
        silent_seconds=now - session.last if session and session.last is not None else None,
        seconds_left=_seconds_left(session, is_running, rules, when, now),
    )


def last_session(results: str | Path) -> Session | None:
    """The last Snakemake that planned jobs of a run; None if there is no log of one. Dry runs write none."""
    results = Path(results)
    name = re.escape(f"results/{results.name}/")
    for log in sorted((results.parents[1] / ".snakemake" / "log").glob("*.snakemake.log"), reverse=True):
        text = log.read_text(encoding="utf-8", errors="replace")
        if re.search(rf"^ +(?:output|log|input): .*{name}", text, flags=re.MULTILINE):
            return read_log(log, text.splitlines())
    return None


def read_log(log: Path, lines: Iterable[str]) -> Session:
    """What the lines of a log of Snakemake tell of its jobs."""
    session = Session(log)
    in_table, block, number = False, "", ""
    for line in lines:
        stamp, start, count = _STAMP.match(line), _START.match(line), _COUNT.match(line)
        if stamp:
            session.last = datetime.strptime(stamp[1], "%a %b %d %H:%M:%S %Y").timestamp()
            session.started = session.started or session.last
        elif line == "Job stats:":
            in_table = not session.planned  # it comes again at the end of what failed
        elif in_table and not line.strip():
            in_table = False
        elif in_table and count and count[1] != "total":
            session.planned[plain_rule(count[1])] += int(count[2])
        elif start:
            block, number = plain_rule(start[1]), ""
        elif line.startswith("Error in rule "):
            failed = plain_rule(line.removeprefix("Error in rule ").rstrip(":").split(",")[0])
            block, number = f"failed {failed}", ""
        elif line.startswith("    jobid: "):
            number = line.removeprefix("    jobid: ").strip()
            if block.startswith("failed "):
                rule = session.running.pop(number, block.removeprefix("failed "))
                session.failed[number] = (rule, "")
            elif block:
                session.failed.pop(number, None)  # tried once more
                session.running[number] = block
        elif line.startswith("    benchmark: ") and not block.startswith("failed "):
            session.rule_of[line.removeprefix("    benchmark: ").strip()] = block
        elif line.startswith("    log: ") and block.startswith("failed ") and number in session.failed:
            session.failed[number] = (session.failed[number][0], line.removeprefix("    log: ").split(" (check")[0])
        elif finished := re.match(r"^Finished jobid: (\d+)", line):
            if finished[1] in session.running:
                session.finished[session.running.pop(finished[1])] += 1
        elif line and not line.startswith(" "):
            block = ""
    return session


def text(found: Status) -> str:
    """The status as a table, with what failed and when the run will end."""
    head = ("rule", "done", "running", "failed", "waiting", "core-h", "core-h left")
    rows = [
        (
            rule,
            *(str(n) for n in (its.done, its.running, its.failed, its.waiting)),
            _hours(its.spent_hours),
            _hours(its.left_hours),
        )
        for rule, its in found.rules.items()
    ]
    known = [its for its in found.rules.values() if its.left_hours is not None]
    counts = [
        sum(getattr(its, name) for its in found.rules.values()) for name in ("done", "running", "failed", "waiting")
    ]
    spent = sum(its.spent_hours for its in found.rules.values())
    left = sum(its.left_hours or 0.0 for its in known)
    rows.append(("total", *map(str, counts), _hours(spent), _hours(left)))
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [
        "  ".join(
            [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        )
        for first, *others in (head, *rows)
    ]
    unknown = len(found.rules) - len(known)
    if unknown:
        lines.append(f"(of {unknown} rules no job is done, and their time is not estimated)")
    if found.log is None:
        lines.append("No log of Snakemake is there: what waits is not known.")
    elif found.is_running:
        when = "not known yet" if found.seconds_left is None else _duration(found.seconds_left)
        lines += [
            f"Running, by {found.log}, which was written to {_duration(found.silent_seconds or 0.0)} ago (if Snakemake was killed:",
            f"make recover NAME=...). Time to finish at the present pace: {when}.",
        ]
    elif counts[2] or counts[3]:
        lines.append(f"Not running; the last was {found.log}. The same command goes on.")
    else:
        lines.append("Finished.")
    lines += [f"Failed: {rule}, see {log or 'the log of Snakemake'}" for rule, log in found.failed]
    return "\n".join(lines)


def _done(
    results: Path, rule_of: Mapping[str, str], cores: Mapping[str, int]
) -> tuple[dict[str, list[float]], list[tuple[float, float]]]:
    """Core-seconds of the jobs that are done, by rule; and of each when it ended, with its core-seconds."""
    seconds: dict[str, list[float]] = defaultdict(list)
    when = []
    # Those of a run, or of a sweep and its points.
    for benchmarks in (results / "benchmarks", *sorted(results.glob("*=*/benchmarks"))):
        for folder, _, names in os.walk(benchmarks):
            for name in names:
                path = Path(folder) / name
                if path.suffix != ".tsv":
                    continue
                usual = path.relative_to(benchmarks).parts[0].removesuffix(".tsv")
                rule = rule_of.get(f"results/{results.name}/{path.relative_to(results)}", usual)
                try:
                    took, _ = read_benchmark(path, cores=cores.get(rule, 1))
                except ValueError:
                    continue  # it is being written
                seconds[rule].append(took)
                when.append((path.stat().st_mtime, took))
    return seconds, when


def _seconds_left(
    session: Session | None,
    is_running: bool,
    rules: Mapping[str, RuleStatus],
    when: Iterable[tuple[float, float]],
    now: float,
) -> float | None:
    if session is None or session.started is None or not is_running:
        return None
    left = 3600 * sum(its.left_hours or 0.0 for its in rules.values())
    # Jobs that run now have worked for half of their time, on average.
    running = 3600 * sum(
        (its.left_hours or 0.0) * its.running / n
        for its in rules.values()
        if (n := its.running + its.failed + its.waiting)
    )
    spent = sum(took for ended, took in when if ended >= session.started)
    elapsed = now - session.started
    if spent <= 0 or elapsed <= 0:
        return None
    return max(0.0, left - running / 2) * elapsed / (spent + running / 2)


def _is_locked(snakemake_folder: Path, name: str) -> bool:
    """Whether a Snakemake holds outputs of a run, or was killed while it did."""
    locks = sorted((snakemake_folder / "locks").glob("*.output.lock"))
    return any(f"results/{name}/" in lock.read_text(encoding="utf-8", errors="replace") for lock in locks)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _hours(hours: float | None) -> str:
    return "?" if hours is None else f"{hours:.1f}" if hours >= 10 else f"{hours:.3f}"


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
