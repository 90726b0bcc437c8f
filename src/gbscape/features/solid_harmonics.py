"""Real solid harmonics by recurrence."""

from collections.abc import Iterator
from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def real_solid_harmonics(order: int, x: Array, y: Array, z: Array) -> Iterator[Array]:
    """Yield r^l Y_lm(x, y, z) for m = -l ... l, orthonormal on the unit sphere, without Condon-Shortley phase.

    Y_l0 is the spherical harmonic itself; for m > 0, Y_lm and Y_l-m go with cos(m phi) and sin(m phi).

    Args:
        order: l >= 0.
        x, y, z: coordinates, of shapes that broadcast together.
    """
    r2 = x**2 + y**2 + z**2
    # cosines[m] + i sines[m] = (x + i y)^m
    cosines, sines = [np.ones_like(r2)], [np.zeros_like(r2)]
    for _ in range(order):
        cosines, sines = (
            [*cosines, x * cosines[-1] - y * sines[-1]],
            [*sines, y * cosines[-1] + x * sines[-1]],
        )
    for m in range(-order, order + 1):
        radial = _associated(order, abs(m), z, r2)
        if m == 0:
            yield np.broadcast_to(radial, r2.shape)
        else:
            yield sqrt(2) * radial * (cosines[m] if m > 0 else sines[-m])


def _associated(order: int, m: int, z: Array, r2: Array) -> Array:
    """Normalised r^(l-m) P_lm(z/r) / sin^m(theta), by the usual recurrence in l at fixed m."""
    diagonal = sqrt(1 / (4 * pi))
    for k in range(1, m + 1):
        diagonal *= sqrt((2 * k + 1) / (2 * k))
    before, current = np.zeros_like(z), np.full_like(z, diagonal)
    for degree in range(m + 1, order + 1):
        a = sqrt((4 * degree**2 - 1) / (degree**2 - m**2))
        b = sqrt(((degree - 1) ** 2 - m**2) / (4 * (degree - 1) ** 2 - 1))
        before, current = current, a * (z * current - b * r2 * before)
    return current
