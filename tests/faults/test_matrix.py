"""Whatever happens to a job: after the one recovery command the results are those of a run without faults.

`make test` runs `FAST`, `make test-faults` all; the kinds of Slurm are in `test_slurm_matrix.py`.
"""

import os
from pathlib import Path

import pytest

from .cells import CELLS, DOES_NOT_APPLY, FAST, LOCAL, Cell
from .conftest import COLUMNS, Row, skip_if_passed
from .harness import Found, run_cell

WHOLE = [cell for cell in CELLS if cell.kind in LOCAL and cell not in FAST and cell not in DOES_NOT_APPLY]


def judge(cell: Cell, found: Found, table: list[Row]) -> None:
    """Take down what came of a cell, and fail if it was not what has to be."""
    outcome = "failed" if found.problems else "passed"
    said = "; ".join(found.problems)[:500] if found.problems else found.message
    said = " ".join(said.split())
    values = (cell.kind, cell.rule_class, cell.moment, outcome, f"{found.seconds:.0f}", said)
    table.append(dict(zip(COLUMNS, values, strict=True)))
    assert not found.problems, "\n".join([*found.problems, found.said[-3000:]])


def needs_root(cell: Cell) -> None:
    """Only root can mount a small disk."""
    if cell.kind == "full disk" and os.geteuid() != 0:
        pytest.skip("a small disk is mounted by root only")


@pytest.mark.parametrize("cell", FAST, ids=str)
def test_recovers(cell: Cell, base: Path, clean: Path, tmp_path: Path, table: list[Row]) -> None:
    needs_root(cell)
    skip_if_passed(cell)
    judge(cell, run_cell(cell, base / "project", clean, tmp_path / "cell"), table)


@pytest.mark.faults
@pytest.mark.parametrize("cell", WHOLE, ids=str)
def test_recovers_from_everything(cell: Cell, base: Path, clean: Path, tmp_path: Path, table: list[Row]) -> None:
    needs_root(cell)
    skip_if_passed(cell)
    judge(cell, run_cell(cell, base / "project", clean, tmp_path / "cell"), table)
