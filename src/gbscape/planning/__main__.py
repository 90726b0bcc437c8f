"""`python -m gbscape.planning estimate CONFIG... | learn results/NAME | status results/NAME`."""

import argparse
import sys
from collections import Counter, defaultdict
from pathlib import Path

from gbscape.config.files import read_raw
from gbscape.config.model import load
from gbscape.planning import status as progress
from gbscape.planning.estimate import advice, estimates_of, table
from gbscape.planning.rates import read_rates, write_rates
from gbscape.sweeps.axes import is_sweep

_PROJECT = Path(__file__).resolve().parents[3]


def main(arguments: list[str] | None = None) -> int:
    """Run one of the commands; what is wrong is one line on standard error, and 1 is returned."""
    parser = argparse.ArgumentParser(prog="python -m gbscape.planning", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    estimating = commands.add_parser("estimate", help="what a run will cost, step by step")
    estimating.add_argument(
        "config", nargs="+", help="configuration files, each laid over those before, as for snakemake"
    )
    learning = commands.add_parser("learn", help="a table of costs from the benchmark files of a run")
    learning.add_argument("results", help="folder of the run, results/NAME")
    learning.add_argument("--out", help="file of the table; without it the table is printed")
    learning.add_argument(
        "--processor-time",
        action="store_true",
        help="for a run beside other work: time of processors, not of the clock",
    )
    telling = commands.add_parser("status", help="how far a run has come")
    telling.add_argument("results", help="folder of the run, results/NAME")
    given = parser.parse_args(arguments)
    try:
        {"estimate": _estimate, "learn": _learn, "status": _status}[given.command](given)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _estimate(given: argparse.Namespace) -> None:
    estimates = estimates_of(read_raw(given.config, _PROJECT), _PROJECT)
    print("\n".join([table(estimates), *advice(estimates)]))


def _learn(given: argparse.Namespace) -> None:
    from gbscape.planning.learn import learn  # it reads HDF5, which the others need not

    raw = read_raw([Path(given.results) / "config.yaml"], _PROJECT)
    if is_sweep(raw):
        raise ValueError(
            f"{given.results} is that of a sweep: name a folder of a point in it, whose own jobs are learned from"
        )
    config = load(raw, project=_PROJECT)
    learned = learn(given.results, config, read_rates(config.costs), _PROJECT, given.processor_time)
    write_rates(given.out or "/dev/stdout", learned)


def _status(given: argparse.Namespace) -> None:
    seconds, cores = _estimated_jobs(Path(given.results))
    print(progress.text(progress.status(given.results, seconds, cores=cores)))


def _estimated_jobs(results: Path) -> tuple[dict[str, float], dict[str, int]]:
    """Estimated core-seconds and cores of a job, by rule; nothing where the run has not written its configuration yet."""
    try:
        hours: defaultdict[str, float] = defaultdict(float)
        jobs: Counter[str] = Counter()
        cores: dict[str, int] = {}
        for estimated in estimates_of(read_raw([results / "config.yaml"], _PROJECT), _PROJECT):
            rule = estimated.step.split("/")[0]
            hours[rule] += estimated.core_hours
            jobs[rule] += estimated.jobs
            cores[rule] = estimated.cores
    except (OSError, ValueError):
        return {}, {}
    return {rule: 3600 * its / jobs[rule] for rule, its in hours.items()}, cores


if __name__ == "__main__":
    sys.exit(main())
