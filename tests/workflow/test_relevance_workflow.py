"""Maps of relevance are planned when a boundary is named, those of snapshots when there are snapshots of it."""

import re

import pytest

from .conftest import Run

BOUNDARY = "S5_3.1.0_3.1.0_7cac86de"


@pytest.mark.parametrize(
    ("config", "jobs"),
    [
        ({}, {}),
        (
            {"relevance": {"boundary": BOUNDARY}},
            {"train_surrogates": 1, "map_relevance": 1, "export_relevance": 1, "plot_relevance": 1},
        ),
        (
            {"relevance": {"boundary": BOUNDARY}, "snapshots": {"boundary": BOUNDARY}},
            {
                "train_surrogates": 2,
                "map_relevance": 3,
                "export_relevance": 3,
                "plot_relevance": 1,
            },
        ),
    ],
)
def test_maps_that_are_asked_for_are_planned(snakemake: Run, config: dict, jobs: dict) -> None:
    done = snakemake({"learn": {"targets": []}, **config}, "--dry-run", "--quiet", "rules")
    assert done.returncode == 0, done.stderr
    planned = {
        name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", done.stdout + done.stderr, flags=re.MULTILINE)
    }
    mine = ("train_surrogates", "map_relevance", "export_relevance", "plot_relevance")
    assert {name: planned[name] for name in mine if name in planned} == jobs
