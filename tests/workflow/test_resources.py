"""What jobs ask for, and what a profile makes of it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.workflow.conftest import PROJECT, TINY, Run

CONFIG = TINY | {
    "parts": ["survey", "replica"],
    "learn": {"targets": []},
    "replica": {"model": {"n_atoms": 2000, "ranks": 3}, "selection": {"strategies": ["uncertainty", "random_1"]}},
}
PROFILE = PROJECT / "profiles" / "slurm" / "config.yaml"
MANY = CONFIG | {"replica": CONFIG["replica"] | {"model": {"n_atoms": 2000, "ranks": 1000}}}
FEATURES = ["results/tiny/features/st.h5", "results/tiny/features/soap.h5"]
ATOMS = ["results/tiny/replica/model.h5", "results/tiny/replica/selected/uncertainty.csv"]


def resources(plan: str) -> dict[str, str]:
    """Resources of the first job of each rule, by the representation where there is one."""
    found: dict[str, str] = {}
    for rule, body in re.findall(r"rule (\w+):\n((?:    .*\n)+)", plan):
        of = re.search(r"representation=(\w+)", body)
        found.setdefault(f"{rule}/{of[1]}" if of else rule, re.search(r"resources: (.*)", body)[1])  # type: ignore[index]
    return found


def test_gpus_are_asked_for_where_torch_computes_and_ranks_where_there_are_some(snakemake: Run) -> None:
    asked = resources(snakemake(CONFIG, "-n", "--", *FEATURES, *ATOMS).stdout)
    assert "gpu=1" in asked["featurize/st"]
    assert "gpu=0" in asked["featurize/soap"]
    assert "gpu" not in asked["relax_boundaries"]
    assert {"tasks=3", "cpus_per_task=1", "mpi=mpiexec"} <= set(asked["relax_model"].split(", "))
    assert "mpi" not in asked["select_optimal"]  # one rank


@pytest.mark.parametrize("attempt", [1, 3])
def test_what_is_asked_for_grows_with_attempts_up_to_what_a_profile_allows(snakemake: Run, attempt: int) -> None:
    arguments = ["-n", "--attempt", str(attempt), "--resources", "gpu=0", "runtime=300"]
    asked = resources(snakemake(CONFIG, *arguments, "--", *FEATURES).stdout)
    assert "gpu=0" in asked["featurize/st"]
    assert f"mem_mb={4000 * attempt}," in asked["featurize/st"]
    assert f"runtime={min(120 * attempt, 300)}," in asked["featurize/st"]


def test_the_slurm_profile_takes_back_every_gpu_and_starts_every_rank() -> None:
    """Limits of `--resources` do not reach the job, whose step would ask for a GPU that it was not given."""
    rules = "".join(path.read_text() for path in sorted((PROJECT / "workflow" / "rules").glob("*.smk")))
    set_by_profile = yaml.safe_load(PROFILE.read_text())["set-resources"]
    for resource, given in (("gpu", 0), ("mpi", "'srun --mpi=pmi2' if threads > 1 else None")):
        asking: set[str] = set()
        for body in re.split(r"\n *(?=(?:use )?rule )", rules):
            rule = re.match(r"(?:use rule (?P<base>\w+) as|rule) (?P<name>\w+)", body)
            inherits = rule and rule["base"] in asking and "resources:" not in body
            if rule and (inherits or re.search(rf"\b{resource}=", body)):
                asking.add(rule["name"])
        assert {name for name, its in set_by_profile.items() if its.get(resource) == given} == asking


def test_jobs_of_a_cluster_are_not_cut_to_the_processors_of_the_login_node(project: Path) -> None:
    (project / "test.yaml").write_text(yaml.safe_dump(MANY))
    snakemake = Path(sys.executable).with_name("snakemake")
    command = [snakemake, "--configfile", "test.yaml", "-n", "--workflow-profile", "profiles/slurm", "--", ATOMS[0]]
    plan = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout
    (body,) = re.findall(r"rule relax_model:\n((?:    .*\n)+)", plan)
    assert "threads: 1000\n" in body
    assert "mpi=srun --mpi=pmi2" in body
