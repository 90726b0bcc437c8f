"""Areas of polygons in space."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

Array = NDArray[np.float64]


def convex_polygon_area(corners: Array, normal: Array) -> float:
    """Area of a convex polygon of corners (n, 3), given in any order, perpendicular to `normal` (3,); 0 where they lie on a line."""
    across = np.linalg.svd(normal[None])[2][1:]  # two directions in the plane
    flat = corners @ across.T
    spread = np.linalg.svd(flat - flat.mean(axis=0), compute_uv=False)
    if len(flat) < 3 or spread[-1] < 1e-9 * np.linalg.norm(corners):
        return 0.0
    return float(ConvexHull(flat).volume)  # of a planar hull, `volume` is the area
