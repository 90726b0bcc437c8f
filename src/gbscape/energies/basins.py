"""Integrals over the basins of a periodic field's maxima: the volumes of atoms.

The basin of a maximum is where steepest ascent leads to it. The weight method of Yu and Trinkle, J. Chem. Phys. 134, 064111
(2011), shares out every grid point among the basins by the flux from its Voronoi cell to those of its neighbours, which
converges with the square of the grid spacing and has no preferred directions.
"""

from itertools import product

import numpy as np
from ase.geometry import get_distances, minkowski_reduce
from numba import njit
from numpy.typing import NDArray
from scipy.spatial import Voronoi

from gbscape.structure.polygon import convex_polygon_area

Array = NDArray[np.float64]

_SMALLEST_FACET = 1e-8
"""Facets of less than this, in squared distances of the neighbours, come from rounding."""


def basin_integrals(field: Array, cell: Array, positions: Array, quantities: Array) -> Array:
    """Integrals (n_atoms, m) of `quantities` over the basins of a field's maxima, each of which belongs to the nearest atom.

    The weights of a grid point add up to one, so the sum over the atoms is the integral over the cell.

    Args:
        field: (n1, n2, n3), values at the points i/n1, j/n2, k/n3 of the cell.
        cell: (3, 3), vectors in rows, any shape.
        positions: (n_atoms, 3) of the atoms, in the same unit of length.
        quantities: (m, n1, n2, n3), integrands on the same grid.

    Returns:
        the integrals, in the integrands' unit times the cube of that of length.

    Raises:
        ValueError: shapes that do not match, values that are not finite, a cell without volume, or an atom that has no
            maximum.
    """
    if field.ndim != 3 or quantities.shape[1:] != field.shape:
        raise ValueError(f"field and quantities must share a grid, got {field.shape} and {quantities.shape}")
    if not (np.isfinite(field).all() and np.isfinite(quantities).all()):
        raise ValueError("the field and the quantities must be finite numbers")
    volume = abs(float(np.linalg.det(cell)))
    if not volume > 1e-9 * float(np.prod(np.linalg.norm(cell, axis=1))):
        raise ValueError(f"the cell has no volume: {cell.tolist()}")
    shape = np.array(field.shape)
    steps, conductances = _voronoi_neighbours(cell / shape[:, None])
    values = np.ascontiguousarray(field, dtype=float).ravel()
    # A copy with one row a point; the rows move uphill and end at the maxima.
    content = np.array(quantities.reshape(len(quantities), -1).T, dtype=float, order="C")
    maxima = _ascend(np.argsort(values), values, shape, steps, conductances, content)
    places = np.stack(np.unravel_index(maxima, field.shape), axis=1) / shape @ cell
    owners = get_distances(places, positions, cell=cell, pbc=True)[1].argmin(axis=1)
    without = np.setdiff1d(np.arange(len(positions)), owners)
    if len(without):
        raise ValueError(f"the field has no maximum at the atoms {without.tolist()}: is the grid too coarse?")
    integrals = np.zeros((len(positions), len(quantities)))
    np.add.at(integrals, owners, content[maxima])
    return integrals * (volume / values.size)


def _voronoi_neighbours(voxel: Array) -> tuple[NDArray[np.int64], Array]:
    """Steps (k, 3) to the points whose Voronoi cells touch that of a grid point, and the facets' areas over the distances (k,).

    The product of the latter and the difference of the field is the flux through the facet (Yu and Trinkle 2011, equation 7).
    """
    reduced, operation = minkowski_reduce(voxel)  # the neighbours are then one step away
    steps = np.array(list(product(range(-2, 3), repeat=3)))
    points = steps @ reduced
    centre = len(steps) // 2
    voronoi = Voronoi(points)
    kept, conductances = [], []
    for ridge, corners in zip(voronoi.ridge_points, voronoi.ridge_vertices, strict=True):
        if centre not in ridge:
            continue
        other = ridge[0] if ridge[1] == centre else ridge[1]
        distance = float(np.linalg.norm(points[other]))
        area = convex_polygon_area(voronoi.vertices[corners], points[other] / distance)
        if area > _SMALLEST_FACET * distance**2:
            kept.append(steps[other] @ operation)
            conductances.append(area / distance)
    return np.array(kept, dtype=np.int64), np.array(conductances)


@njit(cache=True)
def _ascend(  # type: ignore[no-untyped-def]
    order, values, shape, steps, conductances, content
):
    """Move every point's content to its higher neighbours in proportion to the flux, from the lowest point up.

    What is left, at the maxima, are the sums over their basins. This is the weight method the other way round: one pass does
    for all basins, and no weights are kept.
    """
    n_y, n_z = shape[1], shape[2]
    n_steps = len(conductances)
    flux = np.empty(n_steps)
    neighbour = np.empty(n_steps, np.int64)
    maxima = []
    for point in order:
        z = point % n_z
        y = (point // n_z) % n_y
        x = point // (n_y * n_z)
        total = 0.0
        for j in range(n_steps):
            neighbour[j] = (((x + steps[j, 0]) % shape[0]) * n_y + (y + steps[j, 1]) % n_y) * n_z + (
                z + steps[j, 2]
            ) % n_z
            flux[j] = conductances[j] * max(values[neighbour[j]] - values[point], 0.0)
            total += flux[j]
        if total == 0.0:
            maxima.append(point)
            continue
        for j in range(n_steps):
            if flux[j] > 0.0:
                share = flux[j] / total
                for q in range(content.shape[1]):
                    content[neighbour[j], q] += share * content[point, q]
    return np.array(maxima)
