"""The rules of the local environment representation, on two small slabs."""

import re
from pathlib import Path

import ase.io
import numpy as np
import pandas as pd
import pytest

from gbscape.features.matrix import read_features
from gbscape.structure.bicrystal import build_bicrystal, remove_overlaps
from tests.workflow.conftest import Run

REPRESENTATIONS = {
    "soap": None,
    "multi_scale_soap": None,
    "st": None,
    "soap+st": None,
    "ler": {
        "kind": "local_environments",
        "n_max": 4,
        "l_max": 4,
        "cutoff_angstrom": 4.0,
        "sweep": {"threshold": [0.05, 0.1]},
    },
    "pooled": {"kind": "pooled_soap", "n_max": 4, "l_max": 4, "cutoff_angstrom": 4.0},
    "both": {"kind": "concatenate", "of": ["ler", "pooled"]},
}


class _Boundary:
    left = ((6, 2, 0), (-2, 6, 0), (0, 0, 2))
    right = ((6, -2, 0), (2, 6, 0), (0, 0, 2))


@pytest.fixture
def config(project: Path) -> dict:
    folder = project / "slabs"
    folder.mkdir()
    for name, overlap in (("a", 1.8), ("b", 2.2)):
        slab = remove_overlaps(build_bicrystal(_Boundary, "fcc", 3.52, "Ni", 18.0), overlap)
        slab.center(vacuum=10.0, axis=0)
        ase.io.write(folder / f"{name}.xyz", slab, format="extxyz")
    return {
        "name": "ler",
        "survey": {"structures": str(folder)},
        "features": {"shards": 2, "representations": REPRESENTATIONS},
        "learn": {"targets": []},
    }


def test_a_swept_threshold_makes_a_dictionary_each(snakemake: Run, project: Path, config: dict) -> None:
    planned = snakemake(config, "--dry-run", "--quiet", "rules")
    assert planned.returncode == 0, planned.stderr
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", planned.stdout + planned.stderr, flags=re.MULTILINE))
    expected = {"find_environments": 4, "merge_environments": 2, "count_environments": 4, "tabulate_environments": 2}
    assert {name: int(jobs[name]) for name in expected} == expected
    assert int(jobs["featurize"]) == 2  # the pooled SOAP alone

    config["features"]["shards"] = 1
    table = "results/ler/features/ler~threshold=0.05/environments.csv"
    done = snakemake(config, table)
    assert done.returncode == 0, done.stderr
    environments = pd.read_csv(project / table)
    fractions = read_features(project / "results/ler/features/ler~threshold=0.05.h5")
    assert fractions.ids == ["a", "b"]
    assert fractions.values.shape == (2, len(environments))
    np.testing.assert_allclose(fractions.values.sum(axis=1), 1)
    assert (environments["n_boundaries"] == (fractions.values > 0).sum(axis=0)).all()
    log = project / "results/ler/logs/merge_environments/ler~threshold=0.05.log"
    assert log.read_text().startswith(f"{len(environments)} unique environments among ")
