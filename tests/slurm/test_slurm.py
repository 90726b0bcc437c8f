"""A small survey, a map in shards and a selection with replica energies are the same as jobs of a real Slurm as here.

`make test-slurm`: needs root, and Debian's slurm-wlm, munge, slurmdbd and mariadb-server; starts throw-away clusters on
this machine, one with and one without accounting, and uses the project's profile as somebody would who follows its README.
"""

import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from tests.slurm.conftest import QUICK, WITH_ACCOUNTING, WITHOUT_ACCOUNTING, Start, cluster, jobs, site_profile
from tests.workflow.conftest import TINY

pytestmark = pytest.mark.slurm

RESULTS = (
    "survey/relaxed.h5",
    "features/soap.h5",
    "crystal/maps/grains/map.h5",
    "replica/selected/uncertainty.csv",
    "replica/energies.csv",
    "replica/predicted.h5",
)
LONGEST_S = 3600
"""That a run is waited for, on a machine however busy."""
SHARDED = ("relax_boundaries", "featurize", "classify_boxes", "cut_cells", "compute_energies")


def configuration(name: str, selection_ranks: int) -> dict[str, Any]:
    """The demo, scaled down: four boundaries, 27 boxes, 2000 atoms."""
    return {
        "name": name,
        "parts": ["survey", "crystal", "replica"],
        "survey": TINY["survey"] | {"enumeration": {"max_length": 6, "count": 4}, "local_search": None},
        "features": {"representations": {"soap": {"kind": "soap", "n_max": 4, "l_max": 4}}, "shards": 2},
        "learn": {"targets": [], "representations": ["soap"]},
        "crystal": {
            "maps": {
                "grains": {
                    "structure": {"kind": "polycrystal", "classes": ["fcc", "bcc"], "grains": 2, "edge_angstrom": 36.0,
                                  "nearest_neighbour_angstrom": 2.5, "species": "Cu"},
                    "stride_angstrom": 12.0,
                    "passes": 20,
                    "shards": 2,
                }
            },
        },
        "replica": {
            "model": {"n_atoms": 2000, "n_grains": 2, "ranks": 2, "max_steps": 20,
                      "anneal": {"hold_ps": 0.02, "cool_ps": 0.02, "segment_ps": 0.02}},
            "vectors": {"kind": "soap", "n_components": 8},
            "cells": {"edge_angstrom": 7.0, "reference_atoms": 2},
            "selection": {"n_points": 12, "ranks": selection_ranks, "strategies": ["uncertainty", "random_1"]},
            "evaluation": {"seeds": 2, "atoms_each": 2, "sizes": [9]},
            "also_by_dft": None,
            "shards": 2,
        },
    }  # fmt: skip


def results(project: Path, name: str) -> list[str]:
    """Files that are compared."""
    return [f"results/{name}/{path}" for path in RESULTS]


@pytest.fixture(scope="module")
def local(project: Path, start: Start) -> Path:
    """The same run without Slurm, the selection by one process."""
    done = start(configuration("local", 1), "--cores", "4", "--", *results(project, "local"))
    assert done.wait(LONGEST_S) == 0, (project / "local.out").read_text()[-3000:]
    return project / "results" / "local"


def test_without_accounting_with_partitions_and_a_gpu(
    tmp_path_factory: pytest.TempPathFactory, project: Path, local: Path, start: Start
) -> None:
    profile = site_profile(
        project, "mycluster", *QUICK, *WITHOUT_ACCOUNTING,
        ("# slurm-partition-config:", "slurm-partition-config:"),
        ("  classify_boxes: {gpu: 0}\n", ""),
    )  # fmt: skip
    with cluster(tmp_path_factory.mktemp("slurm"), PARTITIONS="cpu long gpu mpi", GPU=1):
        run = start(configuration("plain", 2), "--workflow-profile", profile, "--", *results(project, "plain"))
        watch = threading.Thread(target=cancel_first, args=("rule_build_model", run))
        watch.start()
        said = finished(project, run, "plain")
        watch.join()
        sent = jobs()
    assert_same(local, project / "results" / "plain")
    by_rule = by_comment(sent)
    assert said.count("has been submitted with SLURM jobid") == len(sent)
    for rule in SHARDED:
        assert len(by_rule[rule]) == 2, rule
    for rule, found in by_rule.items():
        for job in found:
            has_gpu, ranks = rule == "classify_boxes", 2 if rule in ("relax_model", "select_optimal") else 1
            assert job["Partition"] == ("gpu" if has_gpu else "mpi" if ranks > 1 else "cpu"), job
            assert ("gpu" in job["tres-per-job"]) == has_gpu, job
            assert (job["NumTasks"], job["NumCPUs"]) == (str(ranks), str(ranks)), job
    # The job that was lost was sent again, with twice the memory and time.
    lost, again = by_rule["build_model"]
    assert (lost["State"], again["State"]) == ("CANCELLED", "COMPLETED")
    assert (lost["MinMemory"], again["MinMemory"]) == ("4000M", "8000M")
    assert (lost["TimeLimit"], again["TimeLimit"]) == ("1:00:00", "2:00:00")
    assert {job["State"] for job in sent if job is not lost} == {"COMPLETED"}
    # A GPU was asked for and given; the log says what was computed on.
    log = (project / "results/plain/logs/classify_boxes/grains/0/0.log").read_text()
    assert f"passes of the network run on {'a CUDA device' if torch.cuda.is_available() else 'the CPU'}" in log
    # Logs of Slurm are where the profile says: that of the lost job is kept.
    assert [path.parent.name for path in (project / "slurm_logs").rglob("*.log")] == ["rule_build_model"]


