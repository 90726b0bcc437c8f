"""Radial functions of SOAP in quippy's conventions, stable for every width of the Gaussians.

The density of a neighbour at distance r is a Gaussian of peak 1 and standard deviation sigma. Its angular part of order
l, at distance s from the centre, is G_l(s; r) = exp(-(r^2 + s^2) / 2 sigma^2) i_l(r s / sigma^2) (times 4 pi Y_lm*, of
which quippy leaves out the 4 pi), i_l the modified spherical Bessel function. quippy interpolates it at n_max
equispaced radii s_b = b (cutoff + sigma sqrt(20 ln 10)) / n_max, b = 0 ... n_max - 1, by a sum of the Gaussians
phi_b(s) = exp(-(s - s_b)^2 / 2 sigma^2), and takes the interpolant's coefficients in the orthonormal functions
g = L^-1 phi, where L is the lower Cholesky factor of the overlaps O_ab = integral of s^2 phi_a phi_b ds from 0 to
infinity. With the collocation matrix C_ab = phi_b(s_a) the coefficients are L^T C^-1 G_l. Bartok, Kondor and Csanyi,
Phys. Rev. B 87, 184115 (2013), equations 29 to 34, and QUIP's source (`EQUISPACED_GAUSS`).

Where sigma is wide against the spacing of the s_b, C and O are nearly singular (at n_max 18 and cutoff 5 the condition
number of O is 2e9 with sigma 1 and 3e11 with 1.5), but the product L^T C^-1 is far less so, because the factors cancel.
It is therefore computed in decimal arithmetic with as many digits as it takes, rounded once, and applied in double
precision. At n_max 18, l_max 18, cutoff 5 the coefficients are right to 1e-15 of the largest with sigma 1 and to 3e-13
with sigma 5 (in double precision throughout it would be 5e-12 and 8e-6). Where rounding could pass 1e-10 of the largest
coefficient the basis is refused: with Gaussians closer than about 0.35 to 0.4 sigma, e.g. at cutoff 5 from n_max 30
with sigma 1, from 22 with sigma 5.
"""

import math
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gbscape.config.soap import MOST_SIGMA_IN_CUTOFF, SoapParameters

_MOST_DIGITS = 1000
_LARGEST_ERROR = 1e-10
_LEAST_TOLERANCE = 1e-12
_FINEST_STEPS = 400


class HermiteTable(NamedTuple):
    """The radial expansion *without* the cut-off function on equidistant distances, for cubic Hermite interpolation.

    With t = r / step_angstrom, k = floor(t), u = t - k and v = values, the expansion of a neighbour at r < cutoff is

        f_cut(r) [(1 + 2 u) (1 - u)^2 v[k, 0] + u (1 - u)^2 v[k, 1]
                  + u^2 (3 - 2 u) v[k + 1, 0] - u^2 (1 - u) v[k + 1, 1]]

    with f_cut as in `cutoff_function`, which the caller must multiply (to the four weights, for instance): its second
    derivative jumps at both ends of the transition, so inside the table it would spoil the interpolation there.
    """

    values: NDArray[np.float64]
    """(n_points, 2, l_max + 1, n_max): coefficients, and their derivatives times the step, at r = 0, step, ...; the
    last point but one is the cut-off. Read-only."""
    step_angstrom: float


def radial_expansion(
    distances_angstrom: ArrayLike,
    n_max: int,
    l_max: int,
    cutoff_angstrom: float,
    sigma_angstrom: float,
    cutoff_transition_width_angstrom: float,
) -> NDArray[np.float64]:
    """Expansion coefficients of a neighbour at each distance, without the spherical harmonic.

    The neighbour in direction u adds `expansion[l, n] Y_lm(u)` to the density coefficient c[n, l, m].

    Args:
        distances_angstrom: (n_distances,), not negative.

    Returns:
        (n_distances, l_max + 1, n_max), with the cut-off function; zero from the cut-off on.

    Raises:
        ValueError: parameters out of range, or a basis that is numerically linearly dependent.
    """
    distances = np.asarray(distances_angstrom, dtype=np.float64)
    if distances.ndim != 1 or not (distances >= 0).all():
        raise ValueError("distances_angstrom must be a list of numbers, none of them negative")
    _check(n_max, l_max, cutoff_angstrom, sigma_angstrom)
    faded = cutoff_function(distances, cutoff_angstrom, cutoff_transition_width_angstrom)
    expansion = np.zeros((len(distances), l_max + 1, n_max))
    inside = faded > 0
    expansion[inside] = _without_cutoff(distances[inside], n_max, l_max, cutoff_angstrom, sigma_angstrom)[0]
    return expansion * faded[:, None, None]


