"""An alloy from cells with energies to pictures: learned, and asked for larger cells, moduli and a barrier."""

from pathlib import Path

import ase.io
import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.calculators.lj import LennardJones
from ase.calculators.singlepoint import SinglePointCalculator

from gbscape.alloy.elastic import single_strains, strained
from gbscape.alloy.migration import save_images
from gbscape.alloy.packing import random_packing
from gbscape.config.alloy import Packing

from .conftest import Run, assert_stops_before_any_job

PAIR = ("Li", "Ge")
CONFIG = {
    "name": "germanide",
    "parts": ["alloy"],
    "alloy": {
        "species": list(PAIR),
        "computed": {
            "dataset": "cells.xyz",
            "larger": "larger.xyz",
            "strained": "strained.xyz",
            "paths": {"hop": "hop.xyz"},
        },
        "descriptions": {
            "scattering": {
                "spacing_angstrom": 0.6, "atom_width_angstrom": 0.6, "channels": ["species"], "n_scales": 1, "n_max": 2,
                "second_order": False,
            },
            "soap": {"n_max": 3, "l_max": 2, "cutoff_angstrom": 4.0},
        },
        "regression": {
            "models": ["bootstrapped", "unstopped"], "curves": ["bootstrapped"], "seeds": 1, "left_out": [1.0],
            "most_features": 8, "members": 2,
        },
        "shards": 1,
    },
}  # fmt: skip


def cells(number: int, n_atoms: int, ratio: float) -> list[Atoms]:
    rng = np.random.default_rng(number)
    packing = Packing(n_atoms=(n_atoms, n_atoms), volume_angstrom3={"Li": 15, "Ge": 20})
    return [random_packing(PAIR, ratio, packing, rng) for _ in range(number)]


def computed(atoms: Atoms, name: str) -> Atoms:
    its = atoms.copy()
    its.calc = LennardJones(sigma=2.3, epsilon=0.3, rc=4.0, smooth=True)
    energy, forces, stress = its.get_potential_energy(), its.get_forces(), its.get_stress(voigt=False)
    atoms.info["name"] = name
    atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces, stress=stress)
    return atoms


@pytest.fixture
def data(project: Path) -> None:
    dataset = [
        computed(atoms, f"{ratio:g}_{number}")
        for ratio in (0.5, 1.0, 2.0)
        for number, atoms in enumerate(cells(8, 6, ratio))
    ]
    ase.io.write(project / "cells.xyz", dataset, format="extxyz")
    larger = [computed(atoms, f"larger_{number}") for number, atoms in enumerate(cells(2, 12, 1.0))]
    ase.io.write(project / "larger.xyz", larger, format="extxyz")
    frames = [computed(strained(dataset[0], its), f"first:{label}") for label, its in single_strains(0.01).items()]
    ase.io.write(project / "strained.xyz", frames, format="extxyz")
    images = [dataset[9].copy() for _ in range(3)]
    for number, image in enumerate(images):
        image.positions[0, 0] += 0.1 * number
    energies = np.array([computed(image, "").get_potential_energy() for image in images])
    save_images("hop", images, energies, project / "hop.xyz")


def test_from_cells_to_pictures(snakemake: Run, data: None, project: Path) -> None:
    done = snakemake(CONFIG)
    assert done.returncode == 0, done.stderr[-3000:]
    results = project / "results" / "germanide"
    figures = results / "figures" / "alloy"
    for name in ("parity", "sizes", "learning_curve", "errors", "moduli", "barriers"):
        assert (figures / f"{name}.svg").exists(), name
    errors = pd.read_csv(figures / "errors.csv")
    assert set(errors["asked"]) == {
        "unseen cells", "concentration 1 left out", "larger cells", "elastic moduli", "migration barriers",
    }  # fmt: skip
    assert set(errors["model"]) == {"bootstrapped", "unstopped", "soap ridge"}
    assert set(errors["seed"]) == {0}
    assert (errors["error"] > 0).all()
    card = pd.read_csv(results / "scorecard.csv")
    assert card["item"].str.startswith("MAE, unseen cells").sum() == 3
    assert "Rules of the verdicts" in (figures / "scorecard.html").read_text()


def test_rounds_that_add_to_known_cells(snakemake: Run, data: None) -> None:
    packing = {"volume_angstrom3": {"Li": 15.0, "Ge": 20.0}}
    structures = {"known": "cells.xyz", "rounds": 1, "first_round": 4, "larger": None, "packing": packing}
    its = {key: value for key, value in CONFIG["alloy"].items() if key != "computed"}
    its |= {"crystals": None, "structures": structures}
    planned = snakemake(
        CONFIG | {"alloy": its}, "--dry-run", "--quiet", "host", "--", "results/germanide/alloy/cells/dataset.xyz"
    )
    assert planned.returncode == 0, planned.stderr[-3000:]
    for rule in (
        "read_known_structures",
        "fit_cheap_potential",
        "heat_structures",
        "compute_structures",
        "write_cells",
    ):
        assert f"rule {rule}:" in planned.stdout, rule
    assert "pack_structures" not in planned.stdout
    assert "round_3" not in planned.stdout


def test_what_is_not_computed_is_not_asked(snakemake: Run, data: None) -> None:
    its = CONFIG["alloy"] | {"computed": {"dataset": "cells.xyz"}}
    planned = snakemake(CONFIG | {"alloy": its}, "--dry-run", "--quiet", "all")
    assert planned.returncode == 0, planned.stderr[-3000:]


def test_the_table_of_a_sweep_takes_the_scorecards_of_its_points(snakemake: Run, data: None) -> None:
    its = CONFIG["alloy"] | {"regression": CONFIG["alloy"]["regression"] | {"most_features": [4, 8]}}
    planned = snakemake(CONFIG | {"alloy": its}, "--dry-run", "--quiet", "host", "--", "results/germanide/sweep.csv")
    assert planned.returncode == 0, planned.stderr[-3000:]
    for point in (4, 8):
        assert f"results/germanide/regression.most_features={point}/scorecard.csv" in planned.stdout


def test_files_of_energies_are_looked_into_first(snakemake: Run, data: None, project: Path) -> None:
    its = CONFIG["alloy"] | {"computed": {"dataset": "cells.xyz", "paths": {"hop": "nowhere.xyz"}}}
    assert_stops_before_any_job(snakemake(CONFIG | {"alloy": its}), project, "alloy.computed.paths.hop")
