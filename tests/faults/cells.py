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

MEANING = {
    "job SIGKILL": "the job is killed",
    "controller SIGKILL": "Snakemake is killed, the job lives on",
    "out of memory": "the job may have no more memory than it has, and asks for more (RLIMIT_AS)",
    "full disk": "not a byte is left on a tmpfs of 64 MiB that holds the folder; space is made before the recovery",
    "damaged file": "start: a bit of an input is flipped; mid: the second half of what was written is lost; after: a bit of the "
    "output is flipped",
    "late file": "start: an input, mid: the unsealed, after: the sealed output is seen only {late} s later",
    "second controller": "the same command is started once more, and the recovery",
    "time limit": "Slurm ends the job at its time limit",
    "node failure": "the node of the job goes down, and comes back",
    "requeue": "Slurm takes the job from its node and puts it in the queue again, as at a preemption",
    "reply of sbatch lost": "sbatch takes the job, and its reply does not arrive; the job runs",
    "status UNKNOWN": "squeue says nothing of the job, then that its state is UNKNOWN, while it runs",
}


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
