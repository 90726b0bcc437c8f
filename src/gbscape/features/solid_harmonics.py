"""Real solid harmonics by recurrence."""

from collections.abc import Iterator
from math import factorial, pi, sqrt
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Array = TypeVar("Array", NDArray[np.float64], "Tensor")


def real_solid_harmonics(order: int, x: Array, y: Array, z: Array) -> Iterator[Array]:
    """Yield r^l Y_lm(x, y, z) for m = -l ... l, orthonormal on the unit sphere, without Condon-Shortley phase.

    Y_l0 is the spherical harmonic itself; for m > 0, Y_lm and Y_l-m go with cos(m phi) and sin(m phi).

    Args:
        order: l >= 0.
        x, y, z: coordinates, numpy arrays or torch tensors, of shapes that broadcast together.
    """
    r2 = x**2 + y**2 + z**2
    # cosines[m] + i sines[m] = (x + i y)^m
    cosines: list[Array] = [0 * r2 + 1]
    sines: list[Array] = [0 * r2]
    for _ in range(order):
        cosine, sine = cosines[-1], sines[-1]
        cosines.append(x * cosine - y * sine)
        sines.append(y * cosine + x * sine)
    for m in range(-order, order + 1):
        polar = _associated(order, abs(m), z, r2)
        if m == 0:
            yield polar
        else:
            yield sqrt(2) * polar * (cosines[m] if m > 0 else sines[-m])


def _associated(order: int, m: int, z: Array, r2: Array) -> Array:
    """Normalised r^(l-m) P_lm(z/r) / sin^m(theta), by the usual recurrence in l at fixed m."""
    diagonal = sqrt(1 / (4 * pi))
    for k in range(1, m + 1):
        diagonal *= sqrt((2 * k + 1) / (2 * k))
    before, current = 0 * r2, 0 * r2 + diagonal
    for degree in range(m + 1, order + 1):
        a = sqrt((4 * degree**2 - 1) / (degree**2 - m**2))
        b = sqrt(((degree - 1) ** 2 - m**2) / (4 * (degree - 1) ** 2 - 1))
        before, current = current, a * (z * current - b * r2 * before)
    return current


def polar_coefficients(order: int, m: int) -> list[float]:
    """Coefficients c_s of the polynomial in z and rho^2 = x^2 + y^2 that `real_solid_harmonics` is apart from the factor
    cos(m phi) rho^m or sin(m phi) rho^m: the sum over s of c_s z^(l - |m| - 2 s) rho^(2 s), s = 0 ... (l - |m|) // 2.
    """
    m = abs(m)
    norm = sqrt((2 * order + 1) / (4 * pi) * factorial(order + m) / factorial(order - m) * (2 if m else 1))
    # The explicit form of r^(l-m) P_lm / sin^m in powers of z and rho.
    return [
        norm
        * (-1) ** s
        * factorial(order - m)
        / (4**s * 2**m * factorial(s) * factorial(m + s) * factorial(order - m - 2 * s))
        for s in range((order - m) // 2 + 1)
    ]
