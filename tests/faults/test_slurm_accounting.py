"""`sacct`, which tells the states of jobs where there is accounting, says what it should not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slurm.conftest import cluster

from .cells import MOMENTS, Cell
from .slurm_harness import run_slurm_cell


@pytest.fixture(scope="module")
def accounting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cluster with accounting."""
    with cluster(tmp_path_factory.mktemp("slurm"), accounting=True):
        yield


CELLS = [Cell("status UNKNOWN", "featurize", moment) for moment in MOMENTS]


@pytest.mark.faults
@pytest.mark.slurm
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_recovers_with_accounting(cell: Cell, base: Path, clean: Path, accounting: None, tmp_path: Path) -> None:
    """First nothing, then UNKNOWN, which the plugin takes for success."""
    found = run_slurm_cell(cell, base / "project", clean, tmp_path / "cell", profile="accounted")
    assert not found.problems, "\n".join([*found.problems, found.said[-3000:]])
