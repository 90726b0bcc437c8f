"""Basins of fields whose basins are known: their volumes, their charges, and what the weight method conserves."""

import numpy as np
import pytest
from ase.geometry import minkowski_reduce

from gbscape.energies.basins import _voronoi_neighbours, basin_integrals

CELLS = {
    "cube": 4.0 * np.eye(3),
    "box": np.diag([3.0, 4.0, 5.5]),
    "fcc": 3.0 * (1 - np.eye(3)),
    "bcc": 2.5 * (1 - 2 * np.eye(3)),
    "oblique": np.array([[4.0, 0.3, -0.2], [1.1, 3.9, 0.4], [-0.9, 1.3, 4.4]]),
    "skewed": np.array([[4.0, 0, 0], [9.0, 4.0, 0], [1.0, -6.5, 4.0]]),
}


def gaussians(cell, shape, positions, widths, amplitudes=None):
    """Fields (n_atoms, n1, n2, n3) of periodic Gaussians, whose integrals are the amplitudes (1)."""
    fractions = np.stack(np.meshgrid(*[np.arange(n) / n for n in shape], indexing="ij"), axis=-1)
    fields = np.zeros((len(positions), *shape))
    amplitudes = np.ones(len(positions)) if amplitudes is None else amplitudes
    reduced = minkowski_reduce(cell)[0]
    for field, position, width, amplitude in zip(fields, positions, widths, amplitudes, strict=True):
        inside = (fractions @ cell - position) @ np.linalg.inv(reduced)
        inside -= np.rint(inside)
        for image in np.ndindex(3, 3, 3):
            offset = (inside - image + 1) @ reduced
            field += amplitude * np.exp(-(offset**2).sum(-1) / (2 * width**2)) / (2 * np.pi * width**2) ** 1.5
    return fields


def volumes(field, cell, positions):
    return integrals(field, cell, positions, np.ones(field.shape))


def integrals(field, cell, positions, quantity):
    """Integrals of a single quantity, which must come out of it unchanged."""
    before = quantity.copy()
    found = basin_integrals(field, cell, positions, quantity[None])[:, 0]
    np.testing.assert_array_equal(quantity, before)
    return found


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_flux_through_the_facets_is_that_of_a_linear_field(cell):
    steps, conductances = _voronoi_neighbours(cell)
    vectors = steps @ cell
    # The divergence theorem: areas times normals times distances add up to twice the cell's volume.
    tensor = np.einsum("k,ki,kj->ij", conductances, vectors, vectors)
    np.testing.assert_allclose(tensor, 2 * abs(np.linalg.det(cell)) * np.eye(3), atol=1e-9)
    assert (conductances > 0).all()
    assert {tuple(step) for step in steps} == {tuple(-step) for step in steps}


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_every_point_is_shared_out_whole(cell):
    rng = np.random.default_rng(1)
    shape = (13, 14, 16)
    positions = np.array([[0.1, 0.2, 0.15], [0.62, 0.7, 0.63]]) @ cell
    field = gaussians(cell, shape, positions, [0.5, 0.6]).sum(axis=0)
    deltas = np.zeros((40, *shape))
    for delta in deltas:
        delta[tuple(rng.integers(shape))] = 1.0
    weights = basin_integrals(field, cell, positions, deltas) * field.size / abs(np.linalg.det(cell))
    np.testing.assert_allclose(weights.sum(axis=0), 1.0, atol=1e-12)
    assert weights.min() >= 0
    assert ((weights > 0.01) & (weights < 0.99)).any()  # some points are divided


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_equal_atoms_have_equal_volumes(cell):
    positions = np.array([[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]]) @ cell
    field = gaussians(cell, (12, 12, 12), positions, [0.7, 0.7]).sum(axis=0)
    np.testing.assert_allclose(volumes(field, cell, positions), abs(np.linalg.det(cell)) / 2, rtol=1e-9)


