"""Synthetic minority over-sampling (SMOTE, Chawla et al. 2002) of training rows."""

import numpy as np
from imblearn.over_sampling import SMOTE

from gbscape.config.learn import Smote


def oversample(features: np.ndarray, labels: np.ndarray, settings: Smote, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Grow every class to the size of the largest by interpolation between neighbours of one class.

    Give it training rows only: whatever it sees leaks into the synthetic rows. The given rows come first and
    unchanged, followed by the synthetic ones. With m the rows of the smallest class that has to grow, the number of
    neighbours is at most m - 1.

    Args:
        features: (n, d).
        labels: (n,).

    Raises:
        ValueError: a class has one row, so that there is nothing to interpolate towards.
    """
    classes, counts = np.unique(labels, return_counts=True)
    growing = counts[counts < counts.max()]
    if not len(growing):
        return features, labels
    if growing.min() < 2:
        raise ValueError(
            f"class {classes[counts.argmin()]} has one training row: SMOTE needs two; "
            "merge the class, leave it out, or set smote to null"
        )
    sampler = SMOTE(k_neighbors=min(settings.k_neighbors, int(growing.min()) - 1), random_state=seed)
    return sampler.fit_resample(features, labels)
