"""Killed at random, recovered, and the same results: a few of a small dummy workflow here, a hundred of a thousand shards in
`make test-faults`."""

import csv
import os
from pathlib import Path

import pytest

from .conftest import DOCS
from .random_kills import clean_results, main, one_kill

KILLS, SHARDS = 100, 1000


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_few_kills(seed: int, tmp_path: Path) -> None:
    kill = one_kill(seed, 40, clean_results(40), tmp_path)
    assert kill.outcome == "correct", kill


@pytest.mark.faults
def test_a_hundred_kills_of_a_thousand_shards(tmp_path: Path) -> None:
    """With GBSCAPE_RECORD the table stands in the documentation; seeds that are in it are not run again."""
    out = DOCS / "random_kills.csv" if os.environ.get("GBSCAPE_RECORD") else tmp_path / "kills.csv"
    main(0, KILLS, out, SHARDS)
    with out.open(newline="") as file:
        outcomes = [row["outcome"] for row in csv.DictReader(file)]
    assert len(outcomes) == KILLS
    assert set(outcomes) == {"correct"}
