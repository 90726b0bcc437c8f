"""Each guard is needed: with it taken out, a cell of the matrix that passes with it fails, and for the reason that it guards against."""

from pathlib import Path

import pytest

from .cells import Cell
from .harness import run_cell

GUARDS = {
    "seals": (Cell("damaged file", "figure", "after"), "differs from the clean run"),
    "check of outputs": (Cell("damaged file", "featurize", "mid"), "differs from the clean run"),
    "record of the controller": (Cell("second controller", "gather", "mid"), "was not refused"),
    "end of orphans": (Cell("controller SIGKILL", "gather", "start"), "the recovery ended with"),
    "removal of half-written files": (Cell("job SIGKILL", "figure", "mid"), "was left behind"),
    "removal of locks": (Cell("controller SIGKILL", "figure", "after"), "the recovery ended with"),
}
"""Guard: a cell, and what goes wrong in it without."""


@pytest.mark.faults
@pytest.mark.parametrize("guard", GUARDS)
def test_without_a_guard_a_cell_fails(guard: str, base: Path, clean_of_guards: Path, tmp_path: Path) -> None:
    cell, problem = GUARDS[guard]
    found = run_cell(cell, base / "project", clean_of_guards, tmp_path / "cell", without=guard)
    assert any(problem in its for its in found.problems), found.problems or found.said[-3000:]
