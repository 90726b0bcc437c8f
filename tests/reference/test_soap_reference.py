"""SOAP against its definition, evaluated by quadrature: no Bessel function, no spherical-harmonic addition theorem.

The density of Gaussians is summed at the points of a product rule on spheres of the basis' radii and projected on spherical
harmonics there; between the spheres it is interpolated by Gaussians, whose overlaps are integrated numerically.
"""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from scipy.integrate import quad_vec
from scipy.special import sph_harm_y

from gbscape.config.quippy_range import LARGEST_ERROR, quippy_error
from gbscape.config.soap import Soap
from gbscape.features.soap import power_spectrum


def power_spectrum_by_quadrature(neighbours, parameters):
    """Power spectrum of an atom at the origin with neighbours (n, 3)."""
    p, alpha = parameters, 0.5 / parameters.sigma_angstrom**2
    n, cutoff, width = p.n_max, p.cutoff_angstrom, p.cutoff_transition_width_angstrom
    radii = np.arange(n) * (cutoff + p.sigma_angstrom * np.sqrt(2 * 10 * np.log(10))) / n
    cosine, weight = np.polynomial.legendre.leggauss(64)
    phi = np.arange(128) * 2 * np.pi / 128
    theta, phi = (grid.ravel() for grid in np.meshgrid(np.arccos(cosine), phi, indexing="ij"))
    weight = np.repeat(weight * 2 * np.pi / 128, 128)
    sphere = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=1)
    r = np.linalg.norm(neighbours, axis=1)
    inside = r < cutoff
    fade = np.where(r < cutoff - width, 1, 0.5 * (1 + np.cos(np.pi * (r - cutoff + width) / width)))[inside]
    density = np.stack(
        [
            np.exp(-alpha * radius**2)
            + np.exp(-alpha * ((radius * sphere[:, None] - neighbours[inside]) ** 2).sum(axis=2)) @ fade
            for radius in radii
        ]
    )
    interpolate = np.exp(-alpha * (radii[:, None] - radii) ** 2)
    overlap, _ = quad_vec(
        lambda r: r**2 * np.exp(-alpha * ((r - radii[:, None]) ** 2 + (r - radii) ** 2)),
        0,
        radii[-1] + 12 * p.sigma_angstrom,
        epsrel=1e-13,
    )
    orthonormal = np.linalg.solve(interpolate, np.linalg.cholesky(overlap)).T
    first, second = np.tril_indices(n)
    spectrum = np.empty((len(first), p.l_max + 1))
    for order in range(p.l_max + 1):
        harmonics = np.stack([sph_harm_y(order, m, theta, phi) for m in range(-order, order + 1)])
        c = orthonormal @ (density @ (weight * harmonics.conj()).T)
        both = (c @ c.conj().T).real / np.sqrt(2 * order + 1)
        spectrum[:, order] = both[first, second] * np.where(first == second, 1, np.sqrt(2))
    return spectrum.ravel() / np.linalg.norm(spectrum)


def environment(seed=0, rattle=0.15, scale=1.0):
    """Neighbours of an atom in distorted Ni, and the same as a slab with the atom's index."""
    crystal = bulk("Ni", a=3.52 * scale, cubic=True) * 5
    crystal.rattle(rattle, seed=seed)
    centre = int(np.linalg.norm(crystal.positions - crystal.positions.mean(axis=0), axis=1).argmin())
    slab = Atoms(crystal.symbols, positions=crystal.positions, cell=[0, 60, 60], pbc=(False, True, True))
    return np.delete(crystal.positions, centre, axis=0) - crystal.positions[centre], slab, centre


@pytest.mark.parametrize(
    "parameters",
    [
        Soap(n_max=4, l_max=3, cutoff_angstrom=4.0, sigma_angstrom=0.5),
        Soap(n_max=6, l_max=6, cutoff_angstrom=4.5, sigma_angstrom=0.7, cutoff_transition_width_angstrom=1.2),
        Soap(n_max=12, l_max=12, cutoff_angstrom=7.0, sigma_angstrom=0.7),
        Soap(),
    ],
    ids=["coarse", "wide", "widest default scale", "default"],
)
def test_quippy_agrees_with_quadrature(parameters):
    neighbours, slab, centre = environment()
    expected = power_spectrum_by_quadrature(neighbours, parameters)
    vector = power_spectrum(slab, parameters, [centre])[0]
    np.testing.assert_allclose(vector[:-1], expected, atol=1e-8)
    assert vector[-1] == 0


@pytest.mark.parametrize("sigma", [0.5, 0.6, 0.65, 0.7, 0.8, 1.0])
def test_estimated_error_tells_where_quippy_breaks_down(sigma):
    """Perfect fcc with its nearest neighbours 2 Angstrom away, n_max = l_max = 18, cut-off 5 Angstrom."""
    neighbours, slab, centre = environment(rattle=0.0, scale=2.0001 / (3.52 / np.sqrt(2)))
    parameters = Soap.model_construct(sigma_angstrom=sigma)  # unchecked, to see what the check prevents
    vector = power_spectrum(slab, parameters, [centre])[0, :-1]
    error = np.linalg.norm(vector - power_spectrum_by_quadrature(neighbours, parameters))
    estimate = quippy_error(18, 18, 5.0, sigma)
    assert (estimate <= LARGEST_ERROR) == (error <= LARGEST_ERROR) == (sigma <= 0.65)
    if error > 1e-7:
        assert 0.1 < estimate / error < 10
