"""From vectors to a model in a file: search, candidates, choice and calibration, on three well separated classes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gbscape.config.crystal import CrystalModel
from gbscape.config.crystal_descriptor import CrystalDescriptor
from gbscape.config.network import Network, NetworkSearch
from gbscape.crystal.train_model import assemble, candidate_network, choose, chosen_candidate, search, train, under
from gbscape.crystal.training_set import read_rows
from gbscape.learn.dropout_network import activations
from gbscape.learn.network_file import load_network
from gbscape.store.provenance import Provenance
from gbscape.store.shards import write_shard

DESCRIPTOR = CrystalDescriptor()
CLASSES = ("a", "b", "c")
MODEL = CrystalModel(
    network=Network(hidden_sizes=(8,), epochs=30, batch_size=8, learning_rate=0.01, dropout=0.05),
    search=NetworkSearch(trials=3, epochs=3, most_layers=1, layer_sizes=(4, 8), batch_sizes=(8,), candidates=2),
)


def write_rows(path: Path, columns: dict[str, list[float]], noise: float, seed: int) -> Path:
    """Rows of each class around a point of its own, one for each value of the columns, ten times over."""
    random = np.random.default_rng(seed)
    values = {name: np.repeat(given, 10) for name, given in columns.items()}
    n = len(next(iter(values.values())))
    records = {}
    for number, label in enumerate(CLASSES):
        features = noise * random.standard_normal((n, DESCRIPTOR.n_features))
        features[:, number] += 1
        records[label] = values | {
            "features": features.astype(np.float32),
            "specimen": np.zeros(n, np.int16),
            "replicas": np.ones(n, np.int16),
            "periodic": np.ones(n, bool),
            "n_atoms": np.full(n, 100, np.int32),
        }
    write_shard(path, records, Provenance.of({}, "code"), {})
    return path


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = {"cutoff_nn": [3.5, 4.0], "sigma_nn": [0.1, 0.1], "extrinsic_scaling": [1.0, 1.0]}
    return write_rows(tmp_path_factory.mktemp("rows") / "pristine.h5", settings, 0.01, 0)


@pytest.fixture(scope="module")
def defective(tmp_path_factory: pytest.TempPathFactory) -> Path:
    defects = {"displacement": [0.005, 0.0, 0.1], "missing": [0.0, 0.05, 0.0], "repeat": [0, 0, 0]}
    return write_rows(tmp_path_factory.mktemp("rows") / "defective.h5", defects, 0.05, 1)


@pytest.fixture(scope="module")
def candidates(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A network that has not learned, and one that has."""
    folder = tmp_path_factory.mktemp("candidates")
    for number, rate in enumerate((1e-9, 0.01)):
        network = MODEL.network.model_copy(update={"learning_rate": rate})
        train(pristine, None, folder / f"{number}.safetensors", network, 0, DESCRIPTOR, "code")
    return [folder / f"{number}.safetensors" for number in range(2)]


def test_candidates_are_the_best_trials(pristine: Path, tmp_path: Path) -> None:
    search(pristine, tmp_path / "trials.csv", MODEL, "code")
    trials = pd.read_csv(tmp_path / "trials.csv")
    assert len(trials) == 3
    best = trials.sort_values(["validation_accuracy", "validation_loss"], ascending=[False, True]).iloc[0]
    first = candidate_network(MODEL, tmp_path / "trials.csv", 0)
    assert first.learning_rate == best["learning_rate"]
    assert first.epochs == MODEL.network.epochs  # trials are shorter
    with pytest.raises(ValueError, match=r"candidate 2 is asked for: set search.candidates to 2"):
        candidate_network(MODEL, tmp_path / "trials.csv", 2)
    assert candidate_network(MODEL, None, 0) == MODEL.network
    with pytest.raises(ValueError, match="ask for no search"):
        search(pristine, tmp_path / "none.csv", MODEL.model_copy(update={"search": None}), "code")


def test_the_candidate_that_defects_disturb_least_is_chosen(
    candidates: list[Path], pristine: Path, defective: Path, tmp_path: Path
) -> None:
    choose(candidates, pristine, defective, tmp_path / "choice.csv")
    table = pd.read_csv(tmp_path / "choice.csv")
    assert table["chosen"].tolist() == [False, True]
    assert table["slight_defects"][1] > table["slight_defects"][0]
    assert chosen_candidate(tmp_path / "choice.csv") == 1
    # only displacements below 1 %, and at most 5 % missing, are slight: their accuracy, counted by hand
    rows = read_rows(defective)
    right = activations(load_network(candidates[1]).networks[0], rows.features)[-1].argmax(axis=1)
    slight = rows.table["displacement"] < 0.01
    expected = (right == rows.class_numbers(CLASSES))[slight].mean()
    assert table["slight_defects"][1] == pytest.approx(expected)


def test_a_model_knows_its_members_its_temperature_and_its_classes(
    candidates: list[Path], pristine: Path, defective: Path, tmp_path: Path
) -> None:
    assemble(candidates[1:], pristine, defective, tmp_path / "model.safetensors", DESCRIPTOR, MODEL, "code")
    model = load_network(tmp_path / "model.safetensors")
    assert model.classes == CLASSES
    assert len(model.networks) == 1
    assert model.temperature != 1.0
    assert model.feature_space is not None
    assemble(candidates[1:], pristine, None, tmp_path / "plain.safetensors", DESCRIPTOR, MODEL, "code")
    assert load_network(tmp_path / "plain.safetensors").temperature == 1.0


def test_rows_under_the_descriptors_own_settings(pristine: Path) -> None:
    rows = read_rows(pristine)
    own = under(rows, DESCRIPTOR)
    assert set(own.table["cutoff_nn"]) == {DESCRIPTOR.cutoff_nn}
    assert 0 < len(own.table) < len(rows.table)
    with pytest.raises(ValueError, match=r"does not have the descriptor's own settings, cutoff_nn = 3.9"):
        under(rows, DESCRIPTOR.model_copy(update={"cutoff_nn": 3.9}))
