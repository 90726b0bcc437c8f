"""Snakemake runs in throw-away copies of the project's workflow."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]

TINY: dict[str, Any] = {
    "name": "tiny",
    "survey": {
        "enumeration": {"max_length": 6, "count": 8},
        "relaxation": {
            "min_translations": 1,
            "max_translations": 4,
            "max_overlap_cutoffs": 2,
            "stage_steps": [30],
            "refine_rounds": 0,
            "shaking_rounds": 0,
            "annealing_rounds": 0,
            "finalists": 1,
        },
        "local_search": {"patience_per_angstrom2": 0.02},
        "shards": 2,
    },
    "features": {
        "representations": {
            "soap": {"kind": "soap", "n_max": 4, "l_max": 4},
            "multi_scale_soap": {"kind": "multi_scale_soap", "n_max": 4, "l_max": 4},
            "st": {
                "kind": "oriented_scattering",
                "spacing_angstrom": 0.5,
                "n_scales": 2,
                "n_azimuthal": 2,
                "n_polar": 2,
            },
        },
        "shards": 2,
    },
    "learn": {"n_splits": 2, "trees": {"folds": 2}, "learning_curve": {"fractions": [1.0], "repeats": 2}},
}
"""Eight small boundaries, hardly searched: enough to go through every rule in about a minute."""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what a run needs, without results."""
    for name in ("workflow", "src", "config", "resources", "profiles", "envs"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "Snakefile", tmp_path)
    return tmp_path


@pytest.fixture
def snakemake(project: Path) -> Run:
    """Run snakemake in the copy: `snakemake(config, *arguments)`; returns the completed process."""

    def run(config: dict[str, Any], *arguments: str) -> subprocess.CompletedProcess[str]:
        (project / "test.yaml").write_text(yaml.safe_dump(config))
        return subprocess.run(
            command(*arguments), cwd=project, capture_output=True, text=True, timeout=900, check=False
        )

    return run


def command(*arguments: str) -> list[str]:
    """Command line of snakemake with the test's configuration."""
    executable = Path(sys.executable).parent / "snakemake"
    return [str(executable), "--configfile", "test.yaml", "--cores", str(os.cpu_count()), *arguments]
