"""For which SOAP settings quippy's floating-point evaluation can be trusted.

quippy expands an atom at distance r on Gaussians at equispaced radii r_b, whose angular parts are modified spherical
Bessel functions i_l(r r_b / sigma^2). It gets them by upward recurrence in l, which multiplies the rounding error of
i_0 by about (2l-1)!! / x^l: harmless for narrow Gaussians (large arguments), ruinous for wide ones at high l.
"""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

CLOSEST_APPROACH_ANGSTROM = 2.0
"""Metal atoms are hardly ever nearer; the error is largest for the nearest neighbour."""
LARGEST_ERROR = 1e-6
"""Largest error of the normalised power spectrum that is accepted."""


@cache
def quippy_error(
    n_max: int,
    l_max: int,
    cutoff_angstrom: float,
    sigma_angstrom: float,
    closest_angstrom: float = CLOSEST_APPROACH_ANGSTROM,
) -> float:
    """Estimate how wrong quippy's power spectrum is.

    The power spectrum of a central atom and one neighbour is evaluated twice, with the upward recurrence and with a
    stable one, for neighbours between `closest_angstrom` and the cut-off.

    Returns:
        The largest Euclidean norm of the difference of the two normalised vectors; infinity if the radial basis is
        linearly dependent to working precision.
    """
    basis = _radial_basis(n_max, cutoff_angstrom, sigma_angstrom)
    if basis is None:
        return math.inf
    nearest = min(closest_angstrom, 0.99 * cutoff_angstrom)
    errors = []
    for distance in np.linspace(nearest, 0.999 * cutoff_angstrom, 12):
        upward, stable = (
            _pair_power_spectrum(_gaussian_expansion(basis[0], l_max, sigma_angstrom, distance, stable), *basis[1:])
            for stable in (False, True)
        )
        errors.append(float(np.linalg.norm(upward - stable)))
    return max(errors) if np.isfinite(errors).all() else math.inf


def _radial_basis(
    n_max: int, cutoff: float, sigma: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]] | None:
    """Centres (n,) of the Gaussians, their orthonormalisation (n, n), and the central atom's coefficients (n,)."""
    alpha = 0.5 / sigma**2
    centres = np.arange(n_max) * (cutoff + sigma * math.sqrt(20 * math.log(10))) / n_max
    total, difference = centres[:, None] + centres, centres[:, None] - centres
    covariance = np.exp(-alpha * difference**2)
    # integral of r^2 exp(-alpha (r - r_a)^2) exp(-alpha (r - r_b)^2) from 0 to infinity
    overlap = (
        np.exp(-alpha * (centres[:, None] ** 2 + centres**2)) * math.sqrt(2) * alpha**1.5 * total
        + alpha
        * np.exp(-0.5 * alpha * difference**2)
        * math.sqrt(math.pi)
        * (1 + alpha * total**2)
        * (1 + np.vectorize(math.erf)(math.sqrt(alpha / 2) * total))
    ) / math.sqrt(128 * alpha**5)
    if np.linalg.cond(covariance) * np.finfo(float).eps > LARGEST_ERROR:
        return None
    lower = np.linalg.cholesky(overlap)
    return centres, np.linalg.solve(covariance, lower), lower[0]


def _gaussian_expansion(
    centres: NDArray[np.float64], l_max: int, sigma: float, distance: float, stable: bool
) -> NDArray[np.float64]:
    """exp(-(r^2 + r_b^2) / 2 sigma^2) i_l(r r_b / sigma^2), shape (l_max + 1, n_max)."""
    alpha = 0.5 / sigma**2
    expansion = np.zeros((l_max + 1, len(centres)))
    expansion[0, 0] = math.exp(-alpha * distance**2)
    argument = 2 * alpha * distance * centres[1:]
    if not len(argument):
        return expansion
    towards, away = np.exp(-alpha * (distance - centres[1:]) ** 2), np.exp(-alpha * (distance + centres[1:]) ** 2)
    expansion[0, 1:] = 0.5 * (towards - away) / argument
    if stable:
        ratio = np.zeros_like(argument)  # i_l / i_(l-1) by its continued fraction, from far above down
        ratios = {}
        for order in range(l_max + int(argument.max()) + 40, 0, -1):
            ratio = 1 / ((2 * order + 1) / argument + ratio)
            ratios[order] = ratio
        for order in range(1, l_max + 1):
            expansion[order, 1:] = expansion[order - 1, 1:] * ratios[order]
    else:
        before, current = 0.5 * (towards + away) / argument, expansion[0, 1:]
        for order in range(1, l_max + 1):
            before, current = current, before - (2 * order - 1) * current / argument
            expansion[order, 1:] = current
    return expansion


def _pair_power_spectrum(
    expansion: NDArray[np.float64], orthonormalisation: NDArray[np.float64], centre: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Normalised power spectrum of a central atom and one neighbour, flat."""
    order = np.arange(len(expansion))
    coefficients = (expansion @ orthonormalisation) * np.sqrt((2 * order + 1) / (4 * np.pi))[:, None]
    coefficients[0] += centre / math.sqrt(4 * math.pi)
    spectrum = np.einsum("la,lb->lab", coefficients, coefficients) / np.sqrt(2 * order + 1)[:, None, None]
    norm = np.linalg.norm(spectrum)
    return (spectrum / norm).ravel()
