from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from scipy.special import sph_harm_y

from gbscape.config.scattering import Scattering
from gbscape.features.names import scattering_names
from gbscape.features.scattering import (
    boundary_scattering,
    gaussian_density,
    grid_shape,
    scatter,
    vacuum_angstrom,
)
from gbscape.features.solid_harmonics import real_solid_harmonics
from gbscape.structure.bicrystal import build_bicrystal, remove_overlaps

SIGMA_5_TILT = SimpleNamespace(left=[[6, 2, 0], [-2, 6, 0], [0, 0, 2]], right=[[6, -2, 0], [2, 6, 0], [0, 0, 2]])
SMALL = Scattering(j_max=2, l_max=3)


def slab():
    atoms = remove_overlaps(build_bicrystal(SIGMA_5_TILT, "fcc", 3.52, "Ni", 10.0), 1.8)
    atoms.rattle(0.05, seed=3)
    return atoms


def near_boundary(atoms):
    return np.abs(atoms.positions[:, 0]) < 4


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 99), repeat=st.tuples(st.integers(1, 3), st.integers(1, 3)))
def test_permutation_and_repetition_do_not_matter(seed, repeat):
    """Repetition may change the grid, e.g. from 8 points along 3.5 Angstrom to 24 along 10.6 or 16 along 7."""
    atoms = slab()
    mask = near_boundary(atoms)
    expected = boundary_scattering(atoms, mask, SMALL)
    other = atoms.repeat((1, *repeat))
    order = np.random.default_rng(seed).permutation(len(other))
    features = boundary_scattering(other[order], np.tile(mask, repeat[0] * repeat[1])[order], SMALL)
    np.testing.assert_allclose(features, expected, rtol=1e-2)
    assert np.median(np.abs(features / expected - 1)) < 1e-3


def test_repetition_that_keeps_the_grid_is_exact():
    atoms = slab()
    atoms.set_cell([20, 12.0, 4.0], scale_atoms=False)
    atoms.positions[:, 1:] *= np.array([12.0, 4.0]) / [11.131217, 3.52]
    mask = near_boundary(atoms)
    expected = boundary_scattering(atoms, mask, SMALL)
    for repeat in ((1, 2, 1), (1, 1, 3), (1, 2, 2)):
        features = boundary_scattering(atoms.repeat(repeat), np.tile(mask, np.prod(repeat)), SMALL)
        np.testing.assert_allclose(features, expected, rtol=1e-7)


@settings(max_examples=8, deadline=None)
@given(shift=st.tuples(*[st.floats(-20, 20)] * 3))
def test_translation_matters_no_more_than_the_grid(shift):
    atoms = slab()
    mask = near_boundary(atoms)
    expected = boundary_scattering(atoms, mask, SMALL)
    atoms.positions += shift
    features = boundary_scattering(atoms, mask, SMALL)
    np.testing.assert_allclose(features, expected, rtol=1e-2)
    assert np.median(np.abs(features / expected - 1)) < 1e-3


def test_translation_error_vanishes_with_the_spacing():
    atoms = slab()
    mask = near_boundary(atoms)
    moved = atoms.copy()
    moved.positions += [0.11, 0.17, 0.13]
    error = {}
    for spacing in (0.5, 0.25):
        parameters = Scattering(j_max=1, l_max=3, spacing_angstrom=spacing)
        ratio = boundary_scattering(moved, mask, parameters) / boundary_scattering(atoms, mask, parameters)
        error[spacing] = np.sqrt(np.mean((ratio - 1) ** 2))
    assert error[0.25] < 0.4 * error[0.5]
    assert error[0.25] < 1e-3


@pytest.mark.parametrize(
    "turn",
    [np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]), np.diag([-1, -1, 1]), np.diag([-1, 1, 1])],
    ids=["quarter turn about the normal", "grains swapped", "mirror"],
)
def test_turns_that_keep_the_cell_are_exact(turn):
    atoms = slab()
    mask = near_boundary(atoms)
    expected = boundary_scattering(atoms, mask, SMALL)
    atoms.positions = atoms.positions @ turn.T
    atoms.set_cell(np.abs(turn) @ atoms.cell.lengths(), scale_atoms=False)
    np.testing.assert_allclose(boundary_scattering(atoms, mask, SMALL), expected, rtol=1e-6)


def test_any_rotation_matters_no_more_than_the_grid():
    """A cluster in a box so large that its images do not count."""
    rng = np.random.default_rng(0)
    cluster = rng.normal(size=(12, 3)) * 1.5
    parameters = Scattering(j_max=1, l_max=4, integral_powers=(1.0, 2.0))
    cell = np.full(3, 24.0)

    def features(positions):
        return scatter(gaussian_density(positions + 12, cell, (48, 48, 48), 0.5), cell, parameters)

    expected = features(cluster)
    for seed in range(3):
        rotated = features(Rotation.random(rng=np.random.default_rng(seed)).apply(cluster))
        np.testing.assert_allclose(rotated, expected, rtol=5e-3)
        assert np.median(np.abs(rotated / expected - 1)) < 1e-4
    stretched = features(cluster * [1.1, 1, 1])
    assert np.median(np.abs(stretched / expected - 1)) > 1e-2


