"""The model that ships: complete, small, and as good as its record says on structures that are made here."""

import json
from collections.abc import Mapping

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from scipy.spatial.transform import Rotation

from gbscape.config.crystal_descriptor import CrystalDescriptor
from gbscape.crystal import classify, load_model, strided_map
from gbscape.crystal.classification import SHIPPED_MODEL, descriptor_of, distance_scores
from gbscape.crystal.descriptor import describe
from gbscape.crystal.evaluation import confident_labels, judge
from gbscape.crystal.prototypes import Prototype, load_prototypes
from gbscape.crystal.supercells import Specimen, defect_hosts, pristine_specimens
from gbscape.crystal.training_set import defective_structure, gas_boxes
from gbscape.learn.feature_space import KNOWN
from gbscape.learn.network_file import NetworkModel

PASSES = 60


@pytest.fixture(scope="module")
def shipped() -> NetworkModel:
    return load_model()


@pytest.fixture(scope="module")
def prototypes(request) -> Mapping[str, Prototype]:
    return load_prototypes(sorted((request.config.rootpath / "resources/prototypes").glob("*.yaml")))


@pytest.fixture(scope="module")
def specimens(prototypes) -> list[Specimen]:
    return [specimen for prototype in prototypes.values() for specimen in pristine_specimens(prototype)]


def accuracy(model: NetworkModel, structures: list[Atoms], labels: list[str]) -> float:
    described = describe(structures)
    assert not described.reasons
    return float((judge(model, described.vectors, passes=PASSES).labels == labels).mean())


def test_it_is_small_and_says_where_it_is_from(shipped, prototypes, request):
    assert (request.config.rootpath / SHIPPED_MODEL).stat().st_size < 8e6
    assert sorted(shipped.classes) == sorted(prototypes)
    assert descriptor_of(shipped) == CrystalDescriptor()
    assert {"pristine", "calibration"} <= set(shipped.provenance.inputs)
    assert json.loads(shipped.provenance.settings)["network"]["members"] == len(shipped.networks)


def test_every_pristine_structure_of_every_class_is_recognised(shipped, specimens):
    assert len(specimens) == 396
    assert accuracy(shipped, [its.atoms for its in specimens], [its.label for its in specimens]) == 1


def test_the_published_recipe_ships_too(specimens, request):
    """One network, pristine structures, no temperature: right about all pristine structures as the thesis's is."""
    published = load_model(
        request.config.rootpath / "resources/models/arise_published.safetensors", CrystalDescriptor()
    )
    assert len(published.networks) == 1
    assert published.temperature == 1.0
    assert set(published.provenance.inputs) == {"pristine", "member_0"}
    assert accuracy(published, [its.atoms for its in specimens], [its.label for its in specimens]) == 1


@pytest.mark.parametrize(("displacement", "missing", "least"), [(0.01, 0, 1.0), (0.1, 0, 0.96), (0, 0.3, 0.99)])
def test_defects_are_forgiven(shipped, prototypes, displacement, missing, least):
    """Goals of all 5 880 structures: 1, 0.98 and 0.999; here one of each class, with another seed."""
    hosts = [defect_hosts(prototype)[0] for prototype in prototypes.values()]
    structures = [defective_structure(host, 0, displacement, missing, 0, seed=7) for host in hosts]
    assert accuracy(shipped, structures, [host.label for host in hosts]) >= least


@pytest.mark.parametrize("closest", [0.0, 0.65])
def test_a_gas_is_not_taken_for_a_crystal(shipped, closest):
    judged = judge(shipped, describe(gas_boxes(100, closest=closest, seed=9)).vectors, passes=PASSES)
    assert confident_labels(judged)["probability_and_distance"].mean() <= 0.05


def test_two_crystals_in_a_box_are_less_certain_than_one(shipped):
    crystal = bulk("Cu", cubic=True) * 8
    turned = crystal.copy()
    turned.positions = Rotation.from_euler("xyz", [0.4, 0.3, 0.2]).apply(turned.positions - 14.4) + 14.4
    left, right = (crystal[crystal.positions[:, 0] < 14.4], turned[turned.positions[:, 0] >= 15.5])
    both = left + right
    one, two = (
        strided_map(atoms, shipped, 12.0, (12.0, None, None), padding=0, passes=PASSES) for atoms in (crystal, both)
    )
    assert set(one.labels) == {"fcc"}
    assert two.mutual_information.max() > one.mutual_information.max() + 0.01


def test_distances_are_known_for_crystals(shipped):
    scores = distance_scores(shipped, describe([bulk("Cu"), bulk("Fe"), bulk("Si")]).vectors)
    assert np.all(scores < KNOWN)
    assert classify(bulk("Si"), shipped, passes=PASSES).known
