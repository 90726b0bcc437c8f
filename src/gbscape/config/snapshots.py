"""Settings of the molecular dynamics of one boundary: its snapshots, and what is learned from them."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from gbscape.config.base import Label, Settings
from gbscape.config.dynamics import Dynamics
from gbscape.config.jobs import Shards

SnapshotModel = Literal["boosted_trees", "ridge"]


class SnapshotLearning(Settings):
    """Learning the energies of snapshots from their representations."""

    representations: list[str] = ["soap", "st"]
    """Names of `features.representations` that snapshots are described by; a swept one stands for each of its members.
    Empty: nothing is learned."""
    shards: Shards = 8
    """Number of jobs that describe the snapshots, for each representation; 10 to 30 minutes each is a good size; `auto`: by the
    estimated time, see `jobs`."""
    models: list[SnapshotModel] = Field(default=["boosted_trees", "ridge"], min_length=1)
    """Models that are trained: boosted trees with the settings `learn.trees`, and ridge regression, whose penalty and scaling
    are chosen by leave-one-out cross-validation in the training rows."""
    n_train: int = Field(default=250, ge=2)
    """Snapshots to train on, drawn at random; the others are tested."""
    n_splits: int = Field(default=20, ge=1)
    """Random train-test splits over which scores are averaged."""

    @field_validator("representations", "models")
    @classmethod
    def _distinct(cls, names: list[str]) -> list[str]:
        if len(set(names)) != len(names):
            raise ValueError(f"each name may be given once, got {names}")
        return names


class Snapshots(Settings):
    """Snapshots of one relaxed boundary in motion, at equal intervals."""

    boundary: Label | None = None
    """Id of the boundary in the survey; null: no molecular dynamics. S5_3.1.0_3.1.0_7cac86de is the symmetric tilt boundary
    Sigma 5 (0 1 3) of Homer 2019."""
    min_length_angstrom: float = Field(default=0.0, ge=0, le=1000)
    """The survey's slab is repeated in y and z until its periods are at least this long, in Angstrom; 0 takes it as it is.
    The energy per area fluctuates less the larger the boundary."""
    dynamics: Dynamics = Dynamics()
    """Temperature and times of the run."""
    n_snapshots: int = Field(default=1000, ge=3, le=1_000_000)
    """Number of snapshots. A larger number, given later, continues the run."""
    snapshots_per_segment: int = Field(default=50, ge=1)
    """Snapshots of one job; the next job goes on from where it ended. The snapshots do not depend on it."""
    quenched: int = Field(default=10, ge=1)
    """Snapshots, evenly spread, that are minimised to see whether the boundary is still the relaxed one."""
    learning: SnapshotLearning = SnapshotLearning()
    """Learning of the snapshots' energies."""

    @model_validator(mode="after")
    def _enough_snapshots(self) -> "Snapshots":
        if self.quenched > self.n_snapshots:
            raise ValueError(f"quenched = {self.quenched} is more than there are snapshots ({self.n_snapshots})")
        learning = self.learning
        if learning.representations and learning.n_train > self.n_snapshots - 2:
            raise ValueError(
                f"learning.n_train = {learning.n_train} of {self.n_snapshots} snapshots leaves fewer than two to test on; "
                "train on fewer, or set learning.representations to []"
            )
        return self
