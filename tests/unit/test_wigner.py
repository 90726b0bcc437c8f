import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from scipy.special import sph_harm_y

from gbscape.features.wigner import real_wigner, rotation_matrix, zonal_coefficients


def real_harmonics(order, vectors):
    """(2 l + 1, n) from SciPy's complex ones, without their Condon-Shortley phase."""
    x, y, z = vectors
    theta, phi = np.arctan2(np.hypot(x, y), z), np.arctan2(y, x)
    rows = []
    for m in range(-order, order + 1):
        value = (-1) ** m * sph_harm_y(order, abs(m), theta, phi)
        rows.append(value.real if m == 0 else np.sqrt(2) * (value.real if m > 0 else value.imag))
    return np.array(rows)


@pytest.fixture(scope="module")
def rotations():
    return Rotation.random(5, rng=np.random.default_rng(0)).as_matrix()


@pytest.mark.parametrize("order", range(9))
def test_rotates_harmonics_as_their_argument_is_rotated(order, rotations):
    points = np.random.default_rng(1).normal(size=(3, 40))
    points /= np.linalg.norm(points, axis=0)
    improper = -rotations
    for matrix in [*rotations, *improper]:
        expected = real_harmonics(order, matrix @ points)
        np.testing.assert_allclose(real_wigner(order, matrix) @ real_harmonics(order, points), expected, atol=1e-12)


@pytest.mark.parametrize("order", range(9))
def test_is_orthogonal_and_composes(order, rotations):
    matrices = real_wigner(order, rotations)
    assert matrices.shape == (5, 2 * order + 1, 2 * order + 1)
    np.testing.assert_allclose(
        matrices @ np.swapaxes(matrices, -1, -2), np.broadcast_to(np.eye(2 * order + 1), matrices.shape), atol=1e-12
    )
    product = real_wigner(order, rotations[0] @ rotations[1])
    np.testing.assert_allclose(product, matrices[0] @ matrices[1], atol=1e-12)


@pytest.mark.parametrize("order", range(7))
def test_addition_theorem_is_the_column_of_m_0(order):
    alpha, beta = np.random.default_rng(2).uniform(0, 3, (2, 6))
    turn = rotation_matrix(alpha, beta, 0.7)
    np.testing.assert_allclose(
        zonal_coefficients(order, turn[:, :, 2]), real_wigner(order, turn)[:, :, order], atol=1e-12
    )


def test_euler_angles():
    alpha, beta, gamma = 0.3, 1.1, -2.0
    np.testing.assert_allclose(
        rotation_matrix(alpha, beta, gamma), Rotation.from_euler("ZYZ", [alpha, beta, gamma]).as_matrix(), atol=1e-14
    )
    direction = rotation_matrix(alpha, beta, gamma)[:, 2]
    expected = [np.sin(beta) * np.cos(alpha), np.sin(beta) * np.sin(alpha), np.cos(beta)]
    np.testing.assert_allclose(direction, expected, atol=1e-14)


@pytest.mark.parametrize("matrix", [np.ones((3, 3)), 2 * np.eye(3), np.eye(2)])
def test_what_is_no_rotation_is_refused(matrix):
    with pytest.raises(ValueError, match="orthogonal matrices"):
        real_wigner(2, matrix)
