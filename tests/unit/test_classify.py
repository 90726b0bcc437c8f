"""Classification of whole structures, and what is refused."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from scipy.spatial.transform import Rotation

from gbscape.config.crystal_descriptor import CrystalDescriptor
from gbscape.crystal import Classification, classify, load_model
from gbscape.crystal.classification import (
    ModelMismatch,
    check_atoms,
    check_coincidence,
    check_descriptor,
    descriptor_of,
)
from gbscape.crystal.prototypes import build
from gbscape.crystal.training_set import gas_boxes
from gbscape.learn.feature_space import KNOWN
from gbscape.learn.network_file import save_network
from tests.unit.conftest import CLASSES

PASSES = 60


def test_nothing_heavy_is_imported_before_it_is_needed():
    code = "import sys, gbscape.crystal, gbscape.crystal.boxes; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_package_offers_functions_not_modules():
    import gbscape.crystal

    assert set(gbscape.crystal.__all__) == set(gbscape.crystal._MODULE_OF)
    for name in gbscape.crystal.__all__:
        assert callable(getattr(gbscape.crystal, name))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        gbscape.crystal.nothing  # noqa: B018


@pytest.mark.parametrize("label", CLASSES)
def test_known_crystals_get_their_labels_with_little_uncertainty(model, elemental, label):
    atoms = build(elemental[label])
    found = classify(atoms, model, passes=PASSES)
    assert isinstance(found, Classification)
    assert found.label == label == found.ranking[0][0]
    probabilities = [p for _, p in found.ranking]
    assert sorted(name for name, _ in found.ranking) == sorted(CLASSES)
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1, abs=1e-5)
    assert found.known
    assert found.mutual_information_bits <= found.predictive_entropy_bits + 1e-9


def test_elements_size_and_orientation_do_not_matter(model, elemental):
    atoms = build(elemental["hcp"]).repeat(5)
    atoms.pbc = False
    other = Atoms(
        ["Pt"] * len(atoms), positions=1.7 * Rotation.random(rng=np.random.default_rng(1)).apply(atoms.positions)
    )
    one, two = (classify(a, model, passes=PASSES) for a in (atoms, other))
    assert one.label == two.label == "hcp"
    assert dict(one.ranking)["hcp"] == pytest.approx(dict(two.ranking)["hcp"], abs=1e-4)


def test_what_is_no_crystal_is_far_from_all(model):
    gas = Atoms(positions=(box := gas_boxes(1, closest=0.6)).positions, numbers=box.numbers)
    found = classify(gas, model, passes=PASSES)
    assert not found.known
    assert found.distance_score > KNOWN
    assert classify(gas, replace(model, feature_space=None), passes=PASSES).distance_score is None


def test_hidden_representations_on_request(model):
    found = classify(bulk("Cu"), model, passes=PASSES, hidden_layers=(1, 0))
    assert {name: values.shape for name, values in found.hidden.items()} == {"layer_1": (64,), "layer_0": (64,)}
    assert classify(bulk("Cu"), model, passes=PASSES).hidden == {}


def test_models_are_loaded_from_files(model, tmp_path):
    save_network(tmp_path / "m.safetensors", model)
    loaded = load_model(tmp_path / "m.safetensors", CrystalDescriptor())
    assert classify(bulk("W"), loaded, passes=PASSES) == classify(bulk("W"), model, passes=PASSES)
    with pytest.raises(ModelMismatch, match=r"m\.safetensors.*sigma_nn: 0\.1 against 0\.2"):
        load_model(tmp_path / "m.safetensors", CrystalDescriptor(sigma_nn=0.2))


def test_a_model_that_is_not_there_says_how_to_train_one(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"nothing\.safetensors does not exist.*snakemake --configfile"):
        load_model(tmp_path / "nothing.safetensors")
    monkeypatch.setattr("gbscape.crystal.classification._PROJECT", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"resources/models/arise\.safetensors does not exist"):
        load_model()


def test_a_model_for_other_vectors_is_refused(model):
    assert descriptor_of(model) == CrystalDescriptor()
    with pytest.raises(ModelMismatch, match="l_max: 6 against 5"):
        check_descriptor(model, CrystalDescriptor(l_max=5))
    with pytest.raises(ModelMismatch, match="n_max: 9 against 8"):
        classify(bulk("Cu"), model, descriptor=CrystalDescriptor(n_max=8))
    with pytest.raises(ModelMismatch, match=r"version: 0 against 1.*train it again"):
        descriptor_of(replace(model, descriptor=model.descriptor | {"version": 0}))


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (Atoms(), "has no atoms"),
        (Atoms("CuXCu", positions=np.eye(3)), r"atom 1 \(from 0\) is of an unknown species \(X\)"),
        (
            Atoms("X9", positions=np.arange(27).reshape(9, 3)),
            r"9 atoms \(0, 1, 2, 3, 4, \.\.\., from 0\) are of an unknown",
        ),
        (Atoms("Cu2", positions=[[0, 0, 0], [0, np.nan, 0]]), "atom 1.*not finite"),
        (Atoms("Cu", positions=[[0, 0, 0]]), "no neighbours"),
        (Atoms("Cu3", positions=[[0, 0, 0], [2, 0, 0], [2, 0, 0]]), "at the same place"),
        (Atoms("Cu", positions=[[0, 0, 0]], pbc=True), "cell"),
    ],
)
def test_bad_structures_are_refused(model, atoms, message):
    with pytest.raises(ValueError, match=message):
        classify(atoms, model, passes=PASSES)


def test_coinciding_atoms_are_named():
    positions = bulk("Cu", cubic=True).repeat(3).positions
    numbers = np.arange(len(positions) + 2)
    check_coincidence(positions, numbers)
    check_coincidence(positions[:1], numbers)
    twice = np.concatenate([positions, positions[[5, 7]] + 1e-4])
    with pytest.raises(ValueError, match=r"atoms 5 and 108, 7 and 109 \(from 0\) are at the same place: leave out"):
        check_coincidence(twice, numbers)
    with pytest.raises(ValueError, match=r"and 2 more pairs"):
        check_coincidence(np.zeros((8, 3)), np.arange(8))
    with pytest.raises(ValueError, match="3 and its own image"):
        check_coincidence(np.zeros((2, 3)), np.array([3, 3]))
    check_atoms(Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 0]]))  # left to the other check
