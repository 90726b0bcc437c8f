"""Random kills of a workflow of a thousand shards: `python -m tests.faults.random_kills FIRST_SEED END OUT.csv`.

Each seed: the workflow is started in an empty folder; at a random time its controller or one of its jobs is killed; the recovery
command is run. The results have to be those of a run that nobody touched, each shard computed once, or twice if it was at work at
the time of the kill. A seed that is in the table already is not run again.
"""

import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from gbscape.recovery.controller import RUN_VARIABLE
from gbscape.store.processes import processes_with
from gbscape.store.seal import sha256

from .clean import PROJECT

DUMMY = Path(__file__).with_name("dummy")
RESULTS = "results/dummy"
MOST_AT_WORK = 16
"""Jobs at once: so many may have to be computed again after the kill of a controller."""


@dataclass(frozen=True)
class Kill:
    """What came of one seed."""

    seed: int
    victim: str
    at_shards: int
    """Shards that were finished when the kill came."""
    again: int
    """Shards that were computed after it though they had been there before."""
    seconds: float
    outcome: str


def command(shards: int) -> list[str]:
    """Command line of the workflow."""
    return [
        str(Path(sys.executable).parent / "snakemake"), "--snakefile", str(DUMMY / "Snakefile"), "--config", f"shards={shards}",
        "--cores", str(MOST_AT_WORK), "--scheduler", "greedy", "--max-jobs-per-timespan", "1000/1s", "--rerun-incomplete",
        "--quiet", "all",
    ]  # fmt: skip


def environment() -> dict[str, str]:
    """Of the workflow and the recovery."""
    return os.environ | {"PYTHONPATH": str(PROJECT / "src")}


def results(folder: Path) -> dict[str, str]:
    """Checksums of all results by name."""
    files = [*(folder / RESULTS / "shards").glob("*.csv"), *(folder / RESULTS).glob("*.csv")]
    return {path.name: sha256(path) for path in files}


def clean_results(shards: int) -> dict[str, str]:
    """Those of a run that nobody touches."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(command(shards), cwd=folder, env=environment(), check=True, capture_output=True)
        return results(Path(folder))


def one_kill(seed: int, shards: int, expected: dict[str, str], folder: Path) -> Kill:
    """Start, kill, recover, compare."""
    start = time.monotonic()
    chance = random.Random(seed)
    victim = chance.choice(["controller", "job"])
    # Not by the clock: machines differ, and the kill is to come anywhere in the run.
    at, more = chance.randrange(shards), chance.random() * 0.05
    made = folder / RESULTS / "shards"
    with (folder / "said.txt").open("wb") as out:
        run = subprocess.Popen(command(shards), cwd=folder, env=environment(), stdout=out, stderr=out)
        while run.poll() is None and (not made.exists() or _finished(made) < at):
            time.sleep(0.02)
        time.sleep(more)
        before = {path.name: path.stat().st_ino for path in made.glob("[0-9]*.csv")}
        killed = run.poll() is None and (_kill(run.pid) if victim == "controller" else _kill_a_job(folder, chance))
        run.wait()
        recovery = [sys.executable, "-m", "gbscape.recovery", "--run", RESULTS]
        recovered = subprocess.run(recovery, cwd=folder, env=environment(), stdout=out, stderr=out, check=False)
    after = {path.name: path.stat().st_ino for path in made.glob("[0-9]*.csv")}
    again = sum(after.get(name) != inode for name, inode in before.items())
    problems = []
    if not killed:
        problems.append("nothing was killed")
    if recovered.returncode != 0:
        problems.append(f"the recovery ended with {recovered.returncode}")
    if results(folder) != expected:
        problems.append("the results are not those of the clean run")
    if again > MOST_AT_WORK:
        problems.append("more shards were computed again than were at work")
    if processes_with(RUN_VARIABLE, str((folder / RESULTS).resolve())):
        problems.append("processes are left")
    if left := [its.name for its in (folder / RESULTS).rglob(".*") if its.suffix in (".running", ".partial")]:
        problems.append(f"left behind: {left[:3]}")
    return Kill(seed, victim, len(before), again, round(time.monotonic() - start, 1), "; ".join(problems) or "correct")


def _finished(made: Path) -> int:
    return sum(entry.name[0] != "." for entry in os.scandir(made))


def _kill(pid: int) -> bool:
    os.kill(pid, signal.SIGKILL)
    return True


def _kill_a_job(folder: Path, chance: random.Random) -> bool:
    """Kill one of the jobs that run; wait for one where there is none."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        for pid in chance.sample(its := processes_with(RUN_VARIABLE, str((folder / RESULTS).resolve())), len(its)):
            try:
                return _kill(pid)
            except ProcessLookupError:
                continue
    return False


def main(first: int, end: int, out: Path, shards: int = 1000) -> None:
    """Run the seeds that are not in the table yet, and add a line for each as it comes."""
    known = {int(row["seed"]) for row in csv.DictReader(out.open())} if out.exists() else set()
    expected = clean_results(shards)
    assert len(expected) == shards + 1
    for seed in range(first, end):
        if seed in known:
            continue
        folder = Path(tempfile.mkdtemp(prefix="kill"))
        kill = one_kill(seed, shards, expected, folder)
        with out.open("a", newline="") as file:
            writer = csv.DictWriter(file, [its.name for its in fields(Kill)], lineterminator="\n")
            if file.tell() == 0:
                writer.writeheader()
            writer.writerow(asdict(kill))
        if kill.outcome == "correct":
            shutil.rmtree(folder)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), *map(int, sys.argv[4:]))