def test_with_accounting(tmp_path_factory: pytest.TempPathFactory, project: Path, local: Path, start: Start) -> None:
    profile = site_profile(
        project, "accounted", *QUICK, *WITH_ACCOUNTING,
        ("# resources: ", "resources: "),
        ("#   mem_mb: 190000", "  mem_mb: 3000"),
    )  # fmt: skip
    with cluster(tmp_path_factory.mktemp("slurm"), accounting=True, GPU=1):
        run = start(configuration("accounted", 4), "--workflow-profile", profile, "--", *results(project, "accounted"))
        finished(project, run, "accounted")
        sent = jobs()
        command = ["sacct", "--allocations", "--noheader", "--parsable2", "--starttime=now-1days"]
        command += ["--format", "JobID,Account,State"]
        accounted = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert_same(local, project / "results" / "accounted")
    assert accounted == [f"{job['JobID']}|tests|COMPLETED" for job in sent]
    by_rule = by_comment(sent)
    assert [job["NumTasks"] for job in by_rule["select_optimal"]] == ["4"]
    # Without GPUs none is asked for, and nothing asks for more memory than a node is said to have.
    assert not any("gpu" in job["tres-per-job"] for job in sent)
    assert max(int(job["MinMemory"].removesuffix("M")) for job in sent) == 3000
    log = (project / "results/accounted/logs/classify_boxes/grains/0/0.log").read_text()
    assert "there is no CUDA device: passes of the network run on the CPU" in log


def finished(project: Path, run: "subprocess.Popen[str]", name: str) -> str:
    """What snakemake said, once it has ended well."""
    try:
        code = run.wait(LONGEST_S)
    finally:
        run.terminate()
    said = (project / f"{name}.out").read_text()
    assert code == 0, said[-5000:]
    return said


def cancel_first(comment: str, run: "subprocess.Popen[str]") -> None:
    """Cancel the first job with this comment when it has begun."""
    while run.poll() is None:
        for job in jobs():
            if job["Comment"] == comment and job["State"] == "RUNNING":
                time.sleep(1)  # it has a log then
                subprocess.run(["scancel", job["JobID"]], check=True)
                return
        time.sleep(0.2)


def by_comment(sent: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    """Jobs by their rules."""
    found: dict[str, list[dict[str, str]]] = {}
    for job in sent:
        found.setdefault(job["Comment"].removeprefix("rule_").split("_wildcards_")[0], []).append(job)
    return found


def assert_same(here: Path, there: Path) -> None:
    """The results of two runs are the same to the bit."""
    for path in RESULTS:
        if path.endswith(".h5"):
            arrays, others = _arrays(here / path), _arrays(there / path)
            assert arrays.keys() == others.keys(), path
            for name, values in arrays.items():
                assert values.dtype == others[name].dtype, (path, name)
                assert np.array_equal(values, others[name], equal_nan=values.dtype.kind == "f"), (path, name)
        else:
            assert (here / path).read_bytes() == (there / path).read_bytes(), path


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an HDF5 file by their paths in it."""
    found: dict[str, np.ndarray] = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, node: found.update({name: node[()]} if isinstance(node, h5py.Dataset) else {}))
    found = {name: np.asarray(values) for name, values in found.items()}
    assert found
    return found
