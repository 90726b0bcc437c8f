"""Kymatio's solid-harmonic scattering on orthorhombic periodic cells.

Kymatio's `HarmonicScattering3D` builds its filters for one grid spacing along all axes. Its transform takes any
filters, so it gets ones of physical wave vectors instead; on a cube with an even number of points they give what
Kymatio's own give. (With an odd number Kymatio's own are off: they are not centred on zero frequency.)

The highest frequency of an even number of points stands for both of its signs. Kymatio's filters take one, which makes a
field complex, and gbscape's own engine neither: a density that leaves something there gives slightly different features,
for atoms as wide as the grid's spacing by up to 1.5e-3 (power 0.5 of the narrowest wavelets, in the smallest cells) and
mostly by less than 1e-9.
"""

from collections.abc import Sequence
from math import pi, prod, sqrt
from typing import Any

import numpy as np
import scipy.special
from numpy.typing import NDArray

from gbscape.config.scattering import Scattering
from gbscape.features.solid_harmonics import real_solid_harmonics

if not hasattr(scipy.special, "sph_harm"):
    # Kymatio 0.3.0 imports a function that SciPy 1.17 removed; the same with its arguments in the old order:
    scipy.special.sph_harm = lambda m, n, theta, phi: scipy.special.sph_harm_y(n, m, phi, theta)

from kymatio.scattering3d.backend.numpy_backend import backend
from kymatio.scattering3d.core.scattering3d import scattering3d

Array = NDArray[np.float64]


def scatter_kymatio(density: Array, cell: Array, parameters: Scattering) -> Array:
    """First- and second-order integrals in double precision, as `gbscape.features.names.scattering_names` has them."""
    scales = range(parameters.j_max + 1)
    integrals = []
    for order in range(parameters.l_max + 1):
        # One order at a time (as the only one, so that Kymatio is told L = 0) keeps few filters in memory.
        of_order = scattering3d(
            density[None],
            filters=[
                [ScaledFilters(order, parameters.sigma_0_angstrom * 2**j, harmonics) for j in scales]
                for harmonics in [Harmonics(order, density.shape, cell)]
            ],
            rotation_covariant=True,
            L=0,
            J=parameters.j_max,
            max_order=2,
            backend=backend,
            # Kymatio's own averaging rounds to single precision.
            averaging=lambda modulus: np.array([[(modulus**power).sum() for power in parameters.integral_powers]]),
        )
        integrals.append(np.asarray(of_order).reshape(-1, len(parameters.integral_powers)))
    voxel = cell.prod() / density.size
    return np.stack(integrals, axis=1).ravel() * voxel  # (paths, orders, powers)


class Harmonics:
    """Real solid harmonics of one order l on the wave vectors of a grid."""

    def __init__(self, order: int, shape: tuple[int, ...], cell: Array) -> None:
        axes = [2 * pi * np.fft.fftfreq(points, length / points) for points, length in zip(shape, cell, strict=True)]
        kx, ky, kz = np.meshgrid(*axes, indexing="ij", sparse=True)
        self.squared = kx**2 + ky**2 + kz**2
        """(n_x, n_y, n_z) squared wave numbers in Angstrom^-2."""
        self.values = list(real_solid_harmonics(order, kx, ky, kz))
        """2 l + 1 arrays (n_x, n_y, n_z) in Angstrom^-l."""


class ScaledFilters(Sequence[Array]):
    """Fourier transforms of the wavelets of one order and width, by m + l, made when they are asked for.

    They lack the phase (-i)^l of Kymatio's and are combined to real harmonics: the sum over m of the squared moduli is
    the same, and a real filter is half the memory.
    """

    def __init__(self, order: int, sigma_angstrom: float, harmonics: Harmonics) -> None:
        # Kymatio's two formulae for even and odd orders come to this.
        norm = (2 * sqrt(pi) if order % 2 == 0 else sqrt(2) * pi) / (
            sqrt(2 * order + 1) * prod(range(order + 1, 0, -2))
        )
        self._radial = norm * sigma_angstrom**order * np.exp(-0.5 * sigma_angstrom**2 * harmonics.squared)
        self._harmonics = harmonics.values

    def __len__(self) -> int:
        return len(self._harmonics)

    def __getitem__(self, index: Any) -> Any:
        return self._harmonics[index] * self._radial
