"""The scattering transform against stock Kymatio on a cube, and against radial quadrature for a single Gaussian."""

import numpy as np
import pytest
from scipy.integrate import simpson
from scipy.special import gamma, spherical_jn

from gbscape.config.scattering import Scattering
from gbscape.features.names import scattering_names
from gbscape.features.scattering import gaussian_density, scatter
from gbscape.features.scattering_kymatio import Harmonics, ScaledFilters

from kymatio.numpy import HarmonicScattering3D  # isort: skip  (imports only after gbscape has restored a SciPy function)
from kymatio.scattering3d.filter_bank import solid_harmonic_3d  # isort: skip


@pytest.mark.parametrize("engine", ["torch", "kymatio"])
def test_agrees_with_stock_kymatio_on_a_cube(engine):
    rng = np.random.default_rng(0)
    points, spacing = 24, 0.5
    cell = np.full(3, points * spacing)
    parameters = Scattering(j_max=2, l_max=4, sigma_0_angstrom=0.8, tolerance=0)
    density = gaussian_density(rng.uniform(3, 9, (8, 3)), cell, (points,) * 3, 0.5)
    stock = HarmonicScattering3D(
        J=2, shape=(points,) * 3, L=4, sigma_0=0.8 / spacing, integral_powers=parameters.integral_powers
    )
    ours = scatter(density, cell, parameters, engine)[3:]
    # Kymatio's own filters and sums are in single precision
    np.testing.assert_allclose(ours, stock(density).ravel() * spacing**3, rtol=2e-5)


@pytest.mark.parametrize(
    ("cell", "shape"), [((12.0, 12.0, 12.0), (40, 40, 40)), ((9.0, 15.0, 12.6), (30, 48, 42))], ids=["cube", "cell"]
)
def test_torch_agrees_with_kymatio_in_double_precision(cell, shape):
    """With atoms wide enough to leave nothing at the highest frequency, where the two take different signs."""
    positions = np.random.default_rng(4).uniform(0, 1, (30, 3)) * cell
    density = gaussian_density(positions, np.array(cell), shape, 0.75)
    parameters = Scattering(j_max=2, l_max=4, sigma_0_angstrom=0.5, tolerance=0)
    expected = scatter(density, cell, parameters, "kymatio")
    np.testing.assert_allclose(scatter(density, cell, parameters, "torch"), expected, rtol=1e-9)
    banded = scatter(density, cell, parameters.model_copy(update={"tolerance": 1e-3}), "torch")
    np.testing.assert_allclose(banded, expected, rtol=1e-3)
    assert np.abs(banded / expected - 1).max() > 1e-9
    single = scatter(density, cell, parameters.model_copy(update={"precision": "single"}), "torch")
    np.testing.assert_allclose(single, expected, rtol=2e-5)


@pytest.mark.parametrize("order", range(5))
def test_filters_are_kymatio_s_on_a_cube(order):
    points, spacing, sigma = 12, 0.4, 0.9
    ours = ScaledFilters(order, sigma, Harmonics(order, (points,) * 3, np.full(3, points * spacing)))
    stock = solid_harmonic_3d(points, points, points, sigma / spacing, order)
    assert len(ours) == len(stock) == 2 * order + 1
    power = sum(ours[m] ** 2 for m in range(2 * order + 1))
    np.testing.assert_allclose(power, (np.abs(stock) ** 2).sum(axis=0), rtol=2e-5, atol=1e-10)
    # m = 0 is real in both, but for the phase (-i)^l and the sense of the axes: Kymatio's polar axis is the first
    polar_last = np.moveaxis(stock[order], 0, 2) / (-1j) ** order * (-1) ** order
    interior = np.ones((points,) * 3, dtype=bool)
    interior[points // 2] = interior[:, points // 2] = interior[:, :, points // 2] = (
        False  # the sign of the last frequency
    )
    np.testing.assert_allclose(ours[order][interior], polar_last.real[interior], atol=2e-6)


