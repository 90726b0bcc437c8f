"""Statistics of SOAP vectors: against NumPy and SciPy on all vectors, invariances, and the excess as an energy sees it."""

import numpy as np
import pytest
import scipy.stats
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from test_representations import SIGMA_5_TILT

from gbscape.config.soap import PooledSoap, Soap
from gbscape.features import pooled_soap as module
from gbscape.features import soap
from gbscape.features.names import feature_names
from gbscape.features.pooled_soap import bulk_atoms, pooled_soap
from gbscape.features.representation import featurize
from gbscape.structure.bicrystal import build_bicrystal, remove_overlaps

ALL = ("mean", "standard_deviation", "skewness", "minimum", "maximum", "excess_per_area")
SMALL = PooledSoap(n_max=4, l_max=3, cutoff_angstrom=4.0, statistics=ALL)


def slab(half_thickness=18.0, rattled=True):
    atoms = remove_overlaps(build_bicrystal(SIGMA_5_TILT, "fcc", 3.52, "Ni", half_thickness), 1.8)
    if rattled:
        near = np.abs(atoms.positions[:, 0]) < 4
        atoms.positions[near] += np.random.default_rng(0).normal(0, 0.05, (near.sum(), 3))
    return atoms


def near_boundary(atoms, distance=5.0):
    return np.abs(atoms.positions[:, 0]) < distance


def statistics_of(vector):
    return dict(zip(ALL, vector.reshape(len(ALL), -1), strict=True))


@pytest.mark.parametrize("chunk", [7, 256])
def test_statistics_are_those_of_all_vectors(chunk, monkeypatch):
    atoms = slab()
    mask = near_boundary(atoms)
    whole = module.power_spectrum_chunks
    monkeypatch.setattr(module, "power_spectrum_chunks", lambda *a, chunk_size: whole(*a, chunk_size=chunk))
    found = statistics_of(featurize(atoms, mask, SMALL))
    vectors = soap.power_spectrum(atoms, SMALL.parameters(), mask)
    assert len(vectors) > 2 * 7
    np.testing.assert_allclose(found["mean"], vectors.mean(0), atol=1e-14)
    np.testing.assert_allclose(found["standard_deviation"], vectors.std(0), atol=1e-14)
    np.testing.assert_array_equal(found["minimum"], vectors.min(0))
    np.testing.assert_array_equal(found["maximum"], vectors.max(0))
    varies = vectors.std(0) > 1e-10
    assert varies.sum() > 30
    np.testing.assert_allclose(found["skewness"][varies], scipy.stats.skew(vectors[:, varies]), atol=1e-8)
    assert found["skewness"][-1] == 0.0  # the component that is always zero
    crystal = soap.power_spectrum(atoms, SMALL.parameters(), bulk_atoms(atoms, mask, 4.0)).mean(0)
    expected = (vectors - crystal).sum(0) / atoms.cell.lengths()[1:].prod()
    np.testing.assert_allclose(found["excess_per_area"], expected, atol=1e-14)


def test_the_mean_is_that_of_averaged_soap_and_the_order_is_the_settings():
    atoms = slab()
    mask = near_boundary(atoms)
    both = PooledSoap.model_validate(SMALL.model_dump() | {"statistics": ["maximum", "mean"]})
    maximum, mean = featurize(atoms, mask, both).reshape(2, -1)
    np.testing.assert_array_equal(mean, featurize(atoms, mask, Soap(n_max=4, l_max=3, cutoff_angstrom=4.0)))
    np.testing.assert_array_equal(maximum, statistics_of(featurize(atoms, mask, SMALL))["maximum"])
    names = feature_names(both)
    assert len(names) == len(set(names)) == 2 * len(mean)
    assert (names[0], names[-1]) == ("maximum/p[1,1,l=0]", "mean/zero")


@settings(max_examples=5, deadline=None)
@given(
    seed=st.integers(0, 99), repeat=st.tuples(st.integers(1, 2), st.integers(1, 3)), angle=st.sampled_from([0, 90, 180])
)
def test_permutation_repetition_and_rotation_about_the_normal_do_not_matter(seed, repeat, angle):
    atoms = slab()
    mask = near_boundary(atoms)
    expected = pooled_soap(atoms, mask, SMALL)
    other = atoms.repeat((1, *repeat))
    if angle == 90:
        other.positions[:, 1:] = other.positions[:, [2, 1]] * [-1, 1]
        other.set_cell(other.cell.lengths()[[0, 2, 1]], scale_atoms=False)
    elif angle == 180:
        other.positions[:, 1:] *= -1
    order = np.random.default_rng(seed).permutation(len(other))
    found = pooled_soap(other[order], np.tile(mask, repeat[0] * repeat[1])[order], SMALL)
    assert np.abs(found - expected).max() < 1e-7  # skewness divides by what is small
    np.testing.assert_allclose(
        statistics_of(found)["excess_per_area"], statistics_of(expected)["excess_per_area"], atol=1e-12
    )


def test_a_perfect_crystal_has_no_excess_and_no_spread():
    atoms = bulk("Ni", "fcc", 3.52, cubic=True).repeat((12, 2, 2))
    atoms.pbc = (False, True, True)
    atoms.positions[:, 0] -= atoms.positions[:, 0].mean()
    found = statistics_of(pooled_soap(atoms, near_boundary(atoms), SMALL))
    assert np.abs(found["excess_per_area"]).max() < 1e-14
    assert found["standard_deviation"].max() < 1e-14
    assert (found["skewness"] == 0).all()


def test_excess_grows_with_selected_boundary_not_with_selected_bulk():
    """Further away from the boundary than the cut-off there is nothing to add; the mean is diluted instead."""
    atoms = slab(26.0)
    narrow, wide = (statistics_of(pooled_soap(atoms, near_boundary(atoms, d), SMALL)) for d in (9.0, 13.0))
    excess = np.abs(narrow["excess_per_area"]).max()
    assert np.abs(wide["excess_per_area"] - narrow["excess_per_area"]).max() < 1e-9 * excess
    assert np.abs(wide["mean"] - narrow["mean"]).max() > 1e-3


def test_a_slab_without_bulk_is_refused_with_its_measures():
    atoms = slab(12.0)
    mask = near_boundary(atoms)
    with pytest.raises(
        ValueError, match=r"no bulk: no atom is more than the cut-off, 4 Angstrom.*leave out 'excess_per_area'"
    ):
        pooled_soap(atoms, mask, SMALL)
    without = PooledSoap.model_validate(SMALL.model_dump() | {"statistics": ["mean"]})
    assert np.isfinite(pooled_soap(atoms, mask, without)).all()


def test_bulk_atoms_are_out_of_sight_of_boundary_and_surface():
    atoms = slab()
    mask = near_boundary(atoms)
    x = atoms.positions[:, 0]
    chosen = bulk_atoms(atoms, mask, 4.0)
    distances = np.abs(x[chosen][:, None] - x[mask]).min()
    assert distances > 4.0
    assert (x[chosen] - 4.0 > x.min()).all()
    assert (x[chosen] + 4.0 < x.max()).all()
    assert (x[chosen] > 0).any()
    assert (x[chosen] < 0).any()
