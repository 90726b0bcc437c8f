"""Molecular dynamics of one boundary through the workflow: planning, a tiny run, going on with it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ase.io
import pandas as pd
import pytest

from gbscape.features.matrix import read_features
from gbscape.snapshots.gathered import read_snapshots
from gbscape.structure.bicrystal import build_bicrystal

from .conftest import Run
from .test_workflow import _planned

TWIN = SimpleNamespace(left=((2, 2, 2), (1, -1, 0), (1, 1, -2)), right=((2, 2, 2), (-1, 1, 0), (-1, -1, 2)))
QUICK: dict[str, Any] = {
    "boundary": "twin",
    "dynamics": {"interval_ps": 0.04, "equilibration_ps": 0.2},
    "n_snapshots": 8,
    "snapshots_per_segment": 4,
    "quenched": 1,
    "learning": {"representations": ["soap", "both"], "shards": 1, "n_train": 6, "n_splits": 2},
}
ONE_BOUNDARY: dict[str, Any] = {
    "name": "md",
    "survey": {"structures": "slabs"},
    "features": {
        "representations": {
            "soap": {"kind": "soap", "n_max": 2, "l_max": 2, "cutoff_angstrom": 4.0},
            "other": {"kind": "soap", "n_max": 2, "l_max": 1, "cutoff_angstrom": 4.0},
            "both": {"kind": "concatenate", "of": ["soap", "other"]},
            "multi_scale_soap": None,
            "st": None,
            "soap+st": None,
        }
    },
    "learn": {"targets": [], "trees": {"folds": 2}},
}


@pytest.fixture
def slab(project: Path) -> None:
    """A folder with one slab, a twin, as it was built."""
    (project / "slabs").mkdir()
    atoms = build_bicrystal(TWIN, "fcc", 3.52, "Ni", 24.0, min_period_angstrom=4.0)
    ase.io.write(project / "slabs" / "twin.xyz", atoms, format="extxyz")


def test_the_run_of_the_paper_can_be_planned(snakemake: Run) -> None:
    done = snakemake({"snapshots": {"boundary": "S5_3.1.0_3.1.0_7cac86de"}}, "--dry-run", "--quiet", "rules")
    assert done.returncode == 0, done.stderr
    jobs = _planned(done.stdout + done.stderr)
    counted = {name: jobs.get(name) for name in ("equilibrate_boundary", "run_segment", "featurize_snapshots")}
    assert counted == {"equilibrate_boundary": 1, "run_segment": 20, "featurize_snapshots": 2 * 8}
    assert jobs["learn_snapshots"] == 4
    off = snakemake({}, "--dry-run", "--quiet", "rules")
    assert not {"equilibrate_boundary", "run_segment"} & _planned(off.stdout + off.stderr).keys()


def test_snapshots_from_a_slab_to_the_pictures(snakemake: Run, slab: None, project: Path) -> None:
    config = ONE_BOUNDARY | {"snapshots": QUICK}
    wanted = ["checks.csv", "trajectory.xyz"]
    targets = [f"results/md/snapshots/{name}" for name in wanted]
    targets += [f"results/md/figures/snapshot_{name}.svg" for name in ("energies", "learning")]
    done = snakemake(config, "--quiet", "all", "--", *targets)
    assert done.returncode == 0, done.stderr
    folder = project / "results/md/snapshots"
    assert len(list(read_snapshots(folder / "snapshots.h5"))) == 8
    assert read_features(folder / "features" / "both.h5").values.shape[0] == 8
    scores = pd.read_csv(folder / "scores.csv")
    assert scores.groupby(["representation", "model"]).size().to_dict() == {
        (name, model): 2 for name in ("both", "soap") for model in ("boosted_trees", "ridge")
    }
    # What the run does not depend on does not run it again.
    learning = QUICK["learning"] | {"n_splits": 3}
    others = {"figures": {"reached_share_percent": 50}, "seed": 1, "snapshots": QUICK | {"learning": learning}}
    planned = snakemake(config | others, "--dry-run", "--quiet", "rules", "--", *targets)
    assert planned.returncode == 0, planned.stderr
    jobs = _planned(planned.stdout + planned.stderr)
    assert jobs["learn_snapshots"] == 4
    assert not {"equilibrate_boundary", "run_segment", "gather_segments", "featurize_snapshots"} & jobs.keys()
    # More snapshots continue the run: the segments that are there stay.
    more = ONE_BOUNDARY | {"snapshots": QUICK | {"n_snapshots": 12}}
    planned = snakemake(more, "--dry-run", "--quiet", "rules", "--", *targets)
    jobs = _planned(planned.stdout + planned.stderr)
    assert jobs["run_segment"] == 1
    assert "equilibrate_boundary" not in jobs


def test_a_boundary_that_is_not_there_is_named(snakemake: Run, slab: None, project: Path) -> None:
    config = ONE_BOUNDARY | {"snapshots": QUICK | {"boundary": "triplet"}}
    done = snakemake(config, "--quiet", "all", "--", "results/md/snapshots/start.h5")
    assert done.returncode != 0
    assert "the survey has no boundary 'triplet'" in (project / "results/md/logs/equilibrate_boundary.log").read_text()
