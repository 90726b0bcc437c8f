from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.optimize import brentq

from gbscape.config.scattering import OrientedScattering
from gbscape.features.scattering import gaussian_density
from gbscape.features.scattering_invariant import invariant_integrals
from gbscape.features.scattering_oriented import oriented_samples
from gbscape.features.wavelets import GaussianSolidHarmonics, WaveletFamily

GAUSSIANS = GaussianSolidHarmonics((0.7, 1.4))


@dataclass(frozen=True)
class Slater:
    """r^l exp(-r / a_j) Y_lm, up to a factor: its Fourier transform is k^l / (1 + (a k)^2)^(l + 2) Y_lm."""

    radii: tuple[float, ...]

    def radial(self, scale, order, squared):
        a = self.radii[scale]
        return a**order / (1 + a**2 * squared) ** (order + 2)

    def band_limit(self, scale, order, tolerance):
        return norm_limit(self, scale, order, tolerance)


def squared_norm(family, scale, order, lower):
    def integrand(k):
        return float(family.radial(scale, order, torch.tensor(k**2, dtype=torch.float64))) ** 2 * k ** (2 * order + 2)

    return quad(integrand, lower, np.inf, epsabs=0, epsrel=1e-9, limit=200)[0]


def norm_limit(family, scale, order, tolerance):
    whole = squared_norm(family, scale, order, 0)
    return brentq(lambda k: squared_norm(family, scale, order, k) / whole - tolerance**2, 1e-3, 1e3)


@pytest.mark.parametrize("tolerance", [0.5, 1e-2, 1e-4])
@pytest.mark.parametrize("order", [0, 1, 4])
def test_band_limit_of_gaussians(order, tolerance):
    assert GAUSSIANS.band_limit(1, order, tolerance) == pytest.approx(norm_limit(GAUSSIANS, 1, order, tolerance))


def test_scales_are_dilations_that_keep_the_integral():
    k = torch.linspace(0, 5, 20, dtype=torch.float64)
    for order in range(4):
        narrow, wide = (GAUSSIANS.radial(scale, order, (k / s) ** 2) / s**order for scale, s in ((0, 0.7), (1, 1.4)))
        torch.testing.assert_close(narrow, wide)
    assert float(GAUSSIANS.radial(0, 0, torch.zeros(()))) * sqrt(1 / (4 * pi)) == pytest.approx(1)


@pytest.fixture(scope="module")
def density():
    cell = (9.0, 7.0, 8.0)
    positions = np.random.default_rng(0).uniform(0, 7, (12, 3))
    return torch.from_numpy(gaussian_density(positions, cell, (30, 24, 28), 0.5))[None], cell


def test_any_family_of_this_form_serves(density):
    """Slater functions, by the invariant and the oriented transform, against filters written out."""
    values, cell = density
    family: WaveletFamily = Slater((0.5, 1.0))
    exact = invariant_integrals(values, cell, family, 2, 1, (1.0, 2.0), 0.0)[0]

    waves = [2 * pi * np.fft.fftfreq(n, length / n) for n, length in zip(values.shape[1:], cell, strict=True)]
    kx, ky, kz = np.meshgrid(*waves, indexing="ij")
    spectrum = np.fft.fftn(values[0].numpy())
    for scale, radius in enumerate(family.radii):
        radial = radius / (1 + radius**2 * (kx**2 + ky**2 + kz**2)) ** 3 * sqrt(3 / (4 * pi))
        squared = sum(np.fft.ifftn(-1j * spectrum * radial * k).real ** 2 for k in (kx, ky, kz))
        voxel = np.prod(cell) / values.numel()
        expected = [np.sqrt(squared).sum() * voxel, squared.sum() * voxel]
        np.testing.assert_allclose(exact[scale, 1], expected, rtol=1e-6)

    banded = invariant_integrals(values, cell, family, 2, 1, (1.0, 2.0), 1e-3)[0]
    np.testing.assert_allclose(banded, exact, rtol=1e-3)

    parameters = OrientedScattering(
        order=1, n_scales=2, n_polar=2, n_azimuthal=2, samples=(8, 1, 1), window_angstrom=8.0, tolerance=0
    )
    zeroth, moduli = oriented_samples(values, cell, family, parameters)
    assert moduli.shape == (1, 2, 2, 8, 1, 1)
    assert (zeroth > 0).all()
    assert (moduli > 0).all()
