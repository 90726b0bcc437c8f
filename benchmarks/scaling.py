"""Time and memory of SOAP against the number of atoms, and time against threads.

`python benchmarks/scaling.py [--quick]` describes bcc iron (n=10, l=6, 4 Angstrom, projected to 39 columns), each
measurement in a fresh process, and writes results/benchmarks/scaling.json, from which `scaling_figure.py` draws.
"""

import one_thread  # noqa: F401  # isort: skip
import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from measure import RESULTS, machine, peak_bytes_of, write_json
from soap_contests import CUDA_SINGLE, NATIVE, iron, projected

CELLS = [8, 17, 37, 80]
"""Edges of the supercells: 1024, 9826, 101 306 and 1 024 000 atoms."""
ROUNDS = 3
LEAST_SECONDS = 0.5
"""Small systems are repeated for so long."""


def measured_in_fresh_process(engine: str, cells: int, threads: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--one", engine, str(cells), str(threads)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measured(engine: str, cells: int, threads: int) -> dict[str, Any]:
    """Peak memory beyond the result and seconds of the first and the following calls."""
    atoms = iron(cells)
    build = projected(atoms, engine, threads)()
    peak = peak_bytes_of(build)
    work = build()
    seconds: list[float] = []
    while sum(seconds) < LEAST_SECONDS:
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return {
        "engine": engine,
        "atoms": len(atoms),
        "threads": threads,
        "seconds": min(seconds),
        "peak_bytes_beyond_result": peak,
    }


def thread_numbers(cores: int) -> list[int]:
    """1, 2, 4, ... up to the cores."""
    numbers = [2**i for i in range(cores.bit_length()) if 2**i <= cores]
    return numbers if numbers[-1] == cores else [*numbers, cores]


def rounds_of(jobs: list[tuple[str, int, int]], rounds: int) -> list[dict[str, Any]]:
    """The jobs in turn, round after round; the median time and the largest peak of each."""
    runs: list[list[dict[str, Any]]] = [[] for _ in jobs]
    for number in range(rounds):
        for job, done in zip(jobs, runs, strict=True):
            print(
                f"round {number + 1}: {job[0]}, {2 * job[1] ** 3} atoms, {job[2]} threads", file=sys.stderr, flush=True
            )
            done.append(measured_in_fresh_process(*job))
    return [
        done[0]
        | {
            "seconds": sorted(run["seconds"] for run in done)[len(done) // 2],
            "all_seconds": [run["seconds"] for run in done],
            "peak_bytes_beyond_result": max(run["peak_bytes_beyond_result"] for run in done),
        }
        for done in runs
    ]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="tiny sizes")
    parser.add_argument("--output", type=Path, default=RESULTS / "scaling.json", help="the JSON file to write")
    parser.add_argument(
        "--one", nargs=3, metavar=("ENGINE", "CELLS", "THREADS"), help="one measurement, in this process"
    )
    asked = parser.parse_args(arguments)
    if asked.one:
        engine, cells, threads = asked.one
        print(json.dumps(measured(engine, int(cells), int(threads))))
        return
    sizes = [2, 4] if asked.quick else CELLS
    rounds = 1 if asked.quick else ROUNDS
    about = machine()
    engines = [NATIVE, CUDA_SINGLE] if about["cuda"] else [NATIVE]
    cores = len(os.sched_getaffinity(0))
    by_atoms = rounds_of([(engine, cells, 1) for engine in engines for cells in sizes], rounds)
    by_threads = rounds_of([(NATIVE, sizes[-2], threads) for threads in thread_numbers(cores)], rounds)
    write_json(asked.output, {"machine": about, "by_atoms": by_atoms, "by_threads": by_threads})
    for run in [*by_atoms, *by_threads]:
        print(
            f"{run['engine']}: {run['atoms']} atoms, {run['threads']} threads: {run['seconds']:.3g} s, "
            f"{run['peak_bytes_beyond_result'] / 1e6:.0f} MB beyond the result"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
