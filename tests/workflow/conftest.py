"""Snakemake runs in throw-away copies of the project's workflow."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]

TINY = {
    "name": "tiny",
    "survey": {"enumeration": {"max_length": 4, "count": 4}, "shards": 2},
}
"""Four small boundaries: enough to go through every rule."""

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

    def run(config: dict, *arguments: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        (project / "test.yaml").write_text(yaml.safe_dump(config))
        return subprocess.run(
            command(*arguments), cwd=project, capture_output=True, text=True, timeout=timeout, check=False
        )

    return run


def command(*arguments: str) -> list[str]:
    """Command line of snakemake with the test's configuration."""
    executable = Path(sys.executable).parent / "snakemake"
    return [str(executable), "--configfile", "test.yaml", "--cores", str(os.cpu_count()), *arguments]
