"""The matrix: what happens, to which kind of job, and when."""

from dataclasses import dataclass

from .clean import CLASSES

MOMENTS = {
    "start": "as the job starts",
    "mid": "in mid-write: all is computed, and lies under another name",
    "after": "after the write, before Snakemake's own record",
}
LOCAL = (
    "job SIGKILL",
    "controller SIGKILL",
    "out of memory",
    "full disk",
    "damaged file",
    "late file",
    "second controller",
)
"""Kinds that are injected on this machine alone."""
SLURM = ("time limit", "node failure", "requeue", "reply of sbatch lost", "status UNKNOWN")
"""Kinds that need a Slurm."""
KINDS = (*LOCAL, *SLURM)
"""What each is stands in docs/reliability.md."""


@dataclass(frozen=True)
class Cell:
    """One fault."""

    kind: str
    rule_class: str
    moment: str

    def __str__(self) -> str:
        return f"{self.kind}-{self.rule_class}-{self.moment}".replace(" ", "_")


CELLS = [Cell(kind, rule_class, moment) for kind in KINDS for rule_class in CLASSES for moment in MOMENTS]
DOES_NOT_APPLY: dict[Cell, str] = {}
"""Cells that cannot be, and why."""
FAST = [
    Cell("job SIGKILL", "featurize", "mid"),
    Cell("controller SIGKILL", "featurize", "mid"),
    Cell("damaged file", "gather", "start"),
    Cell("full disk", "featurize", "mid"),
    Cell("second controller", "featurize", "start"),
    Cell("damaged file", "figure", "after"),
]
"""Those of `make test`."""
FAST_IN_SLURM = [Cell("requeue", "featurize", "mid")]
"""Those of `make test-slurm`."""
