"""Each guard is needed: with it taken out, a cell of the matrix that passes with it fails, and for the reason that it guards against."""

from pathlib import Path

import pytest

from .cells import Cell
from .harness import run_cell
from .slurm_harness import run_slurm_cell

GUARDS = {
    "seals": (Cell("damaged file", "figure", "after"), "differs from the clean run"),
    "check of outputs": (Cell("damaged file", "featurize", "mid"), "differs from the clean run"),
    "record of the controller": (Cell("second controller", "gather", "mid"), "was not refused"),
    "end of orphans": (Cell("controller SIGKILL", "gather", "start"), "the recovery ended with"),
    "removal of half-written files": (Cell("job SIGKILL", "figure", "mid"), "was left behind"),
    "removal of locks": (Cell("controller SIGKILL", "figure", "after"), "the recovery ended with"),
}
"""Guard: a cell, and what goes wrong in it without."""
SLURM_GUARDS = {
    "message at the time limit": (Cell("time limit", "featurize", "mid"), "no message says that it was the time limit"),
    "last look at a run": (Cell("status UNKNOWN", "figure", "after"), "the run ended as if all were well"),
}
"""The same, in Slurm."""


@pytest.mark.faults
@pytest.mark.parametrize("guard", GUARDS)
def test_without_a_guard_a_cell_fails(guard: str, base: Path, clean_of_guards: Path, tmp_path: Path) -> None:
    cell, problem = GUARDS[guard]
    found = run_cell(cell, base / "project", clean_of_guards, tmp_path / "cell", without=guard)
    assert any(problem in its for its in found.problems), found.problems or found.said[-3000:]


@pytest.mark.faults
@pytest.mark.slurm
@pytest.mark.parametrize("guard", SLURM_GUARDS)
def test_without_a_guard_a_cell_of_slurm_fails(
    guard: str, base: Path, clean_of_guards: Path, slurm: None, tmp_path: Path
) -> None:
    cell, problem = SLURM_GUARDS[guard]
    found = run_slurm_cell(cell, base / "project", clean_of_guards, tmp_path / "cell", without=guard)
    assert any(problem in its for its in found.problems), found.problems or found.said[-3000:]


@pytest.mark.faults
@pytest.mark.slurm
@pytest.mark.parametrize("cancels", [True, False])
def test_jobs_of_other_nodes_are_cancelled(
    cancels: bool, base: Path, clean_of_guards: Path, slurm: None, tmp_path: Path
) -> None:
    """Those of this machine end as its processes too: as on another one, that is taken out in both cases."""
    without = "end of orphans" if cancels else "end of orphans,cancellation of jobs"
    cell = Cell("reply of sbatch lost", "figure", "mid")
    found = run_slurm_cell(cell, base / "project", clean_of_guards, tmp_path / "cell", without=without)
    assert (found.problems == []) == cancels, found.problems or found.said[-3000:]
