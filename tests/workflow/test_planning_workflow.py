"""Numbers of jobs that the workflow takes from the estimates, and the status of real runs of Snakemake."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from .conftest import PROJECT, TINY, Run


def _planned(output: str) -> dict[str, int]:
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", output, flags=re.MULTILINE)}


def _status(project: Path, name: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "gbscape.planning", "status", f"results/{name}"],
        cwd=project, env=os.environ | {"PYTHONPATH": str(project / "src")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def _row(told: str, rule: str) -> list[str]:
    return re.search(rf"^{rule} +(.*)$", told, flags=re.MULTILINE)[1].split()[:4]


def test_shards_are_as_many_as_the_estimate_says(snakemake: Run) -> None:
    config = {
        "parts": ["survey", "crystal", "replica"],
        "jobs": {"minutes": 20},
        "survey": {"shards": "auto"},
        "features": {"shards": "auto", "representations": {"ler": {"kind": "local_environments"}}},
        "snapshots": {"boundary": "S5_3.1.0_3.1.0_7cac86de", "learning": {"shards": "auto"}},
        "crystal": {
            "shards": "auto",
            "other_methods": ["cna"],
            "maps": {"a": {"structure": {"kind": "four_grains"}, "stride_angstrom": 1.0, "shards": "auto"}},
        },
        "replica": {"shards": "auto"},
    }
    done = snakemake(config, "--dry-run", "--quiet", "rules")
    assert done.returncode == 0, done.stderr
    twenty = _planned(done.stdout)
    done = snakemake(config | {"jobs": {"minutes": 2, "most": 50}}, "--dry-run", "--quiet", "rules")
    assert done.returncode == 0, done.stderr
    two = _planned(done.stdout)
    assert 10 < twenty["relax_boundaries"] < 40
    assert two["relax_boundaries"] == 50  # the cap
    for rule in ("featurize", "find_environments", "featurize_snapshots", "classify_boxes"):
        assert 0 < twenty[rule] <= two[rule], rule
    assert two["classify_boxes"] > twenty["classify_boxes"]
    assert twenty["find_environments"] == twenty["count_environments"]
    # A job that will be long asks for more time.
    capped = {"survey": {"shards": "auto", "enumeration": {"max_length": 40}}, "jobs": {"most": 3}}
    done = snakemake(capped, "--dry-run", "results/ni/survey/relaxed/shard_0.h5")
    assert done.returncode == 0, done.stderr
    minutes = {rule: int(its) for rule, its in re.findall(r"rule (\w+):\n(?:    .*\n)*?.*runtime=(\d+)", done.stdout)}
    assert minutes["prepare_potential"] == 10
    assert minutes["relax_boundaries"] > 1000
    assert twenty["cut_cells"] == twenty["compute_energies"] == 1


def test_the_status_of_a_run(snakemake: Run, project: Path) -> None:
    config = TINY | {"survey": TINY["survey"] | {"shards": "auto"}, "jobs": {"minutes": 0.05}}
    target = "results/tiny/survey/potential/potential.json"
    done = snakemake(config, target, "results/tiny/survey/boundaries.csv", "results/tiny/config.yaml")
    assert done.returncode == 0, done.stderr
    told = _status(project, "tiny")
    assert told.rstrip().endswith("Finished.")
    assert _row(told, "prepare_potential") == ["1", "0", "0", "0"]

    (project / "bad.eam").write_text("no potential\n")
    potential = {"name": None, "file": "bad.eam", "pair_style": "eam/alloy"}
    broken = config | {"survey": config["survey"] | {"potential": potential}, "learn": {"targets": []}}
    done = snakemake(broken, "results/tiny/survey/relaxed.h5")
    assert done.returncode != 0
    told = _status(project, "tiny")
    assert "Failed: prepare_potential, see results/tiny/logs/prepare_potential.log" in told
    assert _row(told, "prepare_potential")[2] == "1"
    relaxations = int(_row(told, "relax_boundaries")[3])
    assert relaxations == _planned(done.stdout + done.stderr)["relax_boundaries"]
    assert relaxations > 1
    assert "The same command goes on." in told


@pytest.mark.parametrize(("run", "most_jobs"), [("10⁵ boundaries", 500), ("10⁹ atoms", 60)])
def test_plans_of_huge_runs_are_small(run: str, most_jobs: int, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With few jobs, that it may be quick; `python benchmarks/planning.py` has them all."""
    monkeypatch.setenv("PYTHONPATH", str(project / "src"))
    monkeypatch.chdir(project)
    benchmark = runpy.run_path(str(PROJECT / "benchmarks" / "planning.py"))
    config = project / "huge.yaml"
    config.write_text(yaml.safe_dump({"name": "huge", "jobs": {"most": 80}} | benchmark["LARGE"][run]))
    # In a process of its own: the peak that the system tells of a child begins with what its parent held when it was forked.
    command = [sys.executable, str(PROJECT / "benchmarks" / "planning.py"), str(config), "--repeats", "1"]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    _, _, jobs, _, _, memory_mib, _ = (cell.strip() for cell in table.splitlines()[-1].split("|"))
    assert 20 < int(jobs) < most_jobs
    assert int(memory_mib) < 1000  # of the two gigabytes that planning may take
