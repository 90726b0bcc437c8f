"""Clusters of representations: blobs are found, noise is not, soft clusters take in what is near, maps are repeatable."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from gbscape.config.crystal import Clustering
from gbscape.learn.clustering import OUTLIER, cluster_agreement, embed, find_clusters

SETTINGS = Clustering(min_cluster_size=20, min_samples=5, neighbours=15)
SIZES = (120, 60, 90)


def blobs(spread: float = 0.2, noise: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Three groups in ten dimensions and points scattered between; the group of each, -1 for the latter."""
    rng = np.random.default_rng(0)
    middles = 6 * np.eye(3, 10)
    points = [rng.normal(middle, spread, (n, 10)) for middle, n in zip(middles, SIZES, strict=True)]
    truth = np.repeat([0, 1, 2, -1], [*SIZES, noise])
    return np.concatenate([*points, rng.uniform(-8, 8, (noise, 10))]), truth


def test_clusters_are_the_groups_by_size_and_the_rest_is_outliers() -> None:
    points, truth = blobs()
    found = find_clusters(points, SETTINGS)
    assert found.number == 3
    group = truth >= 0
    assert adjusted_rand_score(truth[group], found.labels[group]) == 1
    assert [int((found.labels[group] == n).sum()) for n in range(3)] == sorted(SIZES, reverse=True)
    assert (found.labels[~group] == OUTLIER).mean() > 0.95
    np.testing.assert_array_equal(found.core, found.labels != OUTLIER)
    assert (found.membership[found.labels == OUTLIER] == 0).all()
    assert (found.membership[group] > 0).all()


def test_the_order_of_the_points_does_not_matter() -> None:
    points, _ = blobs()
    order = np.random.default_rng(1).permutation(len(points))
    np.testing.assert_array_equal(
        find_clusters(points[order], SETTINGS).labels, find_clusters(points, SETTINGS).labels[order]
    )


def test_soft_clusters_take_in_outliers_down_to_the_threshold() -> None:
    points, truth = blobs(spread=0.6)
    hard = find_clusters(points, SETTINGS)
    few, many = (
        find_clusters(points, SETTINGS.model_copy(update={"soft_threshold": threshold})) for threshold in (0.4, 0.01)
    )
    outliers = [int((found.labels == OUTLIER).sum()) for found in (many, few)]
    assert outliers[0] < outliers[1]
    assert outliers[0] < (hard.labels == OUTLIER).sum()
    for found, threshold in ((few, 0.4), (many, 0.01)):
        assert (found.membership[found.labels != OUTLIER] >= threshold).all()
        np.testing.assert_array_equal(found.core, hard.core)
    both = (few.labels != OUTLIER) & (truth >= 0)
    assert adjusted_rand_score(truth[both], few.labels[both]) == 1


@pytest.mark.parametrize("soft_threshold", [None, 0.1])
def test_without_clusters_all_are_outliers(soft_threshold: float | None) -> None:
    points = np.random.default_rng(0).uniform(size=(60, 10))
    settings = Clustering(min_cluster_size=25, soft_threshold=soft_threshold)
    found = find_clusters(points, settings)
    assert found.number == 0
    assert (found.labels == OUTLIER).all()
    assert not found.membership.any()


def test_the_map_keeps_groups_apart_and_is_the_same_for_the_same_seed() -> None:
    points, truth = blobs(noise=0)
    places = embed(points, SETTINGS)
    assert places.shape == (len(points), 2)
    middles = np.array([places[truth == n].mean(axis=0) for n in range(3)])
    nearest = np.linalg.norm(places[:, None] - middles, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(nearest, truth)
    np.testing.assert_array_equal(embed(points, SETTINGS), places)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros((19, 4)), "19 points cannot be clustered with min_cluster_size = 20"),
        (np.zeros(50), r"must have the shape \(n, d\), got \(50,\)"),
        (np.zeros((50, 0)), r"got \(50, 0\)"),
        (np.where(np.arange(50)[:, None] == 7, np.nan, np.ones((50, 3))), "1 of 50 .* the first in row 7"),
    ],
)
def test_what_cannot_be_clustered_is_refused(points: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find_clusters(points, SETTINGS)


def test_a_map_of_few_points_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 10 points, got 9"):
        embed(np.zeros((9, 3)), SETTINGS)


def test_agreement_with_true_groups() -> None:
    truth = np.array(["a", "a", "a", "b", "b", "b", "mixed", "mixed"])
    between = truth == "mixed"
    perfect = cluster_agreement([5, 5, 5, 0, 0, 0, -1, -1], truth, between)
    assert perfect.adjusted_rand_index == perfect.adjusted_rand_index_clustered == 1
    assert (perfect.outliers_inside, perfect.outliers_between, perfect.points_inside) == (0, 1, 6)
    worse = cluster_agreement([0, 0, -1, 1, 1, 1, 1, -1], truth, between)
    # pairs of the six points inside: 6 alike in truth; 1 + 0 + 3 alike as found, 4 in both
    expected = (4 - 6 * 4 / 15) / ((6 + 4) / 2 - 6 * 4 / 15)
    assert worse.adjusted_rand_index == pytest.approx(expected)
    assert worse.adjusted_rand_index_clustered == 1
    assert worse.outliers_inside == pytest.approx(1 / 6)
    assert worse.outliers_between == 0.5


def test_agreement_without_outliers_between_or_clusters() -> None:
    found = cluster_agreement([-1, -1], ["a", "b"], [False, False])
    assert np.isnan(found.adjusted_rand_index_clustered)
    assert np.isnan(found.outliers_between)
    assert found.clusters == 0


def test_agreement_refuses_what_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="of the same points"):
        cluster_agreement([0, 1], ["a"], [False])
    with pytest.raises(ValueError, match="no point is of a true group"):
        cluster_agreement([0, 1], ["m", "m"], [True, True])
