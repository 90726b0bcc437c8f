"""The kinds of faults that need a batch system, in a real Slurm that is thrown away (tests/slurm/cluster.sh)."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slurm.conftest import cluster

from .cells import CELLS, DOES_NOT_APPLY, SLURM, Cell
from .conftest import Row, skip_if_passed
from .slurm_harness import run_slurm_cell
from .test_matrix import judge

OF_SLURM = [cell for cell in CELLS if cell.kind in SLURM and cell not in DOES_NOT_APPLY]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cluster, but where GBSCAPE_SLURM=running says that one has been started, for several tests at once (`pytest -n 4`)."""
    if os.environ.get("GBSCAPE_SLURM") == "running":
        yield
        return
    with cluster(tmp_path_factory.mktemp("slurm")):
        yield


@pytest.mark.faults
@pytest.mark.slurm
@pytest.mark.parametrize("cell", OF_SLURM, ids=str)
def test_recovers_in_slurm(cell: Cell, base: Path, clean: Path, slurm: None, tmp_path: Path, table: list[Row]) -> None:
    skip_if_passed(cell)
    judge(cell, run_slurm_cell(cell, base / "project", clean, tmp_path / "cell"), table)