def central_coefficients(n_max: int, cutoff_angstrom: float, sigma_angstrom: float) -> NDArray[np.float64]:
    """Density coefficients c[n, l=0, m=0] (n_max,) of the central atom, Y_00 = 1 / sqrt(4 pi) included.

    Raises:
        ValueError: as `radial_expansion`.
    """
    _check(n_max, 0, cutoff_angstrom, sigma_angstrom)
    return _basis(n_max, cutoff_angstrom, sigma_angstrom).cholesky[0] / math.sqrt(4 * math.pi)


def cutoff_function(
    distances_angstrom: ArrayLike, cutoff_angstrom: float, width_angstrom: float
) -> NDArray[np.float64]:
    """1 up to cutoff - width, 0 from the cutoff on, half a cosine between; the shape of the distances."""
    distances = np.asarray(distances_angstrom, dtype=np.float64)
    if not 0 < width_angstrom <= cutoff_angstrom:
        raise ValueError(
            f"the width of the cut-off's transition must be above 0 and at most the cut-off, {cutoff_angstrom:g} "
            f"Angstrom, got {width_angstrom:g}"
        )
    phase = np.clip((distances - (cutoff_angstrom - width_angstrom)) / width_angstrom, 0, 1)
    return np.where(distances < cutoff_angstrom, 0.5 * (1 + np.cos(np.pi * phase)), 0.0)


def hermite_table(parameters: SoapParameters, tolerance: float = 1e-10) -> HermiteTable:
    """Table of the radial expansion, of the widest step that keeps the tolerance.

    Args:
        tolerance: largest error of an interpolated coefficient, relative to the largest coefficient of all; measured at
            three places inside every interval.

    Raises:
        ValueError: as `radial_expansion`; a tolerance that is too small for double precision.
    """
    return _table(
        parameters.n_max, parameters.l_max, parameters.cutoff_angstrom, parameters.sigma_angstrom, float(tolerance)
    )


@lru_cache(maxsize=16)
def _table(n_max: int, l_max: int, cutoff: float, sigma: float, tolerance: float) -> HermiteTable:
    _check(n_max, l_max, cutoff, sigma)
    if not _LEAST_TOLERANCE <= tolerance < 1:
        raise ValueError(f"tolerance must be from {_LEAST_TOLERANCE:g} to 1, got {tolerance:g}")
    n_intervals = math.ceil(4 * max(1, cutoff / sigma))
    while True:
        step = cutoff / n_intervals
        value, derivative = _without_cutoff(step * np.arange(n_intervals + 2.0), n_max, l_max, cutoff, sigma)
        table = HermiteTable(np.stack([value, step * derivative], axis=1), step)
        error = _interpolation_error(table, n_max, l_max, cutoff, sigma)
        if error <= tolerance:
            table.values.flags.writeable = False
            return table
        # the error goes with the fourth power of the step
        n_intervals = math.ceil(n_intervals * max(1.02, (error / tolerance) ** 0.25))
        if n_intervals > _FINEST_STEPS * max(1, cutoff / sigma):
            raise ValueError(
                f"no table of the radial basis of n_max={n_max}, cutoff_angstrom={cutoff:g}, sigma_angstrom={sigma:g} "
                f"reaches the tolerance {tolerance:g}: rounding errors are larger; choose a smaller n_max or sigma"
            )


def _interpolation_error(table: HermiteTable, n_max: int, l_max: int, cutoff: float, sigma: float) -> float:
    """Largest error between the points of the table, relative to the largest coefficient."""
    left, right = table.values[:-2], table.values[1:-1]
    worst = 0.0
    for u in (0.25, 0.5, 0.75):
        interpolated = (
            (1 + 2 * u) * (1 - u) ** 2 * left[:, 0]
            + u * (1 - u) ** 2 * left[:, 1]
            + u**2 * (3 - 2 * u) * right[:, 0]
            - u**2 * (1 - u) * right[:, 1]
        )
        exact = _without_cutoff(table.step_angstrom * np.arange(u, len(left)), n_max, l_max, cutoff, sigma)[0]
        worst = max(worst, float(np.abs(interpolated - exact).max()))
    return worst / float(np.abs(table.values[:, 0]).max())


