"""Directions of oriented wavelets: a grid of polar and azimuthal angles, and which of its members are opposite."""

from math import pi

import numpy as np
from numpy.typing import NDArray

from gbscape.config.scattering import OrientedScattering


def direction_angles(parameters: OrientedScattering) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Polar and azimuthal angles (n_polar * n_azimuthal,) of the directions in radians, polar angle slowest."""
    polar = (np.arange(parameters.n_polar) + 0.5) * pi / parameters.n_polar
    azimuthal = np.arange(parameters.n_azimuthal) * 2 * pi / parameters.n_azimuthal
    first, second = np.meshgrid(polar, azimuthal, indexing="ij")
    return first.ravel(), second.ravel()


def distinct_directions(parameters: OrientedScattering) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """One direction of each opposite pair, and which stands for each.

    Opposite to (polar, azimuthal) is (pi - polar, azimuthal + pi), which the grid holds if the number of azimuthal angles
    is even.

    Returns:
        Indices (n_distinct,) of the first of each pair, and for every direction the position (n_polar * n_azimuthal,) of
        its own or its opposite among them.
    """
    n_polar, n_azimuthal = parameters.n_polar, parameters.n_azimuthal
    index = np.arange(n_polar * n_azimuthal)
    if n_azimuthal % 2:
        return index, index
    polar, azimuthal = np.divmod(index, n_azimuthal)
    opposite = (n_polar - 1 - polar) * n_azimuthal + (azimuthal + n_azimuthal // 2) % n_azimuthal
    kept, position = np.unique(np.minimum(index, opposite), return_inverse=True)
    return kept, position
