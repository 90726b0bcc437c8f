"""The Bain path."""

from dataclasses import replace

import numpy as np
import pytest
from ase.build import bulk

from gbscape.crystal.bain import LATTICE_PARAMETERS_ANGSTROM, bain_map, tetragonal
from gbscape.crystal.classification import classify
from gbscape.crystal.descriptor import describe_one
from gbscape.learn.network_file import NetworkModel

PASSES = 50


def test_the_published_map_has_3721_structures():
    assert len(LATTICE_PARAMETERS_ANGSTROM) ** 2 == 3721
    np.testing.assert_allclose(np.diff(LATTICE_PARAMETERS_ANGSTROM), 0.05)
    assert LATTICE_PARAMETERS_ANGSTROM[[0, -1]].tolist() == [3.0, 6.0]


def test_the_ends_of_the_path_are_bcc_and_fcc():
    for atoms, cubic in ((tetragonal(3.155, 3.155), bulk("Fe", "bcc", a=3)),
                         (tetragonal(3.615, 3.615 * np.sqrt(2)), bulk("Fe", "fcc", a=4))):  # fmt: skip
        np.testing.assert_allclose(describe_one(atoms), describe_one(cubic), atol=1e-6)


@pytest.fixture(scope="module")
def path(model: NetworkModel):
    return bain_map(model, np.array([3.0, 4.0]), np.array([3.0, 4.0, 4.0 * np.sqrt(2), 6.0]), passes=PASSES)


def test_what_is_found_along_the_path(path, model):
    assert path.probabilities.shape == (2, 4, len(model.classes))
    assert path.mutual_information_bits.shape == path.labels.shape == (2, 4)
    assert path.labels[0, 0] == path.labels[1, 1] == "bcc"
    assert path.labels[1, 2] == "fcc"
    one = classify(tetragonal(3.0, 4.0), model, passes=PASSES)
    assert path.labels[0, 1] == one.label
    assert path.mutual_information_bits[0, 1] == one.mutual_information_bits


def test_only_the_ratio_counts(path):
    """bcc of two sizes."""
    np.testing.assert_allclose(path.probabilities[0, 0], path.probabilities[1, 1], atol=1e-4)


def test_what_is_refused(model):
    with pytest.raises(ValueError, match="must be positive"):
        bain_map(model, np.array([0.0, 3.0]))
    with pytest.raises(ValueError, match="train it again"):
        bain_map(replace(model, descriptor=model.descriptor | {"version": 0}), np.array([3.0]), np.array([3.0]))
