"""A run without faults, whose folder every cell of the matrix starts from, by a workflow cut to what each rule class needs."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.slurm.conftest import QUICK, WITH_ACCOUNTING, WITHOUT_ACCOUNTING, site_profile
from tests.workflow.conftest import copied

PROJECT = Path(__file__).resolve().parents[2]
NAME = "run"
RESULTS = f"results/{NAME}"

CONFIG: dict[str, Any] = {
    "name": NAME,
    "parts": ["survey", "replica"],
    "survey": {
        "enumeration": {
            "max_length": 6,
            "ids": ["S3_1.1.0_1.1.0_b6aeb502", "S3_2.1.1_2.1.1_79fc5aa6", "S5_3.1.0_3.1.0_7cac86de"],
        },
        "relaxation": {
            "min_translations": 1,
            "max_translations": 2,
            "max_overlap_cutoffs": 1,
            "stage_steps": [20],
            "refine_rounds": 0,
            "shaking_rounds": 0,
            "annealing_rounds": 0,
            "finalists": 1,
        },
        "local_search": None,
        "shards": 2,
    },
    "features": {"representations": {"soap": {"kind": "soap", "n_max": 4, "l_max": 4}}, "shards": 2},
    "learn": {"targets": []},
    "replica": {
        "model": {"n_atoms": 2000, "n_grains": 2, "ranks": 2, "max_steps": 10, "anneal": None},
        "vectors": {"kind": "soap", "n_components": 8},
        "alternatives": {},
        "cells": {"edge_angstrom": 7.0, "reference_atoms": 2},
        "selection": {"n_points": 12, "n_initial": 9, "strategies": ["uncertainty"], "rounds": 0},
        "evaluation": {"seeds": 1, "atoms_each": 2, "sizes": [12]},
        "shards": 2,
    },
}
"""Three boundaries and fourteen atoms: jobs of a second or two."""


@dataclass(frozen=True)
class RuleClass:
    """A kind of job that the faults are injected into: one of its outputs is hit, `target`."""

    rule: str
    files: tuple[str, ...]
    """Files of rules that it needs."""
    target: str
    others: tuple[str, ...]
    """Other outputs of the rule, made in the same run and not hit."""
    input: str
    """One of the files that the job reads, written by another job."""
    wildcards: str = ""
    """Of the job that writes the target, as Snakemake's plugin for Slurm joins them."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """All outputs of the rule that the run asks for."""
        return (self.target, *self.others)


def _in(path: str) -> str:
    return f"{RESULTS}/{path}"


CLASSES = {
    "featurize": RuleClass(
        "featurize",
        ("survey", "features"),
        _in("features/soap/shard_0.h5"),
        (_in("features/soap/shard_1.h5"),),
        _in("survey/survey.h5"),
        "soap_0",
    ),
    "LAMMPS": RuleClass(
        "relax_boundaries",
        ("survey",),
        _in("survey/relaxed/shard_0.h5"),
        (_in("survey/relaxed/shard_1.h5"),),
        _in("survey/boundaries.csv"),
        "0",
    ),
    "atomic energy": RuleClass(
        "compute_energies",
        ("replica_common", "replica"),
        _in("replica/energies/points/shard_0.h5"),
        (_in("replica/energies/points/shard_1.h5"),),
        _in("replica/cells/points/shard_0.xyz"),
        "points_0",
    ),
    "gather": RuleClass(
        "gather_features",
        ("survey", "features"),
        _in("features/soap.h5"),
        (),
        _in("features/soap/shard_0.h5"),
        "soap",
    ),
    "figure": RuleClass(
        "plot_energy_against_disorientation",
        ("survey", "features", "learn", "figures"),
        _in("figures/energy_against_disorientation.svg"),
        (),
        _in("figures/energy_against_disorientation.csv"),
    ),
}


def cut_project(folder: Path) -> Path:
    """A copy of the project with a Snakefile for each rule class, `workflow/<rule>.smk`, that includes only what it needs.

    Its profiles are `default`, and `slurm` as a user adapts it: `mycluster`, and `accounted` of a cluster with accounting.
    """
    folder.mkdir(parents=True)
    workflow = copied(folder) / "workflow"
    site_profile(folder, "mycluster", *QUICK, *WITHOUT_ACCOUNTING)
    site_profile(folder, "accounted", *QUICK, *WITH_ACCOUNTING)
    snakefile, run = (workflow / "Snakefile").read_text(), (workflow / "rules" / "run.smk").read_text()
    head = run[: run.index('include: "survey.smk"')]
    for its in CLASSES.values():
        files = "".join(f'include: "{name}.smk"\n' for name in its.files)
        asked = f"\n\nrule whole_run:\n    input: {list(its.outputs)!r}\n    localrule: True\n"
        (workflow / "rules" / f"run_{its.rule}.smk").write_text(head + files + asked)
        (workflow / f"{its.rule}.smk").write_text(snakefile.replace("rules/run.smk", f"rules/run_{its.rule}.smk"))
    return folder


def command(project: Path, rule_class: str, profile: str = "default") -> list[str]:
    """Command line that makes the outputs of a rule class, in whatever folder it is started."""
    here = ["--max-jobs-per-timespan", "100/1s", "--cores", "2"] if profile == "default" else []
    snakefile = project / "workflow" / f"{CLASSES[rule_class].rule}.smk"
    return [
        str(Path(sys.executable).parent / "snakemake"), "--snakefile", str(snakefile), "--configfile", "config.yaml",
        "--workflow-profile", str(project / "profiles" / profile), *here,
    ]  # fmt: skip


def environment(**more: str) -> dict[str, str]:
    """Of a run: as the tests have it, and what is to be injected."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GBSCAPE_", "SLURM_"))}
    return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": ""} | more


def clean_run(project: Path, folder: Path, classes: Sequence[str] = tuple(CLASSES)) -> Path:
    """Make the outputs of some rule classes, without a fault."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    for name in classes:
        done = subprocess.run(
            command(project, name), cwd=folder, env=environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return folder
