"""All descriptors against their peers: `make bench`, or `python benchmarks/descriptors.py [--quick] [CONTEST ...]`.

Prints one table and writes it with every time and the machine to results/benchmarks/descriptors.json.
"""

import one_thread  # noqa: F401  # isort: skip
import argparse
import sys
import time
from pathlib import Path
from typing import Any

from contests import CONTESTS, all_contests
from measure import RESULTS, Contest, Goal, Timing, machine, pin, run, write_json
from table import COLUMNS, rate, report

ROUNDS = 9
OTHER_BASIS = "other basis"


def rows_of(contest: Contest, timings: dict[str, Timing], results: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for our first engine beside each peer, one for each other engine beside the first peer, and one for what is
    built before where that is compared."""
    rows = []
    for number, ours in enumerate(contest.ours):
        own = timings[ours.name]
        pairs = contest.peers if number == 0 else contest.peers[:1]
        for peer in pairs if own.missing is None else []:
            other = timings[peer.name]
            difference: float | str | None = None
            if other.missing is None:
                compare = contest.difference.get(peer.name)
                if compare:
                    difference = compare(results[ours.name], results[peer.name])
                elif results[peer.name] is not None:
                    difference = OTHER_BASIS
            goal = contest.goals.get((ours.name, peer.name))
            rows.append(
                _row(contest, ours.name, own, goal)
                | {
                    "peer": peer.name,
                    "peer's": other.missing or other.median,
                    "ratio": None if other.missing else other.median / own.median,
                    "of minima": None if other.missing else min(other.seconds) / min(own.seconds),
                    "max difference": difference,
                    "memory, peer": other.peak_bytes,
                    "met": verdict(goal, contest.units, own, other, difference),
                }
            )
            if contest.build_goal and number == 0 and other.missing is None:
                built = own.build_seconds, other.build_seconds
                ratio = built[1] / built[0]
                rows.append(
                    dict.fromkeys(COLUMNS)
                    | {
                        "contest": contest.key, "engine": ours.name, "setting": f"its filters, {contest.setting}",
                        "ours": built[0], "peer": peer.name, "peer's": built[1], "ratio": ratio,
                        "goal": described(contest.build_goal), "met": speed_verdict(contest.build_goal, ratio),
                    }
                )  # fmt: skip
        if own.missing is None and not pairs:
            goal = contest.goals.get((ours.name, ""))
            rows.append(_row(contest, ours.name, own, goal) | {"met": verdict(goal, contest.units, own, None, None)})
    return rows


def _row(contest: Contest, engine: str, own: Timing, goal: Goal | None) -> dict[str, Any]:
    return dict.fromkeys(COLUMNS) | {
        "contest": contest.key,
        "engine": engine,
        "setting": contest.setting,
        "ours": own.median,
        "rate": rate(contest.units, contest.unit, own.median) if contest.units else None,
        "memory, ours": own.peak_bytes,
        "goal": described(goal),
    }


def described(goal: Goal | None) -> str | None:
    if goal is None:
        return None
    parts = []
    if goal.speed is not None:
        parts.append(f">= {goal.speed:g}x")
    if goal.difference is not None:
        parts.append(f"to {goal.difference:g}")
    if goal.memory is not None:
        parts.append(f"<= {goal.memory:.0%} of memory")
    if goal.bytes_per_unit is not None:
        parts.append(f"<= {goal.bytes_per_unit:g} B/atom")
    return ", ".join(parts)


def verdict(
    goal: Goal | None, units: int, own: Timing, other: Timing | None, difference: float | str | None
) -> str | None:
    """`yes`, or what is missed and by how much; None without a goal or without the peer that it is about."""
    if goal is None or (other is not None and other.missing is not None):
        return None
    missed = []
    if goal.speed is not None and other is not None and other.median / own.median < goal.speed:
        missed.append(f"{other.median / own.median / goal.speed:.0%} of the speed")
    if goal.difference is not None and isinstance(difference, float) and not difference <= goal.difference:
        missed.append(f"difference {difference:.1g}")
    of_memory = [timing.peak_bytes for timing in (own, other) if timing is not None]
    if (goal.memory is not None or goal.bytes_per_unit is not None) and None in of_memory:
        missed.append("memory not measured")
    elif goal.memory is not None and other is not None and own.peak_bytes > goal.memory * other.peak_bytes:
        missed.append(f"{own.peak_bytes / max(other.peak_bytes, 1):.0%} of memory")
    elif goal.bytes_per_unit is not None and own.peak_bytes > goal.bytes_per_unit * units:
        missed.append(f"{own.peak_bytes / units:.0f} B/atom")
    return "no: " + ", ".join(missed) if missed else "yes"


def speed_verdict(goal: Goal, ratio: float) -> str:
    return "yes" if goal.speed is None or ratio >= goal.speed else f"no: {ratio / goal.speed:.0%} of the speed"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("contests", nargs="*", metavar="CONTEST", help=f"all of {', '.join(CONTESTS)} by default")
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes: shows that everything runs, times mean nothing"
    )
    parser.add_argument("--no-memory", action="store_true", help="times only")
    parser.add_argument("--output", type=Path, default=RESULTS / "descriptors.json", help="the JSON file to write")
    asked = parser.parse_args(arguments)
    unknown = sorted(set(asked.contests) - set(CONTESTS))
    if unknown:
        parser.error(f"no contest {', '.join(unknown)}; there are {', '.join(CONTESTS)}")
    core = pin()
    start = time.perf_counter()
    rows: list[dict[str, Any]] = []
    times: dict[str, Any] = {}
    missing: dict[str, None] = {}
    for contest in all_contests(asked.quick, asked.contests):
        print(f"{time.perf_counter() - start:5.0f} s  {contest.key}: {contest.setting}", file=sys.stderr, flush=True)
        timings, results = run(contest, 1 if asked.quick else ROUNDS, asked.quick, not asked.no_memory)
        rows += rows_of(contest, timings, results)
        times[contest.key] = timings
        missing |= {timings[ours.name].missing: None for ours in contest.ours if timings[ours.name].missing}
    rows += [dict.fromkeys(COLUMNS) | {"engine": "CUDA", "setting": "any", "ours": why} for why in missing]
    record = {"machine": machine() | {"core": core, "quick": asked.quick}, "rows": rows, "timings": times}
    write_json(asked.output, record)
    print(report(record))


if __name__ == "__main__":
    main(sys.argv[1:])
