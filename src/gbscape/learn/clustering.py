"""Clusters of representations, and a map of them in two dimensions (Leitherer's thesis (2021), sections 3.1.3, 3.2.1, 6.2.2
and 6.6.3): HDBSCAN (Campello, Moulavi and Sander, PAKDD 2013, 160) and UMAP (McInnes, Healy and Melville, arXiv:1802.03426).

The libraries are imported when they are needed: compiling UMAP's kernels takes tens of seconds, and figures of clusters
need none of them.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gbscape.config.crystal import Clustering

OUTLIER = -1
"""Number of the points that are in no cluster."""

_FEWEST_POINTS = 10
"""A map of fewer points would show nothing, and UMAP's start needs some."""


class Clusters(NamedTuple):
    """Clusters of n points, numbered from 0, the largest first."""

    labels: NDArray[np.int64]
    """(n,) number of the cluster, `OUTLIER` where there is none."""
    membership: NDArray[np.float64]
    """(n,) how firmly a point belongs to its cluster, from 0 to 1; 0 for outliers."""
    core: NDArray[np.bool_]
    """(n,) true for points that HDBSCAN puts into a cluster by itself, without soft clustering."""

    @property
    def number(self) -> int:
        """Number of clusters."""
        return int(self.labels.max(initial=OUTLIER)) + 1


class Agreement(NamedTuple):
    """How well clusters are the true groups."""

    adjusted_rand_index: float
    """Over the points of a true group, outliers being a cluster of their own: 1 is the same partition, 0 chance."""
    adjusted_rand_index_clustered: float
    """Over those of them that are in a cluster; NaN if there are none."""
    outliers_inside: float
    """Share of outliers among the points of a true group."""
    outliers_between: float
    """Share of outliers among the points of no true group; NaN if there are none."""
    points_inside: int
    """Points of a true group."""
    clusters: int
    """Number of clusters."""


def find_clusters(representations: ArrayLike, settings: Clustering) -> Clusters:
    """Cluster points with HDBSCAN, by Euclidean distances.

    With `settings.soft_threshold`, each point joins the cluster to which it most probably belongs, outliers of the hard
    clustering included, unless that probability is below the threshold (thesis, section 6.6.3).

    Args:
        representations: (n, d) one row a point.
        settings: `min_cluster_size`, `min_samples` and `soft_threshold` are used.

    Raises:
        ValueError: not (n, d), values that are not finite, fewer points than `min_cluster_size`.
    """
    points = _points(representations)
    if len(points) < settings.min_cluster_size:
        raise ValueError(
            f"{len(points)} points cannot be clustered with min_cluster_size = {settings.min_cluster_size}: take a smaller "
            "one, or more boxes"
        )
    from hdbscan import HDBSCAN, all_points_membership_vectors

    soft = settings.soft_threshold is not None
    found = HDBSCAN(
        min_cluster_size=settings.min_cluster_size,
        min_samples=settings.min_samples,
        prediction_data=soft,
        core_dist_n_jobs=1,
    ).fit(points)
    labels = found.labels_.astype(np.int64)
    membership = np.asarray(found.probabilities_, dtype=np.float64)
    core = labels != OUTLIER
    n_clusters = int(labels.max()) + 1
    if soft and n_clusters > 0:
        probability = np.nan_to_num(np.asarray(all_points_membership_vectors(found)).reshape(len(points), n_clusters))
        membership = probability.max(axis=1)
        labels = np.where(membership >= settings.soft_threshold, probability.argmax(axis=1), OUTLIER)
    return Clusters(_by_size(labels), np.where(labels == OUTLIER, 0.0, membership), core)


def embed(representations: ArrayLike, settings: Clustering) -> NDArray[np.float64]:
    """Map points to two dimensions with UMAP, on one thread, so that the same seed gives the same map.

    Args:
        representations: (n, d) one row a point.
        settings: `neighbours` (at most n - 1 are taken), `min_distance` and `seed` are used.

    Returns:
        (n, 2). The axes mean nothing, distances between near points do.

    Raises:
        ValueError: not (n, d), values that are not finite, fewer than 10 points.
    """
    points = _points(representations)
    if len(points) < _FEWEST_POINTS:
        raise ValueError(f"a map of representations needs at least {_FEWEST_POINTS} points, got {len(points)}")
    from umap import UMAP

    projected = UMAP(
        n_neighbors=min(settings.neighbours, len(points) - 1),
        min_dist=settings.min_distance,
        random_state=settings.seed,
        n_jobs=1,
    ).fit_transform(points)
    return np.asarray(projected, dtype=np.float64)


def cluster_agreement(labels: ArrayLike, truth: ArrayLike, of_no_group: ArrayLike) -> Agreement:
    """Compare clusters with true groups by the adjusted Rand index (Hubert and Arabie, J. Classif. 2, 193 (1985)).

    Args:
        labels: (n,) clusters, `OUTLIER` for none.
        truth: (n,) true groups, numbers or names.
        of_no_group: (n,) true for points that are of no group, such as boxes across a boundary: they should be outliers.

    Raises:
        ValueError: lengths that differ, or no point of a true group.
    """
    found, true, between = np.asarray(labels), np.asarray(truth), np.asarray(of_no_group, dtype=bool)
    if not (found.ndim == 1 and found.shape == true.shape == between.shape):
        raise ValueError(
            f"clusters and true groups must be of the same points, got {found.shape}, {true.shape}, {between.shape}"
        )
    if between.all():
        raise ValueError("clusters cannot be compared with true groups: no point is of a true group")
    from sklearn.metrics import adjusted_rand_score

    outlier = found == OUTLIER
    clustered = ~between & ~outlier
    return Agreement(
        float(adjusted_rand_score(true[~between], found[~between])),
        float(adjusted_rand_score(true[clustered], found[clustered])) if clustered.any() else np.nan,
        float(outlier[~between].mean()),
        float(outlier[between].mean()) if between.any() else np.nan,
        int((~between).sum()),
        int(found.max(initial=OUTLIER)) + 1,
    )


def _points(representations: ArrayLike) -> NDArray[np.float64]:
    points = np.asarray(representations, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] == 0:
        raise ValueError(f"representations must have the shape (n, d), got {points.shape}")
    wrong = ~np.isfinite(points).all(axis=1)
    if wrong.any():
        raise ValueError(
            f"{int(wrong.sum())} of {len(points)} representations are not finite, the first in row {int(wrong.argmax())}: "
            "leave out boxes that were not classified"
        )
    return points


def _by_size(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same clusters, numbered by size; of equal ones that of the earlier point first."""
    numbers, first, counts = np.unique(labels[labels != OUTLIER], return_index=True, return_counts=True)
    order = np.lexsort((first, -counts))
    new = np.full(int(labels.max(initial=OUTLIER)) + 2, OUTLIER)
    new[numbers[order]] = np.arange(len(numbers))
    return new[labels]
