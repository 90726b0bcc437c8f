"""How long Snakemake plans: `python benchmarks/planning.py [config.yaml] [repeats]`, in the project folder."""

import re
import statistics
import subprocess
import sys
import time


def plan(config: str) -> tuple[float, int]:
    """Seconds of a dry run of everything, and the number of jobs that it plans."""
    command = [sys.executable, "-m", "snakemake", "--configfile", config, "--dry-run", "--forceall", "--quiet", "rules"]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - start
    total = re.search(r"^total +(\d+)$", done.stdout + done.stderr, flags=re.MULTILINE)
    assert total is not None, done.stdout
    return seconds, int(total[1])


if __name__ == "__main__":
    config = sys.argv[1] if len(sys.argv) > 1 else "config/config.yaml"
    runs = [plan(config) for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 5)]
    seconds = [run[0] for run in runs]
    print(f"{config}: {runs[0][1]} jobs planned in {statistics.median(seconds):.2f} s (median of {len(runs)}, ", end="")
    print(f"{min(seconds):.2f} to {max(seconds):.2f} s)")
