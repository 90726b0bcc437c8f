"""The kinds of faults that need a batch system, in a real Slurm that is thrown away (tests/slurm/cluster.sh)."""

from pathlib import Path

import pytest

from .cells import FAST_IN_SLURM, SLURM, Cell
from .conftest import Row, marked, skip_if_passed
from .slurm_harness import run_slurm_cell
from .test_matrix import judge


@pytest.mark.slurm
@pytest.mark.parametrize("cell", marked(SLURM, FAST_IN_SLURM))
def test_recovers(cell: Cell, base: Path, clean: Path, slurm: None, tmp_path: Path, table: list[Row]) -> None:
    skip_if_passed(cell)
    judge(cell, run_slurm_cell(cell, base / "project", clean, tmp_path / "cell"), table)
