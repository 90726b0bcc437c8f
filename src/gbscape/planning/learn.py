"""Rates learned from the benchmark files of a run."""

import csv
import platform
from dataclasses import replace
from datetime import date
from pathlib import Path

import h5py

from gbscape.config.model import Config
from gbscape.planning import costs
from gbscape.planning.rates import Rate, rate_of
from gbscape.planning.steps import PASSES, Step, number_of_jobs, steps_of

_MIB = 1024**2


def read_benchmark(path: str | Path, processor_time: bool = False, cores: int = 1) -> tuple[float, float]:
    """Core-seconds and MiB of memory of one job, the last that the file tells of.

    Of a job of several cores they are the time by the clock on all of them: where a batch system starts its ranks, Snakemake sees
    nothing of the time that they work.

    Args:
        path: benchmark file of Snakemake.
        cores: that the job takes.
        processor_time: of jobs of one core the time that processors worked; otherwise the time by the clock if that is longer. The former is right on
            a machine that was busy with other work, but what Snakemake sampled of it lacks up to 30 seconds.

    Raises:
        ValueError: the file is none of Snakemake's.
    """
    with Path(path).open(newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    try:
        seconds, processor, memory = (_number(rows[-1][name]) for name in ("s", "cpu_time", "max_rss"))
    except (IndexError, KeyError, ValueError) as error:
        raise ValueError(f"{path} is no benchmark file of Snakemake: {error!r}") from None
    if processor_time and processor > 0 and cores == 1:
        return processor, memory
    return max(cores * seconds, processor), memory


def learn(
    results: str | Path,
    config: Config,
    rates: dict[str, Rate],
    project: str | Path,
    processor_time: bool = False,
    today: date | None = None,
) -> list[Rate]:
    """Rates that a run's benchmark files tell, those of the other steps as they were.

    Of a step that is not done in full its finished shards count for their share of the work. The seconds that a job takes besides
    its work, and the bytes that are stored, are taken from `rates`; so is memory that grows with items, unless it has to be more.

    Args:
        results: folder of the run, results/NAME.
        config: of this run.
        rates: the rates so far.
        project: folder of the project.
        processor_time: see `read_benchmark`.
        today: the date in the table.

    Raises:
        ValueError: a benchmark file cannot be read, or `rates` lacks a step.
    """
    results = Path(results)
    seen: dict[str, list[tuple[float, float, str]]] = {}
    for step in steps_of(config, project):
        files = _benchmarks(results, step)
        if not files:
            continue
        jobs = number_of_jobs(step, rates, config.jobs)
        measured = [read_benchmark(path, processor_time, step.cores) for path in files]
        rate = rate_of(rates, step.rate)
        work = (_work_of_boxes(results, config, step) or step.work) * min(1.0, len(files) / jobs)
        seconds = sum(seconds for seconds, _ in measured) - len(files) * rate.seconds_per_job
        # Jobs that hardly work tell little of how long work takes.
        if seconds > len(files) * rate.seconds_per_job:
            seen.setdefault(step.rate, []).append((seconds, work, step.rule))
            held = step.held_items(jobs)
            most = max(memory for _, memory in measured)
            grows = max(0.0, (most - rate.mib_per_job) * _MIB / held)
            rates = rates | {step.rate: replace(rate, memory_bytes_per_item=max(grows, rate.memory_bytes_per_item))}
    learned = []
    for name, rate in rates.items():
        if name in seen:
            rules = ", ".join(dict.fromkeys(rule for _, _, rule in seen[name]))
            rate = replace(
                rate,
                seconds_per_unit=sum(seconds for seconds, _, _ in seen[name]) / sum(work for _, work, _ in seen[name]),
                machine=platform.node() or platform.machine(),
                date=(today or date.today()).isoformat(),
                source=f"{'processor time' if processor_time else 'time'} of {rules} of {config.name}",
            )
        learned.append(rate)
    return learned


def _benchmarks(results: Path, step: Step) -> list[Path]:
    """Benchmark files of a step: of its only job, or of its shards."""
    base = results / "benchmarks" / step.rule / step.of
    single = base.with_name(f"{base.name}.tsv")
    return [single] if single.is_file() else sorted(base.glob("*.tsv"))


def _work_of_boxes(results: Path, config: Config, step: Step) -> float | None:
    """Of a map's level the true work, where its file is there: what a sample leaves empty is not known before."""
    if step.rule != "classify_boxes":
        return None
    name, level = step.of.rsplit("/", 1)
    its, folder = config.maps[name], results / "crystal" / "maps" / name / "levels"
    if not (folder / f"map_{level}.h5").is_file() or its.refinement is not None:
        return None
    with h5py.File(folder / f"map_{level}.h5") as file:
        n_atoms = file["boxes/n_atoms"][:]
    return float(costs.boxes(n_atoms, its.passes or PASSES, its.fewest_atoms).sum())


def _number(text: str) -> float:
    return 0.0 if text in ("-", "NA", "") else float(text)
