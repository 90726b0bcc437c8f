"""A small model of five elemental crystals, trained in seconds, for all tests that need one."""

from pathlib import Path

import numpy as np
import pytest

from gbscape.config.crystal import Augmentation
from gbscape.config.crystal_descriptor import CrystalDescriptor, TrainingGrid
from gbscape.config.network import Network
from gbscape.crystal.descriptor import identity
from gbscape.crystal.prototypes import load_prototypes
from gbscape.crystal.training_set import augmentation_features, pristine_features
from gbscape.learn.dropout_network import train_network
from gbscape.learn.feature_space import fit_feature_space
from gbscape.learn.network_file import NetworkModel
from gbscape.store.provenance import Provenance

CLASSES = ("bcc", "diamond", "fcc", "hcp", "sc")


@pytest.fixture(scope="session")
def elemental():
    """All elemental prototypes, by label."""
    return load_prototypes(Path(__file__).parents[2] / "resources/prototypes/elemental.yaml")


@pytest.fixture(scope="session")
def model(elemental) -> NetworkModel:
    """A network that tells `CLASSES` apart."""
    descriptor = CrystalDescriptor()
    grid = TrainingGrid(cutoffs_nn=(4.0,), sigmas_nn=(0.1,))
    noise = Augmentation(displacements=(0.03, 0.06), missing=(0.1, 0.2), repeats=2)
    rows, labels, known = [], [], []
    for number, label in enumerate(CLASSES):
        records = (
            pristine_features(elemental[label], descriptor, grid),
            augmentation_features(elemental[label], noise, descriptor),
        )
        features = np.concatenate([record["features"] for record in records if record is not None])
        rows.append(features)
        labels += [number] * len(features)
        known.append(features[len(records[0]["features"]) :])
    features = np.concatenate(rows)
    settings = Network(hidden_sizes=(64, 64), dropout=0.1, learning_rate=3e-3, batch_size=32, epochs=60)
    training = train_network(features, np.array(labels), len(CLASSES), settings)
    space = fit_feature_space(training.network, features, labels, held_out=np.concatenate(known))
    return NetworkModel(
        (training.network,), CLASSES, identity(descriptor), Provenance.of({}, "tests"), feature_space=space
    )
