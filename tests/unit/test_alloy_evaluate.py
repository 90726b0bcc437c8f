"""Evaluation of energies of cells, on energies of a potential."""

from dataclasses import replace

import ase.io
import numpy as np
import pandas as pd
import pytest
from ase.calculators.singlepoint import SinglePointCalculator

from gbscape.alloy import evaluate, extrapolate
from gbscape.alloy.dataset import DatasetError
from gbscape.alloy.describe import describe, describe_cells, gather_cells, mean_soap
from gbscape.alloy.elastic import strained
from gbscape.alloy.extrapolate import predict_unseen
from gbscape.alloy.packing import packing_seeds, random_packing
from gbscape.alloy.tables import ERROR_COLUMNS, PREDICTION_COLUMNS, SIZE_COLUMNS, UNSEEN_COLUMNS
from gbscape.config.alloy import AmorphousStructures, CheapPotential, Descriptions, Packing, Regression
from gbscape.config.orbital_scattering import OrbitalScattering
from gbscape.config.soap import SoapParameters
from gbscape.features.orbital_scattering import orbital_grid_shape
from gbscape.simulate.snap import SnapPotential, energy_and_forces
from gbscape.store.shards import open_shard

PAIR = ("Li", "Si")
STRUCTURES = AmorphousStructures(concentrations=(0.5, 1.0, 3.0), packed=16, packing=Packing(n_atoms=(6, 12)))
DESCRIPTIONS = Descriptions(
    scattering=OrbitalScattering(
        spacing_angstrom=0.5, atom_width_angstrom=0.5, channels=("species",), n_scales=2, n_max=2, second_order=False
    ),
    soap=SoapParameters(n_max=4, l_max=2, cutoff_angstrom=4.0, sigma_angstrom=0.6),
)
LEARNING = Regression(
    models=("greedy", "ridge"), curves=("ridge",), most_features=12, folds=3, left_out=(1.0,), members=3
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A dataset and its descriptions."""
    path = tmp_path_factory.mktemp("alloy")
    weights = np.random.default_rng(1).normal(0, 0.01, (2, 30))
    potential = SnapPotential(("Li", "Si"), CheapPotential(), (-1.0, -4.0), weights)
    frames = []
    for name, (ratio, seed) in packing_seeds(STRUCTURES, "packed").items():
        atoms = random_packing(("Li", "Si"), ratio, STRUCTURES.packing, np.random.default_rng(seed))
        energy, forces = energy_and_forces(atoms, potential)
        atoms.info = {"name": name, "concentration": ratio}
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces)
        frames.append(atoms)
    ase.io.write(path / "dataset.xyz", frames, format="extxyz")
    for description in ("scattering", "soap"):
        for shard in range(2):
            describe_cells(
                [path / "dataset.xyz"],
                path / f"{description}_{shard}.h5",
                description,
                shard,
                2,
                PAIR,
                DESCRIPTIONS,
                "code",
            )
        shards = [path / f"{description}_{shard}.h5" for shard in range(2)]
        gather_cells(shards, [path / "dataset.xyz"], path / f"{description}.h5", PAIR, "stop")
    return path


@pytest.fixture(scope="module")
def vectors(folder):
    return {name: folder / f"{name}.h5" for name in ("scattering", "soap")}


@pytest.fixture(scope="module")
def cells(folder, vectors):
    return evaluate.read_described([folder / "dataset.xyz"], vectors, PAIR)


def test_shards_hold_the_vectors_of_the_cells(folder, cells):
    frames = {atoms.info["name"]: atoms for atoms in ase.io.read(folder / "dataset.xyz", index=":")}
    with open_shard(folder / "scattering_0.h5") as first, open_shard(folder / "scattering_1.h5") as second:
        assert sorted([*first.ids, *second.ids]) == sorted(frames)
        assert abs(len(first.ids) - len(second.ids)) <= 6
    row = 5
    name = cells.names[row]
    for description in ("scattering", "soap"):
        assert cells.vectors[description][row] == pytest.approx(describe(frames[name], description, PAIR, DESCRIPTIONS))


def test_mean_soap_is_additive(folder):
    atoms = ase.io.read(folder / "dataset.xyz", index=0)
    vector = mean_soap(atoms, PAIR, DESCRIPTIONS.soap)
    assert mean_soap(atoms.repeat((2, 1, 1)), PAIR, DESCRIPTIONS.soap) == pytest.approx(vector, abs=1e-9)
    lithium = atoms[atoms.numbers == 3]
    half = len(vector) // 2
    assert not mean_soap(lithium, PAIR, DESCRIPTIONS.soap)[half:].any()


def test_a_model_learns_energies_of_the_species_from_its_own_cells(cells):
    rows = np.arange(0, len(cells.names), 2)
    model = evaluate.fit(cells, rows, "ridge", LEARNING, 0)
    parts, energies = cells.shares[rows], cells.energies_ev_atom[rows]
    assert np.abs(parts.T @ (energies - parts @ model.of_species_ev)).max() < 1e-8
    shifted = replace(cells, energies_ev_atom=cells.energies_ev_atom + cells.shares @ [-100.0, 7.0])
    again = evaluate.fit(shifted, rows, "ridge", LEARNING, 0)
    assert again.of_species_ev == pytest.approx(model.of_species_ev + np.array([-100.0, 7.0]))
    vectors = cells.vectors["scattering"]
    assert again.predict(vectors, cells.shares) == pytest.approx(
        model.predict(vectors, cells.shares) + cells.shares @ [-100.0, 7.0]
    )


def test_concentrations_that_are_left_out():
    concentrations = np.repeat([0.1, 0.5, 1.0, 2.0, 3.0, 3.75], [5, 4, 5, 6, 5, 5])
    assert evaluate.left_out(concentrations, Regression()) == (0.1, 1.0, 3.0, 3.75)  # of 0.5 there are too few
    assert evaluate.left_out(concentrations, Regression(left_out=(0.5,))) == (0.5,)
    assert evaluate.left_out(np.full(20, 1.0), Regression()) == ()
    assert evaluate.left_out(np.arange(20.0), Regression()) == ()
    with pytest.raises(
        DatasetError, match=r"no cell has the concentration 7; the dataset has 0\.1, 0\.5, 1, 2, 3, 3\.75"
    ):
        evaluate.left_out(concentrations, Regression(left_out=(1.0, 7.0)))
    with pytest.raises(DatasetError, match="all cells have the concentration 1"):
        evaluate.left_out(np.full(20, 1.0), Regression(left_out=(1.0,)))


def test_what_one_feature_says_beyond_the_species_is_learned(cells):
    vectors = cells.vectors["scattering"]
    feature = vectors[:, 5] / vectors[:, 5].std()
    cells = replace(cells, energies_ev_atom=cells.shares @ [-1.0, -4.0] + 0.5 * feature)
    task = next(evaluate.tasks(cells, LEARNING, 1))
    model = evaluate.fit(cells, task.train, "greedy", LEARNING, 1)
    error = model.predict(vectors[task.test], cells.shares[task.test]) - cells.energies_ev_atom[task.test]
    assert np.abs(error).max() < 0.01


def test_draws_are_of_the_settings_seed(cells):
    first, again, other = (
        next(evaluate.tasks(cells, LEARNING.model_copy(update={"seed": seed}), 0)).test for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_tasks_keep_what_is_asked_out_of_the_training(cells):
    asked = {task.name: task for task in evaluate.tasks(cells, LEARNING, 0)}
    assert list(asked) == ["unseen cells", "concentration 1 left out"]
    for task in asked.values():
        assert not set(task.train) & set(task.test)
    unseen = asked["unseen cells"]
    assert len(unseen.train) + len(unseen.test) == len(cells.names)
    assert sorted(np.unique(cells.concentrations[unseen.test])) == [0.5, 1.0, 3.0]
    assert (cells.concentrations[asked["concentration 1 left out"].test] == 1.0).all()
    assert (cells.concentrations[asked["concentration 1 left out"].train] != 1.0).all()
    again = next(evaluate.tasks(cells, LEARNING, 0))
    other = next(evaluate.tasks(cells, LEARNING, 1))
    assert np.array_equal(unseen.test, again.test)
    assert not np.array_equal(unseen.test, other.test)


@pytest.mark.parametrize(
    "concentrations",
    [
        np.repeat(np.arange(12), 4),  # more of them than cells of a test set
        np.arange(24),  # each a single cell
        np.zeros(24),
        np.repeat([0.0, 1.0, 2.0], [10, 10, 1]),
    ],
)
def test_any_concentrations_can_be_divided(cells, concentrations):
    n = len(concentrations)
    shares = np.linspace(0, 1, n)
    its = replace(cells, concentrations=concentrations.astype(float), shares=np.column_stack([shares, 1 - shares]))
    task = next(evaluate.tasks(its, LEARNING, 0))
    assert len(task.train) + len(task.test) == n
    assert len(task.test) == np.ceil(LEARNING.test_fraction * n)
    assert 0.2 < shares[task.test].mean() < 0.8  # of all compositions


def test_too_few_cells_are_refused(folder, vectors, monkeypatch):
    monkeypatch.setattr(evaluate, "FEWEST_CELLS", 1000)
    with pytest.raises(DatasetError, match=r"dataset\.xyz: \d+ cells with vectors, 1000 are the least"):
        evaluate.read_described([folder / "dataset.xyz"], vectors, PAIR)


def test_tables(folder, vectors, cells):
    dataset = folder / "dataset.xyz"
    evaluate.evaluate(dataset, vectors, folder / "errors.csv", folder / "predictions.csv", PAIR, LEARNING, 1)
    errors, predictions = pd.read_csv(folder / "errors.csv"), pd.read_csv(folder / "predictions.csv")
    assert list(errors) == ERROR_COLUMNS
    assert len(errors) == 2 * 3
    assert set(errors["model"]) == {"greedy", "ridge", "soap ridge"}
    assert set(errors["seed"]) == {1}
    ridge = errors[errors["model"] == "ridge"]
    assert (ridge["n_features"] == cells.vectors["scattering"].shape[1]).all()
    assert list(predictions) == PREDICTION_COLUMNS
    one = predictions[predictions["model"] == "greedy"]
    error = 1e3 * np.abs(one["energy_ev_atom"] - one["predicted_ev_atom"]).mean()
    row = errors[(errors["model"] == "greedy") & (errors["task"] == "unseen cells")]
    assert error == pytest.approx(row["mae_mev"].item())


def test_learning_curve_ends_with_the_whole_training_set(folder, vectors):
    evaluate.learning_curve(folder / "dataset.xyz", vectors, folder / "curve.csv", PAIR, LEARNING, 0, (0.5, 1.0))
    curve = pd.read_csv(folder / "curve.csv")
    assert set(curve["model"]) == {"ridge", "soap ridge"}
    assert sorted(curve["n_train"].unique()) == [19, 38]


def test_errors_by_size_of_all_ways_to_select(folder, vectors):
    evaluate.error_by_size(folder / "dataset.xyz", vectors, folder / "sizes.csv", PAIR, LEARNING, 0)
    table = pd.read_csv(folder / "sizes.csv")
    assert list(table) == SIZE_COLUMNS
    at_the_end = {}
    for way, rows in table.groupby("selection"):
        training = rows.set_index("n_features")["training_mev"]
        assert training.index.max() == 12, way
        at_the_end[way] = training[12] / training[0]
    assert set(at_the_end) == {"greedy", "greedy among random features", "best correlated", "random"}
    assert max(at_the_end.values()) < 1
    assert at_the_end["greedy"] < at_the_end["random"]


def test_what_is_said_of_other_cells(folder, vectors, cells):
    """Of the same cells, and of them under strains, whose energies the descriptions tell."""
    for description in vectors:
        describe_cells(
            [folder / "dataset.xyz"],
            folder / f"strained_{description}.h5",
            description,
            0,
            1,
            PAIR,
            DESCRIPTIONS,
            "code",
            0.02,
        )
    predict_unseen(
        folder / "dataset.xyz",
        vectors,
        {"strained": [folder / "dataset.xyz"]},
        {"strained": {name: folder / f"strained_{name}.h5" for name in vectors}},
        folder / "unseen.csv",
        PAIR,
        LEARNING,
        0,
    )
    table = pd.read_csv(folder / "unseen.csv", keep_default_na=False)
    n = len(cells.names)
    assert list(table) == UNSEEN_COLUMNS
    assert len(table) == 3 * 13 * n
    at_rest = table[(table["model"] == "ridge") & (table["strain"] == "")]
    assert list(at_rest["cell"]) == cells.names
    assert at_rest["energy_ev_atom"].astype(float).to_numpy() == pytest.approx(cells.energies_ev_atom)
    rows = evaluate.thinned(np.arange(n), np.random.default_rng([LEARNING.seed, 0, 2]))
    model = evaluate.fit(cells, rows, "ridge", LEARNING, 0)
    predicted = model.predict(cells.vectors["scattering"], cells.shares)
    assert at_rest["predicted_ev_atom"].to_numpy() == pytest.approx(predicted)
    frame = ase.io.read(folder / "dataset.xyz", index=0)
    sheared = strained(frame, np.array([0, 0, 0, 0, -0.02, 0]))
    shape = orbital_grid_shape(frame.cell.lengths(), DESCRIPTIONS.scattering)
    vector = describe(sheared, "scattering", PAIR, DESCRIPTIONS, shape)
    its = table[(table["model"] == "ridge") & (table["strain"] == "5-") & (table["cell"] == cells.names[0])]
    assert its["predicted_ev_atom"].item() == pytest.approx(model.predict(vector[None], cells.shares[:1])[0])


def test_who_is_asked_for_elastic_constants_has_not_learned_from_the_cell(
    folder, vectors, cells, tmp_path, monkeypatch
):
    frames = ase.io.read(folder / "dataset.xyz", index=":5")
    parents = [frame.info["name"] for frame in frames]
    for frame in frames:
        frame.info["name"] += ":1+"
    ase.io.write(tmp_path / "strained.xyz", frames, format="extxyz")

    class Asked(Exception):
        pass

    def fit(cells, rows, *others):
        raise Asked({cells.names[row] for row in rows})

    monkeypatch.setattr(extrapolate, "fit", fit)
    for batch, left_out in (("strained", set(parents)), ("larger", set())):
        with pytest.raises(Asked) as learned:
            predict_unseen(
                folder / "dataset.xyz", vectors, {batch: [tmp_path / "strained.xyz"]}, {}, tmp_path / "unseen.csv", PAIR,
                LEARNING, 0,
            )  # fmt: skip
        names = learned.value.args[0]
        assert not names & left_out
        assert len(names) == round(0.9 * (len(cells.names) - len(left_out)))
