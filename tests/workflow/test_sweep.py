"""Sweeps: one graph of jobs for all points, what they share made once, and only what is new made when a value is added."""

import copy
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from .conftest import TINY, Run, assert_stops_before_any_job

SOAP = "features.representations.soap.cutoff_angstrom"


def _sweep(cutoffs: list[float], fractions: list[float]) -> dict[str, Any]:
    config = copy.deepcopy(TINY)
    config["features"]["representations"] = {
        "soap": TINY["features"]["representations"]["soap"],
        "st": TINY["features"]["representations"]["st"],
        "multi_scale_soap": None,
    }
    config["learn"] = {
        "test_fraction": fractions,
        "n_splits": 2,
        "trees": {"folds": 2},
        "learning_curve": {"fractions": [1.0], "repeats": 1},
    }
    config["sweep"] = {SOAP: cutoffs}
    return config


def _jobs(output: str) -> dict[str, int]:
    """Jobs by rule, whatever the point."""
    table = output[output.index("Job stats:") :].split("\n\n")[0]
    counted: dict[str, int] = {}
    for rule, count in re.findall(r"^(?:p\d+_)?(\w+) +(\d+)$", table, flags=re.MULTILINE):
        counted[rule] = counted.get(rule, 0) + int(count)
    return counted


def test_what_is_set_for_a_rule_holds_in_all_points(snakemake: Run) -> None:
    """As a profile does; what is set for the rule of one point goes before it."""
    settings = ("--set-resources", "learn:runtime=77", "learn:gpu=0", "p1_learn:runtime=88", "--set-threads", "learn=2")
    done = snakemake(_sweep([4.0], [0.5, 0.4]), "--dry-run", "--cores", "3", *settings)
    assert done.returncode == 0, done.stdout + done.stderr
    blocks = re.findall(r"^rule p(\d)_learn:\n((?: .*\n)+)", done.stdout + done.stderr, flags=re.MULTILINE)
    assert {point for point, _ in blocks} == {"0", "1"}
    for point, block in blocks:
        assert f"runtime={77 if point == '0' else 88}," in block
        assert "gpu=0" in block
        assert "threads: 2" in block


def test_a_sweep_and_a_value_that_is_added(snakemake: Run, project: Path) -> None:
    results = project / "results" / "tiny"
    done = snakemake(_sweep([4.0], [0.5, 0.4]))
    assert done.returncode == 0, done.stderr
    jobs = _jobs(done.stdout + done.stderr)
    once = {"relax_boundaries": 2, "select_boundary_atoms": 1, "gather_features": 2, "plot_gallery": 1}
    assert {rule: jobs[rule] for rule in once} == once
    assert jobs["learn"] == 2 * 3
    assert jobs["plot_scorecard"] == 2
    table = pd.read_csv(results / "sweep.csv")
    assert table["learn.test_fraction"].to_list() == [0.5, 0.4]
    assert table["representations.soap.cutoff_angstrom"].to_list() == [4.0, 4.0]
    folders = [
        results / f"learn.test_fraction={fraction},representations.soap.cutoff_angstrom=4" for fraction in (0.5, 0.4)
    ]
    assert [project / folder for folder in table["folder"]] == folders
    for folder, (_, row) in zip(folders, table.iterrows(), strict=True):
        scorecard = pd.read_csv(folder / "scorecard.csv").set_index("item")["measured"]
        assert f"{row['Accuracy, Boundary energy, SOAP [%]']:.1f} %" == scorecard["Accuracy, Boundary energy, SOAP"]
        assert yaml.safe_load((folder / "config.yaml").read_text())["sweep"] == {}
    energies = (results / "survey" / "energies.csv").read_bytes()
    made = {path: path.stat().st_mtime_ns for path in results.rglob("*.h5")}

    # The new value comes first, so that other points make what is shared.
    wider = _sweep([5.0, 4.0], [0.5, 0.4])
    done = snakemake(wider)
    assert done.returncode == 0, done.stderr
    jobs = _jobs(done.stdout + done.stderr)
    assert not {"relax_boundaries", "select_boundary_atoms", "tabulate_energies", "plot_gallery"} & jobs.keys()
    # SOAP and what it is a part of, in two learnings.
    assert {rule: jobs[rule] for rule in ("featurize", "gather_features", "concatenate_features", "learn")} == {
        "featurize": 2,
        "gather_features": 1,
        "concatenate_features": 1,
        "learn": 2 * 2,
    }
    assert jobs["plot_scorecard"] == 2
    assert {path: path.stat().st_mtime_ns for path in made} == made
    assert (results / "survey" / "energies.csv").read_bytes() == energies
    table = pd.read_csv(results / "sweep.csv")
    assert len(table) == 4
    drawn = pd.read_csv(results / "figures" / "sweep_results.csv")
    assert "Accuracy, Boundary energy, SOAP" in set(drawn["item"])
    assert "Nothing to be done" in snakemake(wider, "--dry-run").stdout

    # A point gives what a run of its configuration gives.
    point = results / "learn.test_fraction=0.4,representations.soap.cutoff_angstrom=5"
    alone = yaml.safe_load((point / "config.yaml").read_text()) | {"name": "alone"}
    done = snakemake(alone, "results/alone/learn/scores.csv")
    assert done.returncode == 0, done.stderr
    for name in ("learn/scores.csv", "learn/predictions.csv"):
        rows = [sorted((its / name).read_text().splitlines()) for its in (point, project / "results" / "alone")]
        assert rows[0] == rows[1]  # the representations are in another order


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"learn": {"test_fraction": [0.5, 1.5]}},
            "Point learn.test_fraction=1.5 of the sweep: The configuration has 1 problem:\n"
            "  learn.test_fraction = 1.5: input should be less than 1",
        ),
        ({"sweep": {"learn.test_fractoin": [0.5]}}, "learn.test_fractoin: unknown key; did you mean 'test_fraction'?"),
        ({"sweep": {"structure": ["no.xyz"]}}, "structure = 'no.xyz': no such file or folder"),
        ({"layout": {"folder": "../elsewhere"}}, "layout: unknown key"),
    ],
)
def test_a_bad_sweep_stops_before_any_job(snakemake: Run, project: Path, config: dict, message: str) -> None:
    assert_stops_before_any_job(snakemake(config), project, message)
