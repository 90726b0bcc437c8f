"""Rotations of real spherical harmonics."""

from math import pi, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gbscape.features.solid_harmonics import real_solid_harmonics

Array = NDArray[np.float64]


def rotation_matrix(alpha: ArrayLike, beta: ArrayLike, gamma: ArrayLike) -> Array:
    """R_z(alpha) R_y(beta) R_z(gamma), (..., 3, 3), of Euler angles in radians.

    It takes the z axis to the direction of polar angle beta and azimuthal angle alpha.
    """
    alpha, beta, gamma = np.broadcast_arrays(*(np.asarray(angle, dtype=float) for angle in (alpha, beta, gamma)))
    return _about(2, alpha) @ _about(1, beta) @ _about(2, gamma)


def _about(axis: int, angle: Array) -> Array:
    matrix = np.zeros((*angle.shape, 3, 3))
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix[..., axis, axis] = 1
    matrix[..., first, first] = matrix[..., second, second] = np.cos(angle)
    matrix[..., second, first] = np.sin(angle)
    matrix[..., first, second] = -np.sin(angle)
    return matrix


def real_wigner(order: int, rotations: ArrayLike) -> Array:
    """Wigner matrices D of real spherical harmonics: Y_lm(R u) = sum over m' of D_mm' Y_lm'(u).

    They are orthogonal and compose like the rotations, D(R S) = D(R) D(S). Each element is the integral over the sphere
    of Y_lm(R u) Y_lm'(u), which Gauss-Legendre points make exact.

    Args:
        order: l >= 0.
        rotations: (..., 3, 3) proper or improper rotations.

    Returns:
        (..., 2 l + 1, 2 l + 1), m = -l ... l as in `real_solid_harmonics`.
    """
    matrices = np.asarray(rotations, dtype=float)
    if matrices.shape[-2:] != (3, 3) or not np.allclose(matrices @ np.swapaxes(matrices, -1, -2), np.eye(3), atol=1e-8):
        raise ValueError(f"rotations must be orthogonal matrices (..., 3, 3), got shape {matrices.shape}")
    polar, weights = np.polynomial.legendre.leggauss(order + 1)
    azimuth = 2 * pi * np.arange(2 * order + 1) / (2 * order + 1)
    sine = np.sqrt(1 - polar**2)
    points = np.stack(
        [
            np.outer(sine, np.cos(azimuth)).ravel(),
            np.outer(sine, np.sin(azimuth)).ravel(),
            np.repeat(polar, len(azimuth)),
        ]
    )
    rotated = np.moveaxis(matrices @ points, -2, 0)
    weight = np.repeat(weights, len(azimuth)) * (2 * pi / len(azimuth))
    after = np.stack(list(real_solid_harmonics(order, *rotated)), axis=-2)
    before = np.stack(list(real_solid_harmonics(order, *points)))
    return (after * weight) @ before.T


def zonal_coefficients(order: int, directions: ArrayLike) -> Array:
    """Y_l0 about each direction as a sum of the Y_lm about z, by the addition theorem: (..., 2 l + 1).

    Args:
        order: l >= 0.
        directions: (..., 3) unit vectors.
    """
    x, y, z = np.moveaxis(np.asarray(directions, dtype=float), -1, 0)
    return sqrt(4 * pi / (2 * order + 1)) * np.stack(list(real_solid_harmonics(order, x, y, z)), axis=-1)
