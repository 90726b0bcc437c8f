"""Measurements of descriptors are planned for each that is asked for, and for no other."""

import pytest

from .conftest import Run
from .test_workflow import _planned


@pytest.mark.parametrize(
    ("asked", "jobs"),
    [
        ({}, {}),
        (
            {"representations": ["soap", "st"], "classifications": ["cna"]},
            {"relax_again": 1, "measure_descriptor": 3, "judge_descriptors": 1, "plot_descriptor_properties": 1},
        ),
    ],
)
def test_measurements_that_are_asked_for_are_planned(snakemake: Run, asked: dict, jobs: dict) -> None:
    done = snakemake({"learn": {"targets": []}, "descriptor_properties": asked}, "--dry-run", "--quiet", "rules")
    assert done.returncode == 0, done.stderr
    planned = _planned(done.stdout + done.stderr)
    mine = ("relax_again", "measure_descriptor", "judge_descriptors", "plot_descriptor_properties")
    assert {name: planned[name] for name in mine if name in planned} == jobs
