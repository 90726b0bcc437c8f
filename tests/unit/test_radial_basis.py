"""The radial basis of SOAP against its definition, integrated numerically with 50 digits."""

from functools import cache

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath.calculus.quadrature import GaussLegendre
from numpy.typing import NDArray

from gbscape.config.soap import SoapParameters
from gbscape.features import radial_basis
from gbscape.features.radial_basis import (
    HermiteTable,
    central_coefficients,
    cutoff_function,
    hermite_table,
    radial_expansion,
)

mp = mpmath.mp.clone()
mp.dps = 50
DISTANCES = (0.3, 2.49, 4.8)
WIDTH = 0.5


@cache
def _nodes() -> list[tuple[mpmath.mpf, mpmath.mpf]]:
    """192 Gauss-Legendre nodes and weights on [-1, 1]."""
    return GaussLegendre(mp).calc_nodes(7, mp.prec)


class Definition:
    """quippy's radial basis by quadrature, for `DISTANCES`."""

    def __init__(self, n_max: int, l_max: int, cutoff: float, sigma: float) -> None:
        reach = mp.mpf(cutoff) + mp.mpf(sigma) * mp.sqrt(20 * mp.log(10))
        self.n_max, self.l_max, self.sigma = n_max, l_max, mp.mpf(sigma)
        self.centres = [b * reach / n_max for b in range(n_max)]
        self.collocation = mp.matrix([[self._gaussian(a - b) for b in self.centres] for a in self.centres])
        half = (reach + 16 * self.sigma) / 2
        self.radii = [(half * (1 + t), half * weight) for t, weight in _nodes()]
        values = [[self._gaussian(s - b) for s, _ in self.radii] for b in self.centres]
        measure = [s**2 * weight for s, weight in self.radii]
        self.overlaps = mp.matrix(n_max, n_max)
        for a in range(n_max):
            weighted = [x * y for x, y in zip(values[a], measure, strict=True)]
            for b in range(a + 1):
                self.overlaps[a, b] = self.overlaps[b, a] = mp.fdot(weighted, values[b])
        self.cholesky = mp.cholesky(self.overlaps)

    def _gaussian(self, distance: mpmath.mpf) -> mpmath.mpf:
        return mp.exp(-(distance**2) / (2 * self.sigma**2))

    def expansion(self, distance: float) -> NDArray[np.float64]:
        """Coefficients (l_max + 1, n_max) of a Gaussian at this distance, without a cut-off function."""
        r = mp.mpf(distance)
        angular = mp.matrix(self.n_max, self.l_max + 1)
        legendre = _legendre(self.l_max)
        for b, s in enumerate(self.centres):
            # half the integral over t = cos(angle) of the Gaussian times P_l(t)
            density = [w / 2 * mp.exp(-(r**2 + s**2 - 2 * r * s * t) / (2 * self.sigma**2)) for t, w in _nodes()]
            for order in range(self.l_max + 1):
                angular[b, order] = mp.fdot(density, legendre[order])
        coefficients = self.cholesky.T * mp.inverse(self.collocation) * angular
        return np.array(coefficients.T.tolist(), dtype=float)


@cache
def _legendre(l_max: int) -> list[list[mpmath.mpf]]:
    """P_l at the nodes."""
    t = [t for t, _ in _nodes()]
    values = [[mp.mpf(1)] * len(t), t]
    for order in range(1, l_max):
        values.append(
            [
                ((2 * order + 1) * x * p - order * q) / (order + 1)
                for x, p, q in zip(t, values[-1], values[-2], strict=True)
            ]
        )
    return values


@cache
def _definition(sigma: float) -> Definition:
    return Definition(18, 18, 5.0, sigma)


