"""A throw-away Slurm for the tests that need one, see cluster.sh, and what it says about its jobs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.workflow.conftest import PROJECT, copied

CLUSTER = Path(__file__).with_name("cluster.sh")
REQUIRED = os.environ.get("GBSCAPE_SLURM") == "required"
"""Then a test that cannot run has failed, which is what continuous integration asks for."""


def require(*programs: str) -> None:
    """Skip the test where there cannot be such a cluster, or fail it, if it has to run."""
    missing = [name for name in programs if shutil.which(name) is None]
    if os.geteuid() != 0:
        reason = "starting a Slurm of one's own needs root"
    elif missing:
        packages = subprocess.run([CLUSTER, "packages"], capture_output=True, text=True, check=True).stdout.strip()
        reason = f"not installed: {', '.join(missing)} (apt-get install {packages})"
    else:
        return
    if REQUIRED:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@contextmanager
def cluster(folder: Path, accounting: bool = False, **options: object) -> Iterator[Path]:
    """A running Slurm whose files are in `folder`; options are those of cluster.sh."""
    require("slurmctld", "slurmd", "sbatch", "munged", *(["slurmdbd", "mariadbd"] if accounting else []))
    folder.mkdir(parents=True, exist_ok=True)
    for path in (folder, *folder.parents[:3]):
        path.chmod(path.stat().st_mode | 0o055)  # the daemons refuse folders that others could not enter
    given = {"ACCT": int(accounting), "CPUS": 4, "WAIT": 600} | options
    start = subprocess.run(
        [CLUSTER, "start", folder], env=os.environ | {k: str(v) for k, v in given.items()}, check=False
    )
    if start.returncode != 0:
        pytest.fail(f"the cluster did not start, see {folder}/log", pytrace=False)
    try:
        yield folder
    finally:
        subprocess.run([CLUSTER, "stop", folder], check=True)


JOB_FIELDS = ("JobID", "Comment", "Partition", "MinMemory", "TimeLimit", "tres-per-job", "NumTasks", "NumCPUs", "State")


def jobs() -> list[dict[str, str]]:
    """All jobs that the cluster has seen, by the order in which they were sent."""
    wanted = ",".join(f"{field}:200" for field in JOB_FIELDS)
    command = ["squeue", "--noheader", "--states=all", "--sort=i", "--Format", wanted]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    cut = [[line[200 * k : 200 * (k + 1)].strip() for k in range(len(JOB_FIELDS))] for line in lines]
    return [dict(zip(JOB_FIELDS, fields, strict=True)) for fields in cut]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a run needs, in which the runs of a module share nothing but the code."""
    return copied(tmp_path_factory.mktemp("project"))


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def start(project: Path) -> Start:
    """Start snakemake in the copy: `start(config, *arguments)`; its output goes to `<name of the run>.out`."""

    def run(config: dict[str, Any], *arguments: str) -> "subprocess.Popen[str]":
        file = project / f"{config['name']}.yaml"
        file.write_text(yaml.safe_dump(config))
        command = [str(Path(sys.executable).with_name("snakemake")), "--configfile", file.name, *arguments]
        with file.with_suffix(".out").open("w") as out:
            return subprocess.Popen(command, cwd=project, stdout=out, stderr=subprocess.STDOUT, text=True)

    return run


QUICK = (
    ("seconds-before-status-checks: 20", "seconds-before-status-checks: 2"),
    ("latency-wait: 60", "latency-wait: 10"),
)
"""Lines of the profile that a test has no time for."""
WITHOUT_ACCOUNTING = (
    ("# slurm-no-account: true", "slurm-no-account: true"),
    ("# slurm-status-command: squeue", "slurm-status-command: squeue"),
)
WITH_ACCOUNTING = (("# slurm_account: mygroup", "slurm_account: tests"),)


def site_profile(project: Path, name: str, *changes: tuple[str, str]) -> str:
    """Copy the Slurm profile as a user does, and change its lines: pairs of a text that stands there, and its substitute."""
    folder = project / "profiles" / name
    shutil.copytree(PROJECT / "profiles" / "slurm", folder)
    file = folder / "config.yaml"
    text = file.read_text()
    for old, new in changes:
        assert text.count(old) >= 1, f"profiles/slurm/config.yaml lacks {old!r}"
        text = text.replace(old, new, 1)
    file.write_text(text)
    return f"profiles/{name}"