def test_spacings_that_differ_by_axis_give_what_a_cube_gives():
    rng = np.random.default_rng(3)
    cluster = 10 + rng.normal(size=(6, 3))
    parameters = Scattering(j_max=1, l_max=3, sigma_0_angstrom=0.7, integral_powers=(1.0, 2.0))
    cube, cell = np.full(3, 20.0), np.array([20.0, 21.0, 23.0])  # large enough for images not to count
    expected = scatter(gaussian_density(cluster, cube, (50,) * 3, 0.5), cube, parameters)
    features = scatter(gaussian_density(cluster, cell, (64, 60, 52), 0.5), cell, parameters)
    np.testing.assert_allclose(features, expected, rtol=1e-3)


def _norm(order):
    """Of Kymatio's solid-harmonic wavelets, from the two formulae in its source."""
    if order % 2 == 0:
        norm = 1 / (2 * np.pi * np.sqrt(order + 0.5) * np.prod(np.arange(order + 1, 0, -2)))
    else:
        norm = 1 / (2 ** (0.5 * (order + 3)) * np.sqrt(np.pi * (2 * order + 1)) * gamma((order + 1) / 2 + 1))
    return norm * (2 * np.pi) ** 1.5


WIDTH, SIGMA_0 = 0.6, 0.7
PARAMETERS = Scattering(
    j_max=1, l_max=4, sigma_0_angstrom=SIGMA_0, atom_width_angstrom=WIDTH, integral_powers=(0.5, 1.0, 2.0)
)


@pytest.fixture(scope="module")
def single_gaussian():
    """Features of one Gaussian atom, off the grid points, in a box of 22 Angstrom."""
    cell = np.full(3, 22.0)
    density = gaussian_density(np.array([[11.1, 10.9, 11.03]]), cell, (60,) * 3, WIDTH)
    return dict(zip(scattering_names(PARAMETERS), scatter(density, cell, PARAMETERS), strict=True))


@pytest.mark.parametrize("power", PARAMETERS.integral_powers)
def test_zeroth_order_of_a_gaussian(single_gaussian, power):
    exact = (2 * np.pi * WIDTH**2) ** (1.5 * (1 - power)) / power**1.5
    assert single_gaussian[f"S0[q={power:g}]"] == pytest.approx(exact, rel=1e-5)


def first_order_modulus(r, order, j):
    """A Gaussian convolved with a solid harmonic times a Gaussian is another one, of the added squared widths."""
    sigma = SIGMA_0 * 2**j
    s2 = WIDTH**2 + sigma**2
    peak = _norm(order) * sigma**order / ((2 * np.pi) ** 1.5 * s2 ** (1.5 + order))
    return peak * r**order * np.exp(-(r**2) / (2 * s2)) * np.sqrt((2 * order + 1) / (4 * np.pi))


@pytest.mark.parametrize("power", PARAMETERS.integral_powers)
@pytest.mark.parametrize("order", range(5))
@pytest.mark.parametrize("j", [0, 1])
def test_first_order_of_a_gaussian(single_gaussian, j, order, power):
    s2 = WIDTH**2 + (SIGMA_0 * 2**j) ** 2
    amplitude = first_order_modulus(1.0, order, j) * np.exp(1 / (2 * s2))
    exponent = (power * order + 3) / 2
    exact = 4 * np.pi * amplitude**power * 0.5 * (2 * s2 / power) ** exponent * gamma(exponent)
    assert single_gaussian[f"S1[j={j},l={order},q={power:g}]"] == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("order", range(5))
def test_second_order_of_a_gaussian(single_gaussian, order):
    """The first modulus is radial, so its convolution is a radial transform there and back."""
    r, k = np.linspace(0, 16, 2001), np.linspace(0, 9, 1501)
    modulus = first_order_modulus(r, order, 0)
    transform = 4 * np.pi * simpson(r**2 * modulus * spherical_jn(0, np.outer(k, r)), x=r)
    sigma = 2 * SIGMA_0
    filtered = transform * _norm(order) * (k * sigma) ** order * np.exp(-((k * sigma) ** 2) / 2)
    radial = simpson(k**2 * filtered * spherical_jn(order, np.outer(r, k)), x=k) / (2 * np.pi**2)
    second = np.abs(radial) * np.sqrt((2 * order + 1) / (4 * np.pi))
    for power in (1.0, 2.0):
        expected = 4 * np.pi * simpson(r**2 * second**power, x=r)
        assert single_gaussian[f"S2[j=0,1,l={order},q={power:g}]"] == pytest.approx(expected, rel=2e-3)
