"""The kinds of faults that need a batch system, in a real Slurm that is thrown away (tests/slurm/cluster.sh)."""

from pathlib import Path

import pytest

from .cells import CELLS, DOES_NOT_APPLY, FAST_IN_SLURM, SLURM, Cell
from .conftest import Row, skip_if_passed
from .slurm_harness import run_slurm_cell
from .test_matrix import judge

OF_SLURM = [cell for cell in CELLS if cell.kind in SLURM and cell not in FAST_IN_SLURM and cell not in DOES_NOT_APPLY]


@pytest.mark.slurm
@pytest.mark.parametrize("cell", FAST_IN_SLURM, ids=str)
def test_recovers(cell: Cell, base: Path, clean: Path, slurm: None, tmp_path: Path, table: list[Row]) -> None:
    skip_if_passed(cell)
    judge(cell, run_slurm_cell(cell, base / "project", clean, tmp_path / "cell"), table)


@pytest.mark.faults
@pytest.mark.slurm
@pytest.mark.parametrize("cell", OF_SLURM, ids=str)
def test_recovers_in_slurm(cell: Cell, base: Path, clean: Path, slurm: None, tmp_path: Path, table: list[Row]) -> None:
    skip_if_passed(cell)
    judge(cell, run_slurm_cell(cell, base / "project", clean, tmp_path / "cell"), table)
