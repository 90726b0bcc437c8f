"""The same with Snakemake as it is started, and odd input through real jobs."""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import chdir
from pathlib import Path

import pytest

from tests.workflow.conftest import copied

from .cases import CASES, HDF5, LINKS, PICKLE, SHELL, STRUCTURE, XYZ, YAML, sample, wrote
from .conftest import CANARY, Row, write_config
from .plan import PROJECT
from .test_input import assert_cheap

IN_REAL = {
    SHELL: ("run name with $()", "LAMMPS' shell in the pair style"),
    LINKS: ("a pipe as structure", "a link to itself"),
    YAML: ("__use_yte__ and ?expression", "mappings that multiply"),
    PICKLE: ("a pickle that is called safetensors", "a structure that is a text pickle"),
    HDF5: ("a dataset of 8 TB in some bytes", "a filter that is not there"),
    STRUCTURE: ("NaN among the positions", "Python in a symmetry operation"),
}
"""Cases of each family, of a plan and of a run."""
BY_NAME = {case.name: case for case in CASES}
MEASURED = """
import json, resource, subprocess, sys
code = subprocess.run(sys.argv[2:]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    json.dump({"failed": code != 0, "mib": used.ru_maxrss / 1024, "cpu_seconds": used.ru_utime + used.ru_stime}, file)
"""
"""Runs a command, by a small process: what a process has used at most is no less than what the one that started it had."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("project"))


def run(folder: Path, *arguments: str, package: Path | None = None) -> Row:
    """Start Snakemake in a folder, perhaps with a `package` installed; its message, seconds, and MiB of its largest process."""
    start = time.monotonic()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"PYTHONPATH": str(package)} if package else {}
    command = [str(Path(sys.executable).parent / "snakemake"), *arguments]
    measured = [sys.executable, "-c", MEASURED, str(folder / "used.json"), *command]
    with open(folder / "output.txt", "w", encoding="utf-8") as output:
        subprocess.run(measured, cwd=folder, env=environment, stdout=output, stderr=output, check=True)
    row: Row = json.loads((folder / "used.json").read_text())
    row |= {"message": (folder / "output.txt").read_text(encoding="utf-8"), "seconds": time.monotonic() - start}
    return row | {"canary": bool(list(folder.rglob(CANARY)))}


def refusal(project: Path, name: str, *arguments: str) -> Row:
    """What Snakemake says of a case, whose files are in a folder below that of the project."""
    case = BY_NAME[name]
    with chdir(project):
        (project / "case.yaml").unlink(missing_ok=True)
        write_config(case.make(f"touch {CANARY}"), project / "case.yaml")
    try:
        return run(project, "--configfile", "case.yaml", *arguments)
    finally:
        for left in project.glob("a*"):
            left.unlink()
        (project / "link").unlink(missing_ok=True)


@pytest.mark.parametrize("how", ["plan", "run"])
@pytest.mark.parametrize("family", IN_REAL)
def test_snakemake_refuses(family: str, how: str, project: Path, table: list[Row]) -> None:
    name = IN_REAL[family][how == "run"]
    row = refusal(project, name, *(["--dry-run"] if how == "plan" else ["--cores", "1"]))
    case = BY_NAME[name]
    table.append(row | {"family": f"snakemake, {how}", "case": name, "outcome": "refused", "field": case.key})
    assert row["failed"]
    assert case.key in row["message"]
    assert "Traceback" not in row["message"]
    assert 'File "' not in row["message"]
    assert not row["canary"]
    assert not (project / "results").exists()
    assert_cheap(row)


@pytest.mark.xfail(
    strict=True, reason="Snakemake reads files of --configfile before any file of a workflow but its profile"
)
def test_without_the_profile_code_in_a_config_file_does_not_run(project: Path, table: list[Row]) -> None:
    name = "__use_yte__ and ?expression"
    row = refusal(project, name, "--dry-run", "--workflow-profile", "none")
    (project / CANARY).unlink(missing_ok=True)
    assert row["failed"]
    assert "so that code in it may have run already" in row["message"]
    table.append(
        row
        | {
            "family": "snakemake, --workflow-profile none",
            "case": name,
            "outcome": "refused too late",
            "field": "case.yaml",
        }
    )
    assert not row["canary"]


def test_without_the_profile_it_stops_all_the_same(project: Path) -> None:
    row = refusal(project, "__use_yte__ and ?expression", "--dry-run", "--workflow-profile", "none")
    (project / CANARY).unlink(missing_ok=True)
    assert row["failed"]
    assert "so that code in it may have run already" in row["message"]


def test_a_workflow_that_is_named_from_elsewhere(project: Path, tmp_path: Path) -> None:
    """Its profile is found beside it. Its own package is used, not one that is installed, which a copied profile takes."""
    evil = BY_NAME["__use_yte__ and ?expression"].make(f"touch {CANARY}")
    write_config(evil, tmp_path / "case.yaml")
    row = run(tmp_path, "-s", str(project / "workflow/Snakefile"), "--configfile", "case.yaml", "--dry-run")
    assert row["failed"]
    assert "lets a file run code" in row["message"]
    assert not row["canary"]
    (project / "Where.smk").write_text(
        'include: "workflow/Snakefile"\n\nimport gbscape.config.model as model\n\nPath("where.txt").write_text(model.__file__)\n'
    )
    profile = shutil.copytree(project / "profiles/default", tmp_path / "mine")
    others = ("--profile", str(profile), "--workflow-profile", "none", "--dry-run")
    row = run(tmp_path, "-s", str(project / "Where.smk"), *others, package=PROJECT / "src")
    assert not row["failed"], row["message"]
    assert (tmp_path / "where.txt").read_text() == str(project / "src/gbscape/config/model.py")


def test_a_file_with_shell_metacharacters_in_its_name_goes_through_a_job(project: Path) -> None:
    name = f"it's $(touch {CANARY}); `touch {CANARY}` & @1:2 Σ5.xyz"
    with chdir(project):
        write_config(wrote(name, XYZ, sample(name)), Path("case.yaml"))
    target = "results/case/crystal/maps/mine/sample.xyz"
    row = run(project, "--configfile", "case.yaml", "--cores", "1", "--quiet", "all", "--", target)
    assert not row["failed"], row["message"]
    assert not row["canary"]
    assert (project / target).read_text().startswith("2\n")
    shutil.rmtree(project / "results")


def test_project_in_a_folder_with_an_odd_name_and_behind_a_link(tmp_path: Path) -> None:
    folder = tmp_path / f'it\'s "$(touch {CANARY})"; Σ5'
    folder.mkdir()
    copied(folder)
    (tmp_path / "link").symlink_to(folder)
    # `shell` is where a name could be run; the rules that have it take long.
    (folder / "Odd.smk").write_text(
        'include: "workflow/Snakefile"\n\nrule odd:\n    output: "odd.txt"\n'
        "    shell: \"python -c 'import gbscape; print(gbscape.__file__)' > {output}\"\n"
    )
    row = run(tmp_path / "link", "-s", "Odd.smk", "--cores", "1", "--quiet", "all", "--", "odd.txt")
    assert not row["failed"], row["message"]
    assert (folder / "odd.txt").read_text().strip() == str(folder / "src/gbscape/__init__.py")
    assert not list(tmp_path.rglob(CANARY))


def test_a_folder_whose_name_is_a_wildcard_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "a{b}"
    folder.mkdir()
    row = run(copied(folder), "--dry-run")
    assert row["failed"]
    assert "braces are not allowed" in row["message"]
