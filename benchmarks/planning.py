"""How long Snakemake plans, and with how much memory: `python benchmarks/planning.py [CONFIG ...] [--repeats N]`, in the project
folder.

Without configurations those of docs/scaling.md, as its table. Times are by the clock, and of the processor (user + system).
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import yaml

from gbscape.store.progress import progress

BOUNDARIES = {"enumeration": {"max_length": 75, "count": 100_000}, "shards": "auto"}
LARGE = {
    "10⁵ boundaries": {"survey": BOUNDARIES, "features": {"shards": "auto"}},
    "10⁵ boundaries, no local search": {"survey": BOUNDARIES | {"local_search": None}, "features": {"shards": "auto"}},
    **{
        f"10{exponent} atoms": {"parts": ["replica"], "replica": {"model": {"n_atoms": n, "ranks": n // 125_000}}}
        for exponent, n in (("⁶", 10**6), ("⁷", 10**7), ("⁸", 10**8), ("⁹", 10**9))
    },
    "10⁶ boxes": {
        "parts": ["crystal"],
        "crystal": {
            "maps": {
                "sample": {
                    "structure": {"kind": "polycrystal", "edge_angstrom": 300, "grains": 100},
                    "stride_angstrom": 3.2,
                    "shards": "auto",
                }
            }
        },
    },
    "3 690 cells by DFT": {"parts": ["replica"], "replica": {"backend": "gpaw"}},
}


class Planned(NamedTuple):
    """One dry run."""

    jobs: int
    seconds: float
    processor_seconds: float
    memory_mib: float


def plan(config: str | Path) -> Planned:
    """A dry run of everything. Its memory is at least what the process that asks holds, which the system counts, too."""
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--configfile",
        str(config),
        "--dry-run",
        "--forceall",
        "--quiet",
        "rules",
    ]
    with tempfile.TemporaryFile("w+") as said:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        said.seek(0)
        text = said.read()
    total = re.search(r"^total +(\d+)$", text, flags=re.MULTILINE)
    if status or total is None:
        raise SystemExit(text)
    return Planned(int(total[1]), seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def row(name: str, runs: list[Planned]) -> str:
    """A line of the table, medians and the range of the time by the clock."""
    seconds = [run.seconds for run in runs]
    cells = [
        name,
        f"{runs[0].jobs}",
        f"{statistics.median(seconds):.0f} ({min(seconds):.0f} to {max(seconds):.0f})",
        f"{statistics.median(run.processor_seconds for run in runs):.0f}",
        f"{max(run.memory_mib for run in runs):.0f}",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="*", metavar="CONFIG")
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    print("| run | jobs | seconds | of the processor | MiB |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        asked = {config: Path(config) for config in given.configs}
        for number, (name, config) in enumerate(({} if asked else LARGE).items()):
            asked[name] = Path(folder) / f"{number}.yaml"
            asked[name].write_text(yaml.safe_dump({"name": f"planned_{number}"} | config))
        for name, path in progress(asked.items(), len(asked), "configurations"):
            print(row(name, [plan(path) for _ in range(given.repeats)]), flush=True)
