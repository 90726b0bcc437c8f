"""Tables of what models were asked for, where the model is the potential that made the reference."""

import ase.io
import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.calculators.lj import LennardJones
from ase.calculators.singlepoint import SinglePointCalculator

from gbscape.alloy import figure_data
from gbscape.alloy.dataset import DatasetError
from gbscape.alloy.elastic import single_strains, strained
from gbscape.alloy.migration import save_images
from gbscape.alloy.tables import ASKED_COLUMNS, BARRIER_COLUMNS, MODULUS_COLUMNS, UNSEEN_COLUMNS

PAIR = ("Li", "Si")
STRAIN = 0.01
HEADER = dict.fromkeys(UNSEEN_COLUMNS, "") | {"model": "greedy", "seed": 3, "n_features": 8}


def with_energy(atoms):
    atoms = atoms.copy()
    atoms.calc = LennardJones(sigma=2.4, epsilon=0.3, rc=6.0, smooth=True)
    return atoms


def energy_ev_atom(atoms):
    return with_energy(atoms).get_potential_energy() / len(atoms)


@pytest.fixture
def cell():
    positions = np.array([[0, 0, 0], [0, 2, 2], [2, 0, 2], [2, 2, 0]]) * 0.95
    return Atoms("Li2Si2", positions, cell=[3.8] * 3, pbc=True)


@pytest.fixture
def asked(tmp_path, cell):
    frames, rows = [], []
    for label, strain in single_strains(STRAIN).items():
        frame = strained(cell, strain)
        its = with_energy(frame)
        frame.info["name"] = f"rock:{label}"
        frame.calc = SinglePointCalculator(frame, energy=its.get_potential_energy(), stress=its.get_stress(voigt=False))
        frames.append(frame)
        for further, small in single_strains(STRAIN).items():
            predicted = energy_ev_atom(strained(frame, small))
            rows.append(
                HEADER
                | {"batch": "strained", "cell": f"rock:{label}", "strain": further, "predicted_ev_atom": predicted}
            )
    ase.io.write(tmp_path / "strained.xyz", frames, format="extxyz")
    images = [cell.copy() for _ in range(3)]
    for number, image in enumerate(images):
        image.positions[0, 0] += 0.3 * number
        predicted = energy_ev_atom(image) + 5.0
        rows.append(HEADER | {"batch": "paths", "cell": f"hop:{number}", "predicted_ev_atom": predicted})
    images = [with_energy(image) for image in images]
    energies = np.array([image.get_potential_energy() for image in images])
    save_images("hop", images, energies, tmp_path / "hop.xyz")
    for batch, error in (("larger", 0.02), ("crystals", -0.03)):
        rows.append(HEADER | {"batch": batch, "cell": batch, "energy_ev_atom": -3.0, "predicted_ev_atom": -3.0 + error})
    pd.DataFrame(rows, columns=UNSEEN_COLUMNS).to_csv(tmp_path / "unseen.csv", index=False)
    return tmp_path


def test_a_model_that_is_the_reference_has_its_moduli(asked):
    figure_data.tabulate_moduli(asked / "unseen.csv", asked / "strained.xyz", asked / "moduli.csv", PAIR, STRAIN)
    table = pd.read_csv(asked / "moduli.csv")
    assert list(table) == MODULUS_COLUMNS
    assert list(table["modulus"]) == ["bulk", "shear", "young"]
    assert set(table["cell"]) == {"rock"}
    assert set(table["seed"]) == {3}
    assert (table["dft_gpa"] > 10).all()
    assert table["predicted_gpa"].to_numpy() == pytest.approx(table["dft_gpa"].to_numpy(), rel=0.01)


def test_cells_of_which_strains_failed_have_no_moduli(asked):
    frames = ase.io.read(asked / "strained.xyz", index=":")
    ase.io.write(asked / "fewer.xyz", frames[1:], format="extxyz")
    figure_data.tabulate_moduli(asked / "unseen.csv", asked / "fewer.xyz", asked / "moduli.csv", PAIR, STRAIN)
    assert pd.read_csv(asked / "moduli.csv").empty


def test_strained_cells_need_stresses(asked, cell):
    cell.info["name"] = "rock:1+"
    cell.calc = SinglePointCalculator(cell, energy=-1.0)
    ase.io.write(asked / "without.xyz", cell, format="extxyz")
    with pytest.raises(ValueError, match=r"without\.xyz: rock:1\+ has no stress"):
        figure_data.tabulate_moduli(asked / "unseen.csv", asked / "without.xyz", asked / "moduli.csv", PAIR, STRAIN)


