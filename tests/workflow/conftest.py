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
        # Small, and four of each of two classes of mobility.
        "enumeration": {
            "max_length": 6,
            "ids": [
                "S3_2.1.1_2.1.1_79fc5aa6",
                "S3_2.2.1_1.0.0_57c3aa45",
                "S9_2.2.1_2.2.1_0b8c80f9",
                "S5_3.1.0_3.1.0_7cac86de",
                "S3_1.1.0_1.1.0_b6aeb502",
                "S3_5.2.1_5.2.1_def8150d",
                "S17_5.3.0_5.3.0_e42f9165",
                "S3_2.1.0_2.1.0_0a3dd353",
            ],
        },
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
        "local_search": {
            "patience_per_angstrom2": 0.02,
            "patience_after_success_per_angstrom2": 0.02,
            "patience_above_published_per_angstrom2": 0.02,
        },
        "shards": 2,
    },
    "features": {
        "representations": {
            "soap": {"kind": "soap", "n_max": 4, "l_max": 4},
            "multi_scale_soap": {"kind": "multi_scale_soap", "l_max": 4, "sweep": {"n_max": [3, 4]}},
            "st": {
                "kind": "oriented_scattering",
                "spacing_angstrom": 0.5,
                "n_scales": 2,
                "n_azimuthal": 2,
                "n_polar": 2,
            },
            "ler": {"kind": "local_environments", "n_max": 4, "l_max": 4},
            "ler+st": {"kind": "concatenate", "of": ["ler", "st"]},
        },
        "shards": 2,
    },
    "learn": {
        "targets": ["energy", "mobility_3_class"],
        "n_splits": 2,
        "trees": {"folds": 2},
        "smote": None,
        "models": {
            "kernel": {"kind": "kernel", "of": ["soap"], "folds": 2},
            "forest": {
                "kind": "randomised_trees",
                "of": ["soap", "ler"],
                "n_trees": 9,
                "targets": ["mobility_3_class"],
            },
            "mean": {"kind": "average", "models": ["kernel", "forest"], "targets": ["mobility_3_class"]},
        },
        "learning_curve": {"fractions": [1.0], "repeats": 2, "representations": ["soap+st"]},
    },
}
"""Eight small boundaries, hardly searched: enough to go through the rules of survey, features and learning in a minute or two."""

Run = Callable[..., subprocess.CompletedProcess[str]]


def copied(folder: Path) -> Path:
    """A copy of what a run needs, without results."""
    for name in ("workflow", "src", "config", "resources", "profiles", "envs"):
        shutil.copytree(PROJECT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "Snakefile", folder)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project of the test's own."""
    return copied(tmp_path)


@pytest.fixture
def snakemake(project: Path) -> Run:
    """Run snakemake in the copy: `snakemake(config, *arguments)`; returns the completed process."""

    def run(config: dict[str, Any], *arguments: str) -> subprocess.CompletedProcess[str]:
        (project / "test.yaml").write_text(yaml.safe_dump(config))
        return subprocess.run(
            command(*arguments), cwd=project, capture_output=True, text=True, timeout=900, check=False
        )

    return run


def assert_stops_before_any_job(done: subprocess.CompletedProcess[str], project: Path, message: str) -> None:
    """Snakemake has refused a configuration with a message, and has not begun."""
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (project / "results").exists()


def command(*arguments: str) -> list[str]:
    """Command line of snakemake with the test's configuration."""
    executable = Path(sys.executable).parent / "snakemake"
    rate = ("--max-jobs-per-timespan", "100/1s")  # Snakemake waits for so long before it exits
    return [str(executable), "--configfile", "test.yaml", "--cores", str(os.cpu_count()), *rate, *arguments]
