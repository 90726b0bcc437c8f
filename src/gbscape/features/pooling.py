"""From one vector per atom to one vector per boundary."""

import numpy as np
from numpy.typing import NDArray


def mean(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the atoms.

    Args:
        vectors: (n_centres, n_features).

    Returns:
        (n_features,).

    Raises:
        ValueError: no centres.
    """
    if vectors.ndim != 2 or len(vectors) == 0:
        raise ValueError(f"expected vectors of at least one centre, shape (n_centres, n_features), got {vectors.shape}")
    return vectors.mean(axis=0)
