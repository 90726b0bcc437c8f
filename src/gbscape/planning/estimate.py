"""What a run costs, step by step, before it is run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gbscape.config.jobs import Jobs
from gbscape.config.model import Config
from gbscape.planning.rates import Rate, rate_of, read_rates
from gbscape.planning.steps import Step, number_of_jobs, steps_of
from gbscape.sweeps.layout import layouts_of
from gbscape.sweeps.points import points_of

_DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Estimate:
    """A row of the table."""

    step: str
    items: float
    jobs: int
    mean_minutes: float
    """Of a job, by the clock."""
    longest_minutes: float
    """At least: the mean, or the item that takes longest."""
    core_hours: float
    memory_gib: float
    """Of a job."""
    stored_gb: float
    cores: int
    """Of a job."""


def estimate(step: Step, rates: Mapping[str, Rate], settings: Jobs) -> Estimate:
    """Cost of a step.

    With W the work, w that of the largest item, n jobs of c cores, and a, b the seconds of a unit of work and of a job:
    core-hours = (a W + n b) / 3600, minutes of a job = (a W / n + b) / 60 c, of the longest = (a max(W / n, w) + b) / 60 c.

    Raises:
        ValueError: the table of rates lacks the step.
    """
    rate, jobs = rate_of(rates, step.rate), number_of_jobs(step, rates, settings)
    seconds = step.work * rate.seconds_per_unit
    largest = max(seconds / jobs, step.largest * rate.seconds_per_unit)
    return Estimate(
        step=step.name,
        items=step.items,
        jobs=jobs,
        mean_minutes=(seconds / jobs + rate.seconds_per_job) / 60 / step.cores,
        longest_minutes=(largest + rate.seconds_per_job) / 60 / step.cores,
        core_hours=(seconds + jobs * rate.seconds_per_job) / 3600,
        memory_gib=rate.mib_per_job / 1024 + step.held_items(jobs) * rate.memory_bytes_per_item / 1024**3,
        stored_gb=step.items * rate.stored_bytes_per_item / 1e9,
        cores=step.cores,
    )


def estimates_of(raw: Mapping[str, Any], project: str | Path) -> list[Estimate]:
    """Cost of each step of a configuration as read from YAML; of a sweep that of all points together, what they share once.

    Raises:
        ConfigError: it is not valid.
        ValueError: a table of rates lacks a step.
    """
    points = points_of(raw, project)
    found: dict[str, list[Estimate]] = {}
    for point, layout in zip(points, layouts_of(points), strict=True):
        rates = read_rates(point.config.costs)
        for step in steps_of(point.config, project):
            if layout.makes(step.rule, step.of):
                found.setdefault(step.name, []).append(estimate(step, rates, point.config.jobs))
    return [_together(estimates) for estimates in found.values()]


def _together(estimates: Sequence[Estimate]) -> Estimate:
    """Of the same step in several points: sums, means and the most."""
    jobs = sum(e.jobs for e in estimates)
    return replace(
        estimates[0],
        items=sum(e.items for e in estimates),
        jobs=jobs,
        mean_minutes=sum(e.jobs * e.mean_minutes for e in estimates) / jobs,
        longest_minutes=max(e.longest_minutes for e in estimates),
        core_hours=sum(e.core_hours for e in estimates),
        memory_gib=max(e.memory_gib for e in estimates),
        stored_gb=sum(e.stored_gb for e in estimates),
    )


def plan(config: Config, project: str | Path) -> dict[str, Estimate]:
    """The estimates of all steps by name, also of those that the run does not ask for: what the workflow cuts its jobs by.

    Args:
        config: the configuration.
        project: folder of the project, whose tables are read.

    Raises:
        ValueError: the table of costs cannot be read, or lacks a step.
    """
    rates = read_rates(config.costs)
    return {step.name: estimate(step, rates, config.jobs) for step in steps_of(config, project, everything=True)}


def table(estimates: Sequence[Estimate]) -> str:
    """The estimates as aligned text (a table of Markdown, too), with their totals; the longest job and the most memory of any."""
    head = ("step", "items", "jobs", "min a job", "longest", "core-h", "GiB a job", "GB stored")
    rows = [
        (
            e.step, f"{e.items:.3g}", f"{e.jobs}", _short(e.mean_minutes), _short(e.longest_minutes), _short(e.core_hours),
            _short(e.memory_gib), _short(e.stored_gb),
        )
        for e in estimates
    ]  # fmt: skip
    if estimates:
        total = (
            "total", "", str(sum(e.jobs for e in estimates)), "", _short(max(e.longest_minutes for e in estimates)),
            _short(sum(e.core_hours for e in estimates)), _short(max(e.memory_gib for e in estimates)),
            _short(sum(e.stored_gb for e in estimates)),
        )  # fmt: skip
        rows.append(total)
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    ruler = ["-" * width if i == 0 else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    lines = [_line(head, widths), _line(ruler, widths), *(_line(row, widths) for row in rows)]
    return "\n".join(lines)


def advice(estimates: Sequence[Estimate]) -> list[str]:
    """What to say of steps whose jobs take longer than most clusters let them."""
    return [
        f"{e.step}: a job takes up to {e.longest_minutes / _DAY_MINUTES:.1f} days. If it has several items, `shards: auto` makes "
        "more jobs of them, as many as `jobs.most` allows."
        for e in estimates
        if e.longest_minutes > _DAY_MINUTES
    ]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    return "| " + " | ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]) + " |"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.2g}"
