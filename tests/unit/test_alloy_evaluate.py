"""Evaluation of energies of cells, on energies of a potential."""

import ase.io
import numpy as np
import pandas as pd
import pytest
from ase.calculators.singlepoint import SinglePointCalculator

from gbscape.alloy import evaluate
from gbscape.alloy.describe import describe, describe_cells, mean_soap
from gbscape.alloy.packing import packing_seeds, random_packing
from gbscape.config.alloy import Alloy, AmorphousStructures, CheapPotential, Packing, Regression
from gbscape.config.orbital_scattering import OrbitalScattering
from gbscape.config.soap import SoapParameters
from gbscape.simulate.snap import SnapPotential, energy_and_forces
from gbscape.store.shards import gather_shards, open_shard

SETTINGS = Alloy(
    structures=AmorphousStructures(concentrations=(0.5, 1.0, 3.0), packed=16, packing=Packing(n_atoms=(6, 12))),
    scattering=OrbitalScattering(
        spacing_angstrom=0.5, atom_width_angstrom=0.5, channels=("species",), n_scales=2, n_max=2, second_order=False
    ),
    soap=SoapParameters(n_max=4, l_max=2, cutoff_angstrom=4.0, sigma_angstrom=0.6),
    regression=Regression(
        models=("greedy", "ridge"), curves=("ridge",), most_features=12, folds=3, left_out=(1.0, 7.0), members=3
    ),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A dataset and its descriptions."""
    path = tmp_path_factory.mktemp("alloy")
    weights = np.random.default_rng(1).normal(0, 0.01, (2, 30))
    potential = SnapPotential(("Li", "Si"), CheapPotential(), (-1.0, -4.0), weights)
    frames = []
    for name, (ratio, seed) in packing_seeds(SETTINGS.structures, "packed").items():
        atoms = random_packing(("Li", "Si"), ratio, SETTINGS.structures.packing, np.random.default_rng(seed))
        energy, forces = energy_and_forces(atoms, potential)
        atoms.info = {"name": name, "concentration": ratio}
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces)
        frames.append(atoms)
    ase.io.write(path / "dataset.xyz", frames, format="extxyz")
    for description in ("scattering", "soap"):
        for shard in range(2):
            describe_cells(
                path / "dataset.xyz", path / f"{description}_{shard}.h5", description, shard, 2, SETTINGS, "code"
            )
        names = [atoms.info["name"] for atoms in frames]
        gather_shards([path / f"{description}_{shard}.h5" for shard in range(2)], path / f"{description}.h5", names)
    return path


@pytest.fixture(scope="module")
def vectors(folder):
    return {name: folder / f"{name}.h5" for name in ("scattering", "soap")}


@pytest.fixture(scope="module")
def cells(folder, vectors):
    return evaluate.read_cells(folder / "dataset.xyz", vectors, SETTINGS.species)


def test_shards_hold_the_vectors_of_the_cells(folder, cells):
    frames = {atoms.info["name"]: atoms for atoms in ase.io.read(folder / "dataset.xyz", index=":")}
    with open_shard(folder / "scattering_0.h5") as first, open_shard(folder / "scattering_1.h5") as second:
        assert sorted([*first.ids, *second.ids]) == sorted(frames)
        assert abs(len(first.ids) - len(second.ids)) <= 6
    row = 5
    name = cells.names[row]
    for description in ("scattering", "soap"):
        assert cells.vectors[description][row] == pytest.approx(describe(frames[name], description, SETTINGS))


def test_mean_soap_is_additive(folder):
    atoms = ase.io.read(folder / "dataset.xyz", index=0)
    vector = mean_soap(atoms, SETTINGS)
    assert mean_soap(atoms.repeat((2, 1, 1)), SETTINGS) == pytest.approx(vector, abs=1e-9)
    lithium = atoms[atoms.numbers == 3]
    half = len(vector) // 2
    assert not mean_soap(lithium, SETTINGS)[half:].any()


def test_energies_are_over_a_mean_of_the_species(folder, cells):
    frames = ase.io.read(folder / "dataset.xyz", index=":")
    share = np.array([(atoms.numbers == 3).mean() for atoms in frames])
    assert np.abs(np.column_stack([share, 1 - share]).T @ cells.energies).max() < 1e-8
    total = np.array([atoms.get_potential_energy() / len(atoms) for atoms in frames])
    shift = total - cells.energies
    assert np.polyval(np.polyfit(share, shift, 1), share) == pytest.approx(shift)


def test_tasks_keep_what_is_asked_out_of_the_training(cells):
    asked = {task.name: task for task in evaluate.tasks(cells, SETTINGS.regression, 0)}
    assert list(asked) == ["unseen cells", "without 1", "larger cells"]  # there is none with 7
    for task in asked.values():
        assert not set(task.train) & set(task.test)
    unseen = asked["unseen cells"]
    assert len(unseen.train) + len(unseen.test) == len(cells.names)
    assert sorted(np.unique(cells.concentrations[unseen.test])) == [0.5, 1.0, 3.0]
    assert (cells.concentrations[asked["without 1"].test] == 1.0).all()
    assert (cells.concentrations[asked["without 1"].train] != 1.0).all()
    assert cells.n_atoms[asked["larger cells"].train].max() < cells.n_atoms[asked["larger cells"].test].min()
    again = next(evaluate.tasks(cells, SETTINGS.regression, 0))
    other = next(evaluate.tasks(cells, SETTINGS.regression, 1))
    assert np.array_equal(unseen.test, again.test)
    assert not np.array_equal(unseen.test, other.test)


def test_tables(folder, vectors, cells):
    dataset = folder / "dataset.xyz"
    evaluate.evaluate(dataset, vectors, folder / "errors.csv", folder / "predictions.csv", SETTINGS, range(2))
    errors, predictions = pd.read_csv(folder / "errors.csv"), pd.read_csv(folder / "predictions.csv")
    assert list(errors) == evaluate.ERROR_COLUMNS
    assert len(errors) == 2 * 3 * 3
    assert set(errors["model"]) == {"greedy", "ridge", "soap ridge"}
    ridge = errors[errors["model"] == "ridge"]
    assert (ridge["n_features"] == cells.vectors["scattering"].shape[1]).all()
    assert ridge["within_one_percent"].notna().all()
    assert errors.loc[errors["model"] == "greedy", "within_one_percent"].isna().all()
    deviation = 1e3 * np.abs(cells.energies - cells.energies.mean()).mean()
    unseen = errors[(errors["task"] == "unseen cells") & (errors["model"] == "soap ridge")]
    assert (unseen["mae_mev"] < deviation).all()  # better than no model
    assert list(predictions) == evaluate.PREDICTION_COLUMNS
    one = predictions[(predictions["model"] == "greedy") & (predictions["seed"] == 0)]
    error = 1e3 * np.abs(one["energy_ev"] - one["predicted_ev"]).mean()
    row = errors[(errors["model"] == "greedy") & (errors["seed"] == 0) & (errors["task"] == "unseen cells")]
    assert error == pytest.approx(row["mae_mev"].item())


def test_learning_curve_ends_with_the_whole_training_set(folder, vectors):
    evaluate.learning_curve(folder / "dataset.xyz", vectors, folder / "curve.csv", SETTINGS, range(1), (0.5, 1.0))
    curve = pd.read_csv(folder / "curve.csv")
    assert set(curve["model"]) == {"ridge", "soap ridge"}
    assert sorted(curve["n_train"].unique()) == [19, 38]


def test_error_by_size_falls_in_training(folder, vectors):
    evaluate.error_by_size(folder / "dataset.xyz", vectors, folder / "sizes.csv", SETTINGS, range(1))
    table = pd.read_csv(folder / "sizes.csv")
    assert list(table) == evaluate.PATH_COLUMNS
    greedy = table[table["model"] == "greedy"].set_index("n_features")
    assert greedy.index.max() == 12
    assert greedy["training_mev"].iloc[-1] < greedy["training_mev"].iloc[0]