def _without_cutoff(
    distances: NDArray[np.float64], n_max: int, l_max: int, cutoff: float, sigma: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients and their derivatives by the distance, both (n_distances, l_max + 1, n_max)."""
    basis = _basis(n_max, cutoff, sigma)
    r, s = distances[:, None], basis.radii
    angular = np.exp(-0.5 * ((r - s) / sigma) ** 2) * _scaled_bessel(l_max + 1, r * s / sigma**2)  # (l, r, s)
    order = np.arange(l_max + 1)[:, None, None]
    below = np.concatenate([np.zeros_like(angular[:1]), angular[:l_max]])
    # i_l' = (l i_(l-1) + (l + 1) i_(l+1)) / (2 l + 1)
    slope = (s * (order * below + (order + 1) * angular[1:]) / (2 * order + 1) - r * angular[:-1]) / sigma**2
    return (
        np.ascontiguousarray((angular[:-1] @ basis.transformation).swapaxes(0, 1)),
        np.ascontiguousarray((slope @ basis.transformation).swapaxes(0, 1)),
    )


def _scaled_bessel(l_max: int, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """exp(-x) i_l(x), the modified spherical Bessel functions of the first kind, (l_max + 1, *x.shape), for x >= 0.

    The recurrence in l upwards multiplies rounding errors by up to about exp(l^2 / x) for x > l, so it serves for
    x >= l_max^2. Below, the ratios i_l / i_(l-1) come downwards from an order N so high that its error has faded by a
    factor exp((N^2 - l_max^2) / x) when l_max is reached.
    """
    doubled = 2 * x
    zeroth = np.divide(-np.expm1(-doubled), doubled, out=np.ones_like(x), where=x > 0)
    result = np.empty((l_max + 1, *x.shape))
    result[0] = zeroth
    if l_max == 0:
        return result
    large = x >= max(l_max**2, 16)
    small = x[~large]
    highest = float(small.max(initial=0))
    first = math.ceil(math.sqrt(l_max**2 + 40 * highest)) + 10
    ratio = small / (first + 1.5 + np.sqrt((first + 1.5) ** 2 + small**2))
    ratios = np.empty((l_max + 1, len(small)))
    for order in range(first, 0, -1):
        ratio = small / (2 * order + 1 + small * ratio)
        if order <= l_max:
            ratios[order] = ratio
    ratios[0] = zeroth[~large]
    result[:, ~large] = np.multiply.accumulate(ratios)
    big = x[large]
    result[1, large] = (0.5 * (1 + np.exp(-2 * big)) - zeroth[large]) / big
    for order in range(1, l_max):
        result[order + 1, large] = result[order - 1, large] - (2 * order + 1) / big * result[order, large]
    return result


class _Basis(NamedTuple):
    radii: NDArray[np.float64]
    """s_b, (n_max,), Angstrom."""
    cholesky: NDArray[np.float64]
    """L, (n_max, n_max)."""
    transformation: NDArray[np.float64]
    """C^-1 L, (n_max, n_max)."""


def _check(n_max: int, l_max: int, cutoff: float, sigma: float) -> None:
    if n_max < 1 or l_max < 0:
        raise ValueError(f"n_max must be at least 1 and l_max at least 0, got {n_max} and {l_max}")
    if not (0 < cutoff < math.inf and 0 < sigma < math.inf):
        raise ValueError(f"cutoff_angstrom and sigma_angstrom must be above 0, got {cutoff:g} and {sigma:g}")
    if cutoff > MOST_SIGMA_IN_CUTOFF * sigma:
        raise ValueError(
            f"the cut-off, {cutoff:g}, must be at most {MOST_SIGMA_IN_CUTOFF} sigma, got a sigma of {sigma:g}"
        )


@lru_cache(maxsize=64)
def _basis(n_max: int, cutoff: float, sigma: float) -> _Basis:
    # In units of sigma. The smallest eigenvalue of overlaps of Gaussians at this spacing is about
    # exp(-(pi / spacing)^2) of the largest; as many digits are lost in L, and half as many in C^-1.
    spacing = (cutoff / sigma + math.sqrt(20 * math.log(10))) / n_max
    digits = 50 + math.ceil(2 * (math.pi / spacing) ** 2 / math.log(10))
    if digits > _MOST_DIGITS:
        raise _dependent(n_max, cutoff, sigma, spacing)
    with localcontext() as context:
        context.prec = digits
        width = Decimal(sigma)
        exact_spacing = (Decimal(cutoff) / width + (20 * Decimal(10).ln()).sqrt()) / n_max
        numbers = range(n_max)
        gaussians = [[(-(((a - b) * exact_spacing) ** 2) / 2).exp() for b in range(a + 1)] for a in numbers]
        collocation, overlaps = _cholesky(gaussians), _cholesky(_overlaps(n_max, exact_spacing))
        scale = (width**3).sqrt()  # overlaps have the dimension of a volume
        columns = [[scale * overlaps[a][b] if a >= b else Decimal(0) for a in numbers] for b in numbers]
        basis = _Basis(
            radii=np.array([float(a * exact_spacing * width) for a in numbers]),
            cholesky=_rounded(columns).T.copy(),
            transformation=_rounded([_solve(collocation, column) for column in columns]).T.copy(),
        )
    error = np.finfo(float).eps * np.linalg.norm(basis.transformation, axis=0).max() / basis.cholesky[0, 0]
    if error > _LARGEST_ERROR:
        raise _dependent(n_max, cutoff, sigma, spacing)
    return basis


def _rounded(rows: list[list[Decimal]]) -> NDArray[np.float64]:
    return np.array([[float(x) for x in row] for row in rows])


def _dependent(n_max: int, cutoff: float, sigma: float, spacing: float) -> ValueError:
    return ValueError(
        f"the radial basis of n_max={n_max}, cutoff_angstrom={cutoff:g}, sigma_angstrom={sigma:g} is numerically "
        f"linearly dependent (its Gaussians stand {spacing:.2g} sigma apart): coefficients would be wrong by more than "
        f"{_LARGEST_ERROR:g} of the largest; choose a smaller n_max or sigma_angstrom"
    )


def _overlaps(n_max: int, spacing: Decimal) -> list[list[Decimal]]:
    """Lower triangle of the integrals of s^2 phi_a(s) phi_b(s) from 0 to infinity, in units of sigma.

    With mean m = (s_a + s_b) / 2 and d = s_a - s_b: exp(-d^2 / 4) times the integral of s^2 exp(-(s - m)^2), which is
    (1 + 2 m^2) (sqrt(pi) / 2 + E(m)) / 2 + m exp(-m^2) / 2, with E(m) the integral of exp(-t^2) from 0 to m.
    """
    half_root_pi = _pi().sqrt() / 2
    moments = []
    for total in range(2 * n_max - 1):
        mean = total * spacing / 2
        tail = mean * (-mean * mean).exp() / 2
        moments.append((1 + 2 * mean * mean) * (half_root_pi + _gaussian_integral(mean)) / 2 + tail)
    return [[(-(((a - b) * spacing) ** 2) / 4).exp() * moments[a + b] for b in range(a + 1)] for a in range(n_max)]


def _gaussian_integral(end: Decimal) -> Decimal:
    """Integral of exp(-t^2) from 0 to `end`: exp(-x^2) times the sum of 2^k x^(2k+1) / (2k+1)!!, all terms positive."""
    term, total, k = end, Decimal(0), 0
    while total + term != total:
        total += term
        k += 1
        term = term * (2 * end * end) / (2 * k + 1)
    return total * (-end * end).exp()


def _pi() -> Decimal:
    """By the arithmetic-geometric mean (Brent 1976, Salamin 1976)."""
    a, b, t, weight = Decimal(1), 1 / Decimal(2).sqrt(), Decimal("0.25"), 1
    for _ in range(_MOST_DIGITS.bit_length()):  # each step doubles the digits
        mean = (a + b) / 2
        t -= weight * (a - mean) ** 2
        a, b, weight = mean, (a * b).sqrt(), 2 * weight
    return (a + b) ** 2 / (4 * t)


def _cholesky(lower_triangle: list[list[Decimal]]) -> list[list[Decimal]]:
    """Lower Cholesky factor of a positive definite matrix given by its lower triangle."""
    factor: list[list[Decimal]] = []
    for a, row in enumerate(lower_triangle):
        new: list[Decimal] = []
        for b in range(a):
            new.append((row[b] - _dot(new, factor[b][:b])) / factor[b][b])
        new.append((row[a] - _dot(new, new)).sqrt())
        factor.append(new)
    return factor


def _solve(factor: list[list[Decimal]], right: list[Decimal]) -> list[Decimal]:
    """Solution of (F F^T) x = right, F lower triangular."""
    middle: list[Decimal] = []
    for a, row in enumerate(factor):
        middle.append((right[a] - _dot(middle, row[:a])) / row[a])
    solution: list[Decimal] = []
    for a in reversed(range(len(factor))):
        below = [row[a] for row in reversed(factor[a + 1 :])]
        solution.append((middle[a] - _dot(solution, below)) / factor[a][a])
    return solution[::-1]


def _dot(first: list[Decimal], second: list[Decimal]) -> Decimal:
    return sum((x * y for x, y in zip(first, second, strict=True)), Decimal(0))
