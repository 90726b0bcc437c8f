"""Whatever happens to a job: after the one recovery command the results are those of a run without faults.

`make test` runs `FAST`, `make test-faults` all; the kinds of Slurm are in `test_slurm_matrix.py`.
"""

from pathlib import Path

import pytest

from .cells import FAST, LOCAL, Cell
from .conftest import COLUMNS, Row, marked, skip_if_passed
from .harness import Found, run_cell


def judge(cell: Cell, found: Found, table: list[Row]) -> None:
    """Take down what came of a cell, and fail if it was not what has to be."""
    outcome = "failed" if found.problems else "passed"
    said = "; ".join(found.problems)[:500] if found.problems else found.message
    said = " ".join(said.split())
    values = (cell.kind, cell.rule_class, cell.moment, outcome, f"{found.seconds:.0f}", said)
    table.append(dict(zip(COLUMNS, values, strict=True)))
    assert not found.problems, "\n".join([*found.problems, found.said[-3000:]])


@pytest.mark.parametrize("cell", marked(LOCAL, FAST))
def test_recovers(cell: Cell, base: Path, clean: Path, tmp_path: Path, table: list[Row]) -> None:
    skip_if_passed(cell)
    judge(cell, run_cell(cell, base / "project", clean, tmp_path / "cell"), table)