def test_cells_say_themselves_how_large_their_strains_are(asked, cell):
    """Half of those that the models were asked for."""
    frames = []
    for label, strain in single_strains(STRAIN / 2).items():
        frame = strained(cell, strain)
        its = with_energy(frame)
        frame.info["name"] = f"rock:{label}"
        frame.calc = SinglePointCalculator(frame, energy=its.get_potential_energy(), stress=its.get_stress(voigt=False))
        frames.append(frame)
    ase.io.write(asked / "half.xyz", frames, format="extxyz")
    found = {}
    for name in ("strained", "half"):
        figure_data.tabulate_moduli(asked / "unseen.csv", asked / f"{name}.xyz", asked / "moduli.csv", PAIR, STRAIN)
        found[name] = pd.read_csv(asked / "moduli.csv")["dft_gpa"].to_numpy()
    assert found["half"] == pytest.approx(found["strained"], rel=0.01)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.info.pop("name"), r"called 'bad:0'; allowed: NAME:STRAIN with 1\+"),
        (lambda frame: frame.info.update(name="rock:xx"), "called 'rock:xx'"),
        (lambda frame: frame.set_cell(frame.cell * 1.01), r"rock: the cells 1\+ and 1- are not each other"),
    ],
)
def test_strained_cells_that_cannot_be_used(asked, change, message):
    frames = ase.io.read(asked / "strained.xyz", index=":")
    change(frames[0])
    ase.io.write(asked / "bad.xyz", frames, format="extxyz")
    with pytest.raises(DatasetError, match=message):
        figure_data.tabulate_moduli(asked / "unseen.csv", asked / "bad.xyz", asked / "moduli.csv", PAIR, STRAIN)


def test_a_path_of_frames_without_names(asked):
    frames = ase.io.read(asked / "hop.xyz", index=":")
    for image in frames:
        del image.info["name"]
    ase.io.write(asked / "mine.xyz", frames, format="extxyz")
    predictions = pd.read_csv(asked / "unseen.csv")
    predictions["cell"] = predictions["cell"].str.replace("hop:", "mine:")
    predictions.to_csv(asked / "mine.csv", index=False)
    figure_data.tabulate_barriers(asked / "mine.csv", [asked / "mine.xyz"], asked / "barriers.csv", PAIR, ["jump"])
    table = pd.read_csv(asked / "barriers.csv")
    assert list(table["path"]) == ["jump"] * 3
    assert list(table["image"]) == [0, 1, 2]
    for missing in range(3):  # energies over what, or up to where?
        predictions[predictions["cell"] != f"mine:{missing}"].to_csv(asked / "mine.csv", index=False)
        figure_data.tabulate_barriers(asked / "mine.csv", [asked / "mine.xyz"], asked / "barriers.csv", PAIR, ["jump"])
        assert pd.read_csv(asked / "barriers.csv").empty


def test_barriers_are_over_the_first_image(asked):
    figure_data.tabulate_barriers(asked / "unseen.csv", [asked / "hop.xyz"], asked / "barriers.csv", PAIR, ["hop"])
    table = pd.read_csv(asked / "barriers.csv")
    assert list(table) == BARRIER_COLUMNS
    assert table["distance_angstrom"].to_numpy() == pytest.approx([0, 0.3, 0.6])
    assert table["dft_ev"][0] == 0
    assert table["predicted_ev"].to_numpy() == pytest.approx(table["dft_ev"].to_numpy(), abs=1e-6)
    assert table["dft_ev"].max() > 0.05


def test_errors_of_all_that_was_asked(asked):
    figure_data.tabulate_moduli(asked / "unseen.csv", asked / "strained.xyz", asked / "moduli.csv", PAIR, STRAIN)
    figure_data.tabulate_barriers(asked / "unseen.csv", [asked / "hop.xyz"], asked / "barriers.csv", PAIR, ["hop"])
    moduli, barriers = pd.read_csv(asked / "moduli.csv"), pd.read_csv(asked / "barriers.csv")
    moduli["predicted_gpa"] = moduli["dft_gpa"] + [1.0, -3.0, 1e5]  # Young's is not judged
    moduli.to_csv(asked / "moduli.csv", index=False)
    barriers["predicted_ev"] = [0.0, 0.5, 0.1]
    barriers.to_csv(asked / "barriers.csv", index=False)
    of_task = {"task": "unseen cells", "model": "greedy", "seed": 3, "n_features": 8, "n_test": 5, "mae_mev": 11.0}
    pd.DataFrame([of_task]).to_csv(asked / "errors.csv", index=False)
    figure_data.tabulate_errors(
        *(asked / f"{name}.csv" for name in ("errors", "unseen", "moduli", "barriers")), asked / "all.csv"
    )
    table = pd.read_csv(asked / "all.csv")
    assert list(table) == ASKED_COLUMNS
    assert table.set_index("asked")["n_asked"].to_dict()["unseen cells"] == 5
    assert set(table.loc[table["asked"].isin(["elastic moduli", "migration barriers"]), "n_asked"]) == {1}
    found = table.set_index("asked")["error"].to_dict()
    assert found == pytest.approx(
        {
            "unseen cells": 11.0,
            "larger cells": 20.0,
            "crystals": 30.0,
            "elastic moduli": 2.0,
            "migration barriers": 1e3 * abs(0.5 - barriers["dft_ev"].max()),
        }
    )