def _interpolate(table: HermiteTable, distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """As `HermiteTable` says, without the cut-off function."""
    k = np.floor(distances / table.step_angstrom).astype(int)
    u = (distances / table.step_angstrom - k)[:, None, None]
    v = table.values
    return (
        (1 + 2 * u) * (1 - u) ** 2 * v[k, 0]
        + u * (1 - u) ** 2 * v[k, 1]
        + u**2 * (3 - 2 * u) * v[k + 1, 0]
        - u**2 * (1 - u) * v[k + 1, 1]
    )


@pytest.mark.parametrize("sigma", [0.5, 0.7, 1.0, 1.5])
def test_expansion_is_the_definition(sigma: float) -> None:
    computed = radial_expansion(DISTANCES, 18, 18, 5.0, sigma, WIDTH)
    largest = np.abs(radial_expansion([0.0], 18, 18, 5.0, sigma, WIDTH)).max()
    for distance, expansion in zip(DISTANCES, computed, strict=True):
        faded = 0.5 * (np.cos(np.pi * (distance - 4.5) / 0.5) + 1) if distance > 4.5 else 1.0
        assert np.abs(expansion - faded * _definition(sigma).expansion(distance)).max() < 1e-13 * largest


@pytest.mark.parametrize("sigma", [0.5, 1.5])
def test_central_atom_is_a_neighbour_at_no_distance(sigma: float) -> None:
    at_zero = radial_expansion([0.0], 18, 18, 5.0, sigma, WIDTH)[0]
    assert not at_zero[1:].any()
    central = central_coefficients(18, 5.0, sigma)
    np.testing.assert_allclose(central, at_zero[0] / np.sqrt(4 * np.pi), rtol=0, atol=1e-12 * central.max())
    exact = np.array([float(_definition(sigma).cholesky[0, b]) for b in range(18)]) / np.sqrt(4 * np.pi)
    np.testing.assert_allclose(central, exact, rtol=0, atol=1e-15 * central.max())


def test_basis_is_orthonormal() -> None:
    """g = L^-1 phi with the module's own L, integrated with the measure s^2 ds."""
    lower = mp.matrix(radial_basis._basis(18, 5.0, 0.5).cholesky.tolist())
    inverse = mp.inverse(lower)
    products = inverse * _definition(0.5).overlaps * inverse.T
    np.testing.assert_allclose(np.array(products.tolist(), dtype=float), np.eye(18), rtol=0, atol=1e-10)


@pytest.mark.parametrize("x", [0.0, 1e-300, 1e-8, 1e-3, 0.3, 5.0, 90.0, 323.9, 324.1, 400.0, 701.0, 5e3, 1e6])
def test_bessel_functions(x: float) -> None:
    computed = radial_basis._scaled_bessel(18, np.array([x]))[:, 0]
    exact = [mp.exp(-x) * mp.sqrt(mp.pi / (2 * x)) * mp.besseli(n + 0.5, x) if x else mp.mpf(n == 0) for n in range(19)]
    np.testing.assert_allclose(computed, np.array(exact, dtype=float), rtol=2e-15, atol=1e-307)


@pytest.mark.parametrize(
    ("n_max", "l_max", "cutoff", "sigma"), [(10, 6, 4.0, 0.5), (18, 18, 5.0, 0.5), (18, 18, 5.0, 1.5), (1, 0, 4.0, 2.0)]
)
@pytest.mark.parametrize("tolerance", [1e-6, 1e-10])
def test_table_keeps_its_tolerance(n_max: int, l_max: int, cutoff: float, sigma: float, tolerance: float) -> None:
    width = 0.013  # between points of the grid
    parameters = SoapParameters(
        n_max=n_max,
        l_max=l_max,
        cutoff_angstrom=cutoff,
        sigma_angstrom=sigma,
        cutoff_transition_width_angstrom=width,
    )
    table = hermite_table(parameters, tolerance)
    assert table.values.shape[1:] == (2, l_max + 1, n_max)
    assert table.step_angstrom * (len(table.values) - 2) == pytest.approx(cutoff)
    distances = np.concatenate(
        [
            np.random.default_rng(7).uniform(0, cutoff, 400),
            np.linspace(cutoff - 1.5 * width, np.nextafter(cutoff, 0), 50),
            [0.0, np.nextafter(cutoff, 0)],
        ]
    )
    interpolated = _interpolate(table, distances) * cutoff_function(distances, cutoff, width)[:, None, None]
    exact = radial_expansion(distances, n_max, l_max, cutoff, sigma, width)
    error = np.abs(interpolated - exact).max() / np.abs(table.values[:, 0]).max()
    assert error <= tolerance
    # the error goes with the fourth power of the step, so the table is at most half as long again as it must be
    assert error >= 0.2 * tolerance


@settings(max_examples=20, deadline=None)
@given(
    scale=st.floats(0.2, 5),
    distance=st.floats(0, 4.9),
    sigma=st.sampled_from([0.3, 0.5, 1.0, 2.0]),
    n_max=st.integers(1, 14),
)
def test_units_only_scale_the_coefficients(scale: float, distance: float, sigma: float, n_max: int) -> None:
    """Of dimension length^(3/2), since the basis is orthonormal with s^2 ds."""
    small = radial_expansion([distance], n_max, 5, 5.0, sigma, WIDTH)
    large = radial_expansion([scale * distance], n_max, 5, scale * 5.0, scale * sigma, scale * WIDTH)
    tolerance = 1e-11 * scale**1.5 * np.abs(radial_expansion([0.0], n_max, 5, 5.0, sigma, WIDTH)).max()
    np.testing.assert_allclose(large, scale**1.5 * small, rtol=0, atol=tolerance)


def test_cutoff_function() -> None:
    computed = cutoff_function([0.0, 4.5, 4.75, 5.0, 6.0], 5.0, 0.5)
    np.testing.assert_allclose(computed, [1, 1, 0.5, 0, 0], rtol=0, atol=1e-15)
    assert not radial_expansion([5.0, 7.0], 3, 2, 5.0, 0.5, 0.5).any()


@pytest.mark.parametrize(("n_max", "sigma"), [(40, 2.0), (400, 0.5)])
def test_dependent_basis_is_refused(n_max: int, sigma: float) -> None:
    with pytest.raises(ValueError, match=f"n_max={n_max}.*linearly dependent.*choose a smaller n_max"):
        radial_expansion([2.0], n_max, 3, 5.0, sigma, WIDTH)


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="none of them negative"):
        radial_expansion([-0.1], 3, 3, 5.0, 0.5, WIDTH)
    with pytest.raises(ValueError, match="n_max must be at least 1"):
        radial_expansion([1.0], 0, 3, 5.0, 0.5, WIDTH)
    with pytest.raises(ValueError, match="sigma_angstrom must be above 0"):
        central_coefficients(3, 5.0, 0.0)
    with pytest.raises(ValueError, match="must be at most 400 sigma"):
        central_coefficients(3, 5.0, 0.001)
    with pytest.raises(ValueError, match="at most the cut-off, 5"):
        radial_expansion([1.0], 3, 3, 5.0, 0.5, 5.5)
    parameters = SoapParameters(n_max=3, l_max=3, cutoff_angstrom=5.0, sigma_angstrom=0.5)
    with pytest.raises(ValueError, match="tolerance must be from"):
        hermite_table(parameters, 1e-16)


def test_table_that_rounding_errors_forbid_is_refused() -> None:
    wide = SoapParameters(n_max=21, l_max=8, cutoff_angstrom=5.0, sigma_angstrom=5.0)
    with pytest.raises(ValueError, match=r"reaches the tolerance 1e-12: rounding errors are larger"):
        hermite_table(wide, 1e-12)
