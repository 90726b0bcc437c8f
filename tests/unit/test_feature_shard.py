"""Shards of features: what is stored."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from test_scattering import near_boundary, slab

from gbscape.config.scattering import OrientedScattering, Scattering
from gbscape.features.matrix import read_features
from gbscape.features.representation import featurize
from gbscape.store.provenance import Provenance
from gbscape.store.records import atoms_to_record
from gbscape.store.shards import write_shard
from gbscape.survey.feature_shard import feature_shard


@pytest.mark.parametrize(
    ("representation", "stored"),
    [
        (OrientedScattering(spacing_angstrom=0.5, n_scales=2, n_polar=2, n_azimuthal=2, samples=(8, 1, 1)), np.float32),
        (Scattering(j_max=0, l_max=1, precision="double"), np.float64),
        (Scattering(j_max=0, l_max=1, precision="single"), np.float32),
    ],
)
def test_vectors_are_stored_in_the_precision_they_were_computed_in(representation, stored, tmp_path: Path) -> None:
    atoms = slab()
    atoms.set_array("boundary", near_boundary(atoms))
    survey = tmp_path / "survey.h5"
    write_shard(survey, {"a": {"structure": atoms_to_record(atoms)}}, Provenance.of({}, "code"), {})
    feature_shard(survey, tmp_path / "shard.h5", representation, 0, 1, "code")
    with h5py.File(tmp_path / "shard.h5") as file:
        assert file["items/a/vector"].dtype == stored
    expected = featurize(atoms, atoms.arrays["boundary"], representation).astype(stored)
    features = read_features(tmp_path / "shard.h5")
    assert features.values.dtype == stored
    np.testing.assert_array_equal(features.values[0], expected)
    assert len(features.names) == len(expected)