def test_volume_of_a_plane_converges_with_the_spacing():
    """f = cos x + b cos(2 x + c) + cos y + cos z has two basins, whose walls are the planes where f is least along x."""
    b, c = 0.8, 0.7
    cell = 2 * np.pi * np.eye(3)
    x = np.linspace(0, 2 * np.pi, 1_000_001)
    f = np.cos(x) + b * np.cos(2 * x + c)
    low = x[1:-1][(f[1:-1] < f[:-2]) & (f[1:-1] < f[2:])]
    high = x[1:-1][(f[1:-1] > f[:-2]) & (f[1:-1] > f[2:])]
    assert len(low) == len(high) == 2
    inside = (high > low[0]) & (high < low[1])
    positions = np.array([[high[inside][0], 0, 0], [high[~inside][0], 0, 0]])
    exact = (low[1] - low[0]) / (2 * np.pi)
    errors = []
    for n in (15, 30, 60):
        grid = 2 * np.pi * np.arange(n) / n
        along = np.cos(grid) + b * np.cos(2 * grid + c)
        field = along[:, None, None] + np.cos(grid)[:, None] + np.cos(grid)
        errors.append(abs(volumes(field, cell, positions)[0] / (2 * np.pi) ** 3 - exact))
    assert errors[0] < 0.02  # points are 1/15 apart
    assert errors[2] < min(1e-3, errors[0] / 4)


@pytest.mark.parametrize("name", ["cube", "oblique"])
def test_divergences_vanish_with_the_square_of_the_spacing(name):
    """No flux through the surfaces: the Laplacian integrates to zero over every basin."""
    cell = CELLS[name]
    positions = np.array([[0.12, 0.21, 0.17], [0.58, 0.66, 0.71]]) @ cell
    widths = np.array([0.75, 0.9])
    found = []
    for n in (24, 48):
        fields = gaussians(cell, (n, n, n), positions, widths)
        waves = np.stack(np.meshgrid(*[np.fft.fftfreq(n, 1 / n)] * 3, indexing="ij"), axis=-1)
        waves = waves @ (2 * np.pi * np.linalg.inv(cell).T)
        field = fields.sum(axis=0)
        laplacian = np.fft.ifftn(-(waves**2).sum(-1) * np.fft.fftn(field)).real
        found.append(integrals(field, cell, positions, laplacian))
        scale = np.abs(laplacian).mean() * abs(np.linalg.det(cell))
    assert np.abs(found[1]).max() < 3e-3 * scale
    assert np.abs(found[1]).max() < 0.4 * np.abs(found[0]).max()


def test_charges_of_gaussians_far_apart():
    cell = CELLS["oblique"]
    positions = np.array([[0.1, 0.1, 0.1], [0.6, 0.6, 0.6]]) @ cell
    fields = gaussians(cell, (40, 40, 40), positions, [0.3, 0.4], [3.0, 1.0])
    charges = integrals(fields.sum(axis=0), cell, positions, fields.sum(axis=0))
    np.testing.assert_allclose(charges, [3.0, 1.0], atol=2e-3)


def test_a_maximum_without_an_atom_belongs_to_the_nearest_through_the_faces():
    cell = CELLS["skewed"]
    nuclei = np.array([[0.05, 0.5, 0.5], [0.5, 0.5, 0.5]]) @ cell
    extra = nuclei[0] - [0.9, 0, 0]  # in the image of the cell, where it is near the first
    places = np.vstack([nuclei, extra])
    field = gaussians(cell, (36, 36, 36), places, [0.25, 0.25, 0.25], [1.0, 1.0, 0.5])
    charges = integrals(field.sum(axis=0), cell, nuclei, field.sum(axis=0))
    np.testing.assert_allclose(charges, [1.5, 1.0], atol=5e-3)


def test_what_is_refused():
    cell, positions = np.eye(3), np.array([[0.25, 0.5, 0.5], [0.75, 0.5, 0.5]])
    field = gaussians(cell, (8, 8, 8), positions[:1], [0.2]).sum(axis=0)
    ones = np.ones((1, 8, 8, 8))
    with pytest.raises(ValueError, match="share a grid"):
        basin_integrals(field, cell, positions, np.ones((1, 8, 8, 9)))
    with pytest.raises(ValueError, match=r"no maximum at the atoms \[1\]"):
        basin_integrals(field, cell, positions, ones)
    with pytest.raises(ValueError, match="no volume"):
        basin_integrals(field, np.diag([1.0, 1.0, 0.0]), positions, ones)
    with pytest.raises(ValueError, match="finite"):
        basin_integrals(np.where(field == field.max(), np.nan, field), cell, positions, ones)