def test_images_along_x_are_out_of_reach():
    atoms = slab()
    mask = near_boundary(atoms)
    parameters = Scattering(j_max=2, l_max=4)
    periods = atoms.cell.lengths()[1:]
    vacuum = vacuum_angstrom(parameters)
    features = []
    for empty in (vacuum, 2 * vacuum):  # one spacing along x in both, so that the grid does not show
        points = 2 * round((empty + 8) / 0.3 / 2)
        cell = np.array([points * 0.3, *periods])
        shape = (points, *grid_shape(cell, 0.3)[1:])
        features.append(scatter(gaussian_density(atoms.positions[mask], cell, shape, 0.5), cell, parameters))
    names = scattering_names(parameters)
    np.testing.assert_allclose(features[0], features[1], rtol=1e-3)
    linear = [i for i, name in enumerate(names) if name.endswith("q=1]")]
    np.testing.assert_allclose(features[0][linear], features[1][linear], rtol=1e-5)


def test_density_is_the_sum_over_atoms_and_images():
    rng = np.random.default_rng(1)
    cell, shape, width = np.array([5.0, 1.2, 3.0]), (10, 4, 6), 0.6
    positions = rng.uniform(-9, 9, (4, 3))
    density = gaussian_density(positions, cell, shape, width)
    grid = np.stack(
        np.meshgrid(*[np.arange(n) * length / n for n, length in zip(shape, cell, strict=True)], indexing="ij"), -1
    )
    images = np.stack(np.meshgrid(*[np.arange(-12, 13)] * 3, indexing="ij"), -1).reshape(-1, 3) * cell
    expected = np.zeros(shape)
    for position in positions:
        squared = ((grid[..., None, :] - position - images) ** 2).sum(-1)
        expected += np.exp(-squared / (2 * width**2)).sum(-1)
    np.testing.assert_allclose(density, expected / (2 * np.pi * width**2) ** 1.5, rtol=1e-9)


def test_density_integrates_to_the_number_of_atoms():
    atoms = slab()
    mask = near_boundary(atoms)
    features = dict(zip(scattering_names(SMALL), boundary_scattering(atoms, mask, SMALL), strict=True))
    assert features["S0[q=1]"] * atoms.cell.lengths()[1:].prod() == pytest.approx(mask.sum(), rel=1e-8)
    # l = 0 wavelets are Gaussians of integral 1, which keep the integral of a positive density
    assert features["S1[j=2,l=0,q=1]"] == pytest.approx(features["S0[q=1]"], rel=1e-8)
    assert features["S2[j=0,2,l=0,q=1]"] == pytest.approx(features["S0[q=1]"], rel=1e-8)


@given(
    lengths=st.tuples(*[st.floats(0.1, 300)] * 3),
    spacing=st.floats(0.1, 2),
)
def test_grid_is_even_fine_enough_and_fast(lengths, spacing):
    for points, length in zip(grid_shape(lengths, spacing), lengths, strict=True):
        assert points % 2 == 0
        assert length / points <= spacing * (1 + 1e-8)
        assert points <= 2.4 * length / spacing + 4
        for factor in (2, 3, 5):
            while points % factor == 0:
                points //= factor
        assert points == 1


@pytest.mark.parametrize("order", range(7))
def test_solid_harmonics_agree_with_scipy(order):
    rng = np.random.default_rng(2)
    x, y, z = rng.normal(size=(3, 50))
    r, theta, phi = np.sqrt(x**2 + y**2 + z**2), np.arctan2(np.hypot(x, y), z), np.arctan2(y, x)
    for m, ours in zip(range(-order, order + 1), real_solid_harmonics(order, x, y, z), strict=True):
        complex_one = r**order * sph_harm_y(order, abs(m), theta, phi)
        real = complex_one.real if m >= 0 else complex_one.imag
        expected = real * (1 if m == 0 else np.sqrt(2) * (-1) ** m)  # scipy's has the Condon-Shortley phase
        np.testing.assert_allclose(ours, expected, rtol=1e-10, atol=1e-12)


def test_names_are_one_for_each_feature():
    atoms = slab()
    for parameters in (SMALL, Scattering(j_max=0, l_max=0, integral_powers=(1.0,))):
        names = scattering_names(parameters)
        paths = 1 + (parameters.j_max + 1) * (parameters.j_max + 2) // 2 * (parameters.l_max + 1)
        assert len(names) == len(set(names)) == paths * len(parameters.integral_powers)
        assert len(boundary_scattering(atoms, near_boundary(atoms), parameters)) == len(names)


@pytest.mark.parametrize(
    ("density", "cell", "message"),
    [
        (np.ones((4, 4)), [1, 1, 1], "three-dimensional"),
        (-np.ones((4, 4, 4)), [1, 1, 1], "not negative"),
        (np.full((4, 4, 4), np.nan), [1, 1, 1], "finite"),
        (np.ones((4, 4, 4)), [1, 0, 1], "three positive edge lengths"),
        (np.ones((4, 4, 4)), np.eye(3), "three positive edge lengths"),
    ],
)
def test_wrong_densities_are_refused(density, cell, message):
    with pytest.raises(ValueError, match=message):
        scatter(density, cell, SMALL)


def test_wrong_selections_slabs_and_engines_are_refused():
    atoms = slab()
    with pytest.raises(ValueError, match="holds no atom"):
        boundary_scattering(atoms, np.zeros(len(atoms), dtype=bool), SMALL)
    with pytest.raises(ValueError, match=r"must be bool of shape \(68,\), got int64 of shape \(2,\)"):
        boundary_scattering(atoms, np.array([1, 2]), SMALL)
    with pytest.raises(ValueError, match="unknown scattering engine 'morlet'; allowed: 'torch', 'kymatio'"):
        boundary_scattering(atoms, near_boundary(atoms), SMALL, engine="morlet")
    mixed = atoms.copy()
    mixed.symbols[0] = "Cu"
    with pytest.raises(ValueError, match="one species, the slab has Cu, Ni"):
        boundary_scattering(mixed, near_boundary(atoms), SMALL)
