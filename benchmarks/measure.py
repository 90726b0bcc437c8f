"""How contests are measured: interleaved rounds on one core with one thread, and peak memory in processes of their own."""

import ctypes
import gc
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

Work = Callable[[], Any]
"""Does what is timed and returns the result that is compared."""
Build = Callable[[], Work]
"""Makes what is kept between calls (descriptor objects, filters)."""

RESULTS = Path(__file__).resolve().parents[1] / "results" / "benchmarks"


class Unavailable(Exception):
    """A device that is not there; the message says which."""


@dataclass(frozen=True)
class Contestant:
    """A code that does the work of a contest."""

    name: str
    """As the table has it."""
    load: Callable[[], Build]
    """Imports and warms the code up on something small; raises `Unavailable` where there is no device for it."""
    share: float = 1.0
    """Part of the work that it does; its time is divided by this."""


@dataclass(frozen=True)
class Goal:
    """How many times faster, or how much smaller in memory, ours is to be."""

    speed: float | None = None
    """Least ratio of the peer's time to ours."""
    memory: float | None = None
    """Largest ratio of our peak memory to the peer's."""
    difference: float | None = None
    """Largest difference of the results."""
    bytes_per_unit: float | None = None
    """Largest peak memory beyond the result, for each atom or box."""


@dataclass(frozen=True)
class Contest:
    """Several codes doing the same work."""

    key: str
    setting: str
    """As the table has it."""
    ours: Sequence[Contestant]
    peers: Sequence[Contestant]
    units: int = 0
    """Atoms or boxes in the work, for the rate; 0: no rate."""
    unit: str = ""
    difference: dict[str, Callable[[Any, Any], float]] = field(default_factory=dict)
    """How the results of ours and of a peer are compared, by peer; a peer without one has another basis."""
    goals: dict[tuple[str, str], Goal] = field(default_factory=dict)
    """By our contestant and peer ("" for a goal without one)."""
    build_goal: Goal | None = None
    """Also compare the times to build."""
    budget_s: float = 20.0
    """Rounds go on until they have taken this long."""


@dataclass
class Timing:
    """Times of one contestant, in seconds for the whole work."""

    seconds: list[float] = field(default_factory=list)
    build_seconds: float = 0.0
    missing: str | None = None
    """Why there are no times."""
    peak_bytes: int | None = None
    """Peak memory of building and working once, beyond what was there after loading and beyond the result."""

    @property
    def median(self) -> float:
        ordered = sorted(self.seconds)
        middle = len(ordered) // 2
        return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def pin() -> int:
    """Keep this process and its children on one core (the last that is allowed); returns its number."""
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


def run(contest: Contest, rounds: int, quick: bool, with_memory: bool) -> tuple[dict[str, Timing], dict[str, Any]]:
    """Time the contestants in turn, round after round.

    Args:
        contest: what is measured.
        rounds: at most so many rounds; fewer where the contest's budget is used up, at least one.
        quick: the contest is a tiny one; the fresh processes that measure memory then make the same.
        with_memory: measure peak memory too.

    Returns:
        timings and results by name of contestant.
    """
    timings = {c.name: Timing() for c in [*contest.ours, *contest.peers]}
    works: dict[str, tuple[Work, float]] = {}
    first_seconds: dict[str, float] = {}
    results: dict[str, Any] = {}
    for contestant in [*contest.ours, *contest.peers]:
        timing = timings[contestant.name]
        # Peers may be missing or fail, which is a line of the table; an error of our own is not caught.
        is_peer = contestant in contest.peers
        try:
            build = contestant.load()
            start = time.perf_counter()
            work = build()
            timing.build_seconds = time.perf_counter() - start
            start = time.perf_counter()
            results[contestant.name] = work()
            first = time.perf_counter() - start
        except Unavailable as error:
            timing.missing = str(error)
            continue
        except ModuleNotFoundError as error:
            if not is_peer:
                raise
            timing.missing = f"{(error.name or '?').split('.')[0]} is not installed"
            continue
        except Exception as error:
            if not is_peer:
                raise
            timing.missing = f"fails: {' '.join(str(error).split())[:100] or type(error).__name__}"
            continue
        works[contestant.name] = (work, contestant.share)
        first_seconds[contestant.name] = first
        if first > contest.budget_s / 4:  # too long to be done twice only to warm up
            timing.seconds.append(first / contestant.share)
    # Fast codes are repeated in each round: their times scatter more, and cost less.
    enough = max(0.05, 0.25 * max(first_seconds.values()))
    start = time.perf_counter()
    for number in range(rounds):
        for name, (work, share) in works.items():
            if number == 0 and timings[name].seconds:
                continue
            for _ in range(min(20, max(1, int(enough / first_seconds[name])))):
                before = time.perf_counter()
                work()
                timings[name].seconds.append((time.perf_counter() - before) / share)
        if time.perf_counter() - start > contest.budget_s:
            break
    works.clear()
    for name, timing in timings.items() if with_memory else []:
        if timing.missing is None:
            timing.peak_bytes = _peak_in_fresh_process(contest.key, name, quick)
    return timings, results


def _peak_in_fresh_process(contest: str, contestant: str, quick: bool) -> int | None:
    command = [sys.executable, str(Path(__file__).with_name("peak_memory.py")), contest, contestant]
    done = subprocess.run(command + ["--quick"] * quick, capture_output=True, text=True)
    if done.returncode:
        print(f"no memory of {contestant}, {contest}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return int(done.stdout.split()[-1])


def peak_bytes_of(build: Build) -> int:
    """Peak memory of building and of working once, beyond what this process has now and beyond the result's size."""
    _reset_peak()
    before = _status_bytes("VmRSS")
    result = build()()
    return max(0, _status_bytes("VmHWM") - before - size_bytes(result))


def size_bytes(result: Any) -> int:
    """Size of the arrays of a result."""
    if isinstance(result, (list, tuple)):
        return sum(map(size_bytes, result))
    return int(getattr(result, "nbytes", 0))


def _reset_peak() -> None:
    # What was freed goes back to the system, so that it does not serve the work unseen.
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    # Linux: the high-water mark starts again from the present size. (ru_maxrss would be that of the parent process.)
    Path("/proc/self/clear_refs").write_text("5")


def _status_bytes(name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return 1024 * int(found[1])


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    from gbscape.native import LEVELS, load

    cpu = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cpu": cpu[1] if cpu else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernels": LEVELS[load("gbscape.native.cpu").gbscape_simd_level()],
        "cuda": _cuda_device(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in DISTRIBUTIONS},
    }


DISTRIBUTIONS = [
    "gbscape", "numpy", "scipy", "torch", "ase", "quippy-ase", "kymatio", "dscribe", "featomic",
]  # fmt: skip


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cuda_device() -> str | None:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def write_json(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, default=_plain) + "\n")


def _plain(value: Any) -> Any:
    return asdict(value) if isinstance(value, Timing) else float(value)
