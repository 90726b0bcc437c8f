"""Atomic energies of a model, from a potential to the scorecard."""

from pathlib import Path
from typing import Any

import ase.io
import pandas as pd
import pytest
from ase.build import bulk

from tests.workflow.conftest import Run

CONFIG: dict[str, Any] = {
    "name": "iron",
    "parts": ["replica"],
    "replica": {
        "model": {
            "n_atoms": 3000,
            "n_grains": 2,
            "ranks": 2,
            "max_steps": 40,
            "anneal": {"hold_ps": 0.04, "cool_ps": 0.02, "segment_ps": 0.02},
        },
        "vectors": {"kind": "soap", "n_components": 12},
        "alternatives": {"scattering": {"kind": "scattering", "scattering": {"l_max": 2}, "n_components": 8}},
        "cells": {"edge_angstrom": 7.0, "reference_atoms": 2},
        "selection": {
            "n_points": 30,
            "n_initial": 13,
            "strategies": ["uncertainty", "random_1"],
            "rounds": 2,
            "first_points": 16,
        },
        "evaluation": {"seeds": 2, "atoms_each": 3, "sizes": [20, 30]},
        "shards": 2,
    },
}


def test_from_a_potential_to_the_scorecard(snakemake: Run, project: Path) -> None:
    done = snakemake(CONFIG)
    assert done.returncode == 0, done.stderr
    results = project / "results" / "iron"
    summary = pd.read_csv(results / "replica" / "summary.csv").set_index("quantity")["value"]
    assert summary["atoms"] == 3000
    assert len(ase.io.read(results / "replica" / "atoms.xyz")) == 3000
    scorecard = pd.read_csv(results / "scorecard.csv")
    assert pd.read_csv(results / "replica" / "errors.csv")["strategy"].isin(["rounds"]).any()
    assert "RMSE: uncertainty reduction over Random 1, 30 training atoms" in set(scorecard["item"])
    assert pd.read_csv(results / "replica" / "failures.tsv", sep="\t").empty
    pictures = {path.name for path in (results / "figures" / "replica").iterdir()}
    assert {"parity.svg", "errors.svg", "predicted_energies.png", "scorecard.html"} <= pictures

    again = snakemake(CONFIG, "--dry-run")
    assert "Nothing to be done" in again.stdout + again.stderr

    # Another regression leaves what is expensive alone.
    changed = CONFIG | {"replica": CONFIG["replica"] | {"cross_validated_lambda": True}}
    planned = snakemake(changed, "--dry-run", "--quiet", "host")
    listed = planned.stdout + planned.stderr
    assert "evaluate_strategies" in listed
    for rule in ("relax_model", "describe_atoms", "compute_energies"):
        assert rule not in listed


def test_a_model_of_ones_own_that_cannot_be_used(snakemake: Run, project: Path) -> None:
    atoms = bulk("Ni", cubic=True) * (4, 4, 4)
    ase.io.write(project / "mine.xyz", atoms)
    config = CONFIG | {"replica": {"model": {"structure": "mine.xyz"}}}
    done = snakemake(config)
    assert done.returncode != 0
    log = (project / "results" / "iron" / "logs" / "build_model.log").read_text()
    assert "mine.xyz: atom 0 is Ni, but the potential describes Fe" in log
    missing = snakemake(CONFIG | {"replica": {"model": {"structure": "not_there.xyz"}}}, "--dry-run")
    assert "replica.model.structure = 'not_there.xyz': no such file" in missing.stdout + missing.stderr


def test_atoms_by_dft_beside_the_point_are_planned_where_gpaw_is(
    snakemake: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = CONFIG | {"replica": CONFIG["replica"] | {"also_by_dft": {"edge_angstrom": 7.0}}}
    stub = project / "stub" / "gpaw"
    stub.mkdir(parents=True)
    (stub / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(stub.parent))
    planned = snakemake(config, "--dry-run", "--quiet", "host")
    assert planned.returncode == 0, planned.stderr
    blocks = planned.stdout.split("\nrule ")
    (failures,) = (block for block in blocks if block.startswith("tabulate_atoms_that_failed"))
    assert "results/iron/replica/energies/by_dft.h5" in failures
    assert any(block.startswith("plot_replica_by_dft") for block in blocks)
    assert any(block.startswith("compute_energies") and "batch=by_dft" in block for block in blocks)
