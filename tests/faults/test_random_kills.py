"""Killed at random, recovered, and the same results: a few of a small dummy workflow here, a hundred of a thousand shards in
`make test-faults`."""

import csv
import os
from pathlib import Path

import pytest

from .conftest import DOCS
from .random_kills import clean_results, main, one_kill

KILLS, SHARDS = 100, 1000
BEGIN = "<!-- random kills: written by GBSCAPE_RECORD=1 make test-faults -->"
END = "<!-- end of random kills -->"


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_few_kills(seed: int, tmp_path: Path) -> None:
    kill = one_kill(seed, 40, clean_results(40), tmp_path)
    assert kill.outcome == "correct", kill


@pytest.mark.faults
def test_a_hundred_kills_of_a_thousand_shards(tmp_path: Path) -> None:
    """With GBSCAPE_RECORD the table stands in the documentation; seeds that are in it are not run again."""
    recorded = bool(os.environ.get("GBSCAPE_RECORD"))
    out = DOCS / "random_kills.csv" if recorded else tmp_path / "kills.csv"
    main(0, KILLS, out, SHARDS)
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if recorded:
        page = DOCS / "reliability.md"
        head, _, rest = page.read_text().partition(BEGIN)
        page.write_text(f"{head}{BEGIN}\n{summary(rows)}\n{rest[rest.index(END) :]}")
    assert len(rows) == KILLS
    assert {row["outcome"] for row in rows} == {"correct"}


def summary(rows: list[dict[str, str]]) -> str:
    """What came of all kills, in a sentence."""
    correct = sum(row["outcome"] == "correct" for row in rows)
    controllers = sum(row["victim"] == "controller" for row in rows)
    again = [int(row["again"]) for row in rows]
    return (
        f"{len(rows)} kills, {controllers} of the controller and {len(rows) - controllers} of a job: {correct} correct results. "
        f"At most {max(again)} shards were computed once more than needed, {sum(again) / len(again):.1f} on average."
    )
