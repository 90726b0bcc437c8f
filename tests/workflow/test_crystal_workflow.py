"""Models of crystals and maps of samples, from tables of classes to files that other programs open."""

import shutil
from pathlib import Path
from typing import Any

import ase.io
import pandas as pd
import yaml
from scipy.spatial.distance import cdist

from gbscape.crystal import load_model, read_map
from gbscape.crystal.map_file import BoxStatus
from tests.workflow.conftest import Run

THREE = ("fcc", "bcc", "diamond")
CONFIG: dict[str, Any] = {
    "name": "crystals",
    "parts": ["crystal"],
    "crystal": {
        "prototypes": ["three.yaml"],
        "grid": {"cutoffs_nn": [4.0, 4.4], "sigmas_nn": [0.1], "extrinsic_scalings": [0.95, 1.0, 1.05]},
        "defects": {"displacements": [0.005, 0.05], "missing": [0.05, 0.2], "repeats": 2},
        "outside": {"boxes": 10, "atoms": 2000, "snapshots": 1},
        "other_methods": ["a-cna"],
        "shards": 1,
        "model": "small",
        "models": {
            "small": {
                "augmentation": {"displacements": [0.03]},
                "network": {"hidden_sizes": [32], "epochs": 100, "batch_size": 8, "members": 2, "passes": 50, "learning_rate": 0.003},
                "calibration": {"displacements": [0.05], "missing": [0.2], "seed": 2},
            }
        },
        "maps": {
            "grains": {
                "structure": {"kind": "polycrystal", "classes": ["fcc", "bcc"], "grains": 2, "edge_angstrom": 40.0,
                              "nearest_neighbour_angstrom": 2.5, "species": "Cu"},
                "stride_angstrom": 8.0,
                "refinement": {"levels": 1},
                "passes": 20,
            }
        },
    },
}  # fmt: skip


def _three_classes(project: Path) -> None:
    rows = yaml.safe_load((project / "resources/prototypes/elemental.yaml").read_text())["prototypes"]
    (project / "three.yaml").write_text(yaml.safe_dump({"prototypes": [r for r in rows if r["label"] in THREE]}))


def test_models_and_maps(project: Path, snakemake: Run) -> None:
    _three_classes(project)
    done = snakemake(CONFIG, "--quiet", "progress")
    assert done.returncode == 0, done.stderr[-3000:]
    crystal = project / "results/crystals/crystal"

    model = load_model(crystal / "models/small.safetensors")
    assert set(model.classes) == set(THREE)
    assert len(model.networks) == 2
    assert model.feature_space is not None
    accuracy = pd.read_csv(crystal / "models/small/accuracy.csv")
    assert accuracy.loc[accuracy["defect"] == "pristine", "accuracy"].min() == 1.0
    # three classes, three sizes, periodic and finite, twice
    assert set(accuracy.loc[accuracy["defect"] == "missing", "rows"]) == {36}
    others = pd.read_csv(crystal / "other_methods.csv")
    pristine = others[(others["displacement"] == 0) & (others["missing"] == 0)].set_index("label")
    assert pristine.loc["fcc", "right_class"] == pristine.loc["fcc", "answers"]
    assert not pristine.loc["diamond", "made_for"]

    found = read_map(crystal / "maps/grains/map.h5")
    assert found.grid is not None
    assert len(found) == len(found.grid) == 5**3
    assert found.interpolated is not None
    assert {"fcc", "bcc"} <= set(found.labels)
    assert (found.status == BoxStatus.CLASSIFIED).all()  # periodic: no box is cut by a surface
    atoms = ase.io.read(crystal / "maps/grains/atoms.xyz")
    nearest = cdist(atoms.positions, found.centres_angstrom()).argmin(axis=1)
    assert (atoms.arrays["class"] == found.labels[nearest]).mean() > 0.99  # but for atoms halfway between two boxes
    assert {"grain", "distance_to_boundary"} <= atoms.arrays.keys()
    assert set(atoms.symbols) == {"Cu"}
    scorecard = pd.read_csv(project / "results/crystals/scorecard.csv")
    assert "not comparable" in set(scorecard["verdict"])  # three classes are not 108

    # Nothing is left to do, and another map leaves the models as they are.
    assert "Nothing to be done" in snakemake(CONFIG, "-n").stdout
    config = yaml.safe_load(yaml.safe_dump(CONFIG))
    config["crystal"]["maps"]["more"] = {"structure": {"kind": "four_grains"}, "stride_angstrom": [16.0, 16.0, None]}
    plan = snakemake(config, "-n", "--quiet", "rules").stdout
    assert "classify_boxes" in plan
    assert not {"train_candidate", "describe_classes", "judge_model"} & set(plan.split())

    # A model from a file is tested as it is: nothing is trained, and the same comes out.
    shutil.copy(crystal / "models/small.safetensors", project / "given.safetensors")
    given = {"file": "given.safetensors", "network": {"passes": 50}}
    config["crystal"] |= {"model": "given", "models": {"given": given}}
    target = "results/crystals/crystal/models/given/accuracy.csv"
    plan = snakemake(config, "-n", "--quiet", "rules", "--", target).stdout
    assert not {"train_candidate", "assemble_model"} & set(plan.split())
    done = snakemake(config, "--quiet", "progress", "--", target)
    assert done.returncode == 0, done.stderr[-3000:]
    pd.testing.assert_frame_equal(pd.read_csv(project / target).assign(model="small"), accuracy)
    given["file"] = "missing.safetensors"
    assert "crystal.models.given.file = 'missing.safetensors': no such file" in snakemake(config, "-n").stdout


def test_structure_of_ones_own(project: Path, snakemake: Run) -> None:
    """A file that is no structure is refused with its name, before any job."""
    _three_classes(project)
    (project / "bad.xyz").write_text("this is no structure\n")
    config = {
        "name": "own",
        "parts": ["crystal"],
        "structure": "bad.xyz",
        "crystal": {"maps": {"sample": {"structure": {"kind": "file"}}}},
    }
    done = snakemake(config)
    assert done.returncode != 0
    assert "structure = 'bad.xyz': bad.xyz cannot be read as a structure" in done.stderr
    assert not (project / "results").exists()
    config["structure"] = "missing.xyz"
    assert "structure = 'missing.xyz': no such file" in snakemake(config, "-n").stdout
