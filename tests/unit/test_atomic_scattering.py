"""Scattering seen from single atoms: densities, interpolation and invariances."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from pydantic import ValidationError

from gbscape.config.atomic_scattering import AtomicScattering
from gbscape.features import atomic_scattering as module
from gbscape.features.atomic_scattering import atomic_scattering, deposit_gaussians
from gbscape.features.scattering import gaussian_density

SETTINGS = AtomicScattering(l_max=3, sigma_0_angstrom=1.0, precision="double")


def _iron(seed: int = 1, n: int = 5) -> Atoms:
    atoms = bulk("Fe", "bcc", a=2.8553, cubic=True) * (n, n, n)
    atoms.rattle(0.2, seed=seed)
    atoms.wrap()
    return atoms


def test_the_density_is_that_of_all_images() -> None:
    rng = np.random.default_rng(0)
    edges = np.array([9.0, 11.0, 13.0])
    positions = rng.random((20, 3)) * edges
    density = np.zeros((24, 28, 34))
    deposit_gaussians(density, positions, edges, 0.5)
    expected = gaussian_density(positions, edges, density.shape, 0.5)
    assert np.abs(density - expected).max() < 2e-6 * expected.max()
    assert density.sum() * edges.prod() / density.size == pytest.approx(20, rel=1e-5)


def test_interpolation_is_exact_at_points_and_of_fourth_order_between() -> None:
    def errors(points: int) -> np.ndarray:
        x, y, z = np.meshgrid(*[np.arange(points) / points] * 3, indexing="ij")
        field = np.sin(2 * np.pi * x) * np.cos(2 * np.pi * y) + np.sin(4 * np.pi * z)
        places = np.random.default_rng(1).random((500, 3))
        found = np.empty(500)
        module._sample(field, places, found)
        a, b, c = 2 * np.pi * places.T
        at_points = np.empty(3)
        module._sample(field, np.array([[0, 0, 0], [1, 2, 3], [points - 1] * 3]) / points, at_points)
        assert at_points == pytest.approx([field[0, 0, 0], field[1, 2, 3], field[-1, -1, -1]], abs=1e-12)
        return np.abs(found - np.sin(a) * np.cos(b) - np.sin(2 * c))

    assert errors(40).max() < errors(20).max() / 12
    assert errors(40).max() < 1e-3


def test_number_of_features() -> None:
    assert atomic_scattering(_iron(), SETTINGS).shape == (250, SETTINGS.n_features)
    first = SETTINGS.model_copy(update={"second_order": False})
    assert atomic_scattering(_iron(), first).shape == (250, 1 + 4 * 3)


def test_the_first_order_is_the_sum_over_neighbours() -> None:
    # A Gaussian wavelet of order 0 convolved with the atoms' Gaussians is a Gaussian of both widths.
    atoms, settings = _iron(), SETTINGS
    width = np.hypot(settings.atom_width_angstrom, 2 * settings.sigma_0_angstrom)
    vectors = atoms.get_all_distances(mic=True, vector=True)
    images = np.stack(np.meshgrid(*[(-1, 0, 1)] * 3, indexing="ij"), -1).reshape(-1, 3) @ atoms.cell.array
    squares = ((vectors[:, :, None] + images) ** 2).sum(axis=-1)
    expected = (np.exp(-squares / (2 * width**2)) / (2 * np.pi * width**2) ** 1.5).sum(axis=(1, 2))
    # l = 0: density, U_0, U_01, U_02, U_1 ...
    assert atomic_scattering(atoms, settings)[:, 4] == pytest.approx(expected, rel=1e-3)


def test_a_quarter_turn_and_another_order_of_the_atoms_change_nothing() -> None:
    atoms = _iron()
    before = atomic_scattering(atoms, SETTINGS)
    order = np.random.default_rng(2).permutation(len(atoms))
    assert np.allclose(atomic_scattering(atoms[order], SETTINGS), before[order], rtol=1e-8)
    turned = atoms.copy()
    turned.positions = np.stack([-atoms.positions[:, 1], atoms.positions[:, 0], atoms.positions[:, 2]], axis=1)
    turned.wrap()
    after = atomic_scattering(turned, SETTINGS)
    assert np.abs(after - before).max(axis=0) / before.std(axis=0) == pytest.approx(0, abs=0.02)


def test_a_translation_changes_little() -> None:
    atoms = _iron()
    before = atomic_scattering(atoms, SETTINGS)
    atoms.positions += [0.13, 0.21, 0.37]
    after = atomic_scattering(atoms, SETTINGS)
    # Not of the density at the atoms, which is their own Gaussian and hardly differs between them.
    change = np.sqrt(((after - before) ** 2).mean(axis=0)) / before.std(axis=0)
    assert change[1:].max() < 0.1
    assert np.median(change) < 0.02


def test_supercells_and_threads_change_nothing() -> None:
    atoms = _iron(n=4)
    one = atomic_scattering(atoms, SETTINGS)
    assert np.allclose(atomic_scattering(atoms, SETTINGS, threads=2), one, rtol=1e-10)
    twice = atomic_scattering(atoms * (2, 1, 1), SETTINGS)[: len(atoms)]
    assert np.sqrt(((twice - one) ** 2).mean(axis=0)) / one.std(axis=0) == pytest.approx(0, abs=0.1)


def test_too_coarse_a_grid_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"too coarse for atom_width_angstrom=0\.3"):
        AtomicScattering(atom_width_angstrom=0.3)
