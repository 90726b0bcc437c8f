"""How far features are from all that a network was trained on: a sense for what is none of its classes.

The representations of each class are taken as normally distributed around its mean, with one covariance for all classes
(Lee, Lee, Lee and Shin, NeurIPS 31 (2018)), estimated with shrinkage, since representations of pristine crystals hardly
vary (Ledoit and Wolf 2004). What counts is the Mahalanobis distance to the nearest class; it needs no forward passes. Where
means of something else are known, a background, a row that is nearer to one of them is none of the classes either, as in
linear discriminant analysis: the plain distance takes a dense liquid for a crystal with defects.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist
from sklearn.covariance import ledoit_wolf

from gbscape.learn.dropout_network import DropoutNetwork, activations, checked_features

Array = NDArray[np.float64]

KNOWN = 1.0
"""Rows with a higher `outlier_score` are of none of the classes."""


@dataclass(frozen=True)
class FeatureSpace:
    """Where the classes are in a space of d representations."""

    layer: int | None
    """Hidden layer, from 0, whose activations without dropout are the representations; None: the features themselves."""
    whitening: Array
    """(d, d) W: the squared distance of x and y is |(x - y) W|^2."""
    means: Array
    """(classes, d) mean of each class, times W."""
    background: Array
    """(kinds, d) mean of each kind of rows that are of no class, times W; there may be none."""
    threshold: float
    """Distance to the nearest class above which a row counts as none of the classes."""


def fit_feature_space(
    network: DropoutNetwork,
    features: ArrayLike,
    labels: ArrayLike,
    layer: int | None = -1,
    quantile: float = 0.99,
    held_out: ArrayLike | None = None,
    background: Sequence[ArrayLike] = (),
) -> FeatureSpace:
    """Find the classes, and the distance that a share of known rows does not exceed.

    Args:
        network: whose layer is looked at.
        features: (n, features) of training rows.
        labels: (n,) class numbers; every class must occur.
        layer: hidden layer; negative numbers count from the last; None: the features themselves.
        quantile: share of the rows that is to be below the threshold.
        held_out: (m, features) of rows of known classes by which the threshold is set, better such as were not trained on
            and have the defects that are to be accepted; None: the training rows.
        background: (rows, features) of each kind of rows that are of no class.

    Raises:
        ValueError: an unknown layer, labels that do not fit, a class without rows, rows that do not vary within their
            classes, or a quantile outside (0, 1].
    """
    n_hidden, n_classes = len(network.sizes) - 2, network.sizes[-1]
    if layer is not None and not -n_hidden <= layer < n_hidden:
        raise ValueError(f"there is no hidden layer {layer}: they are numbered from 0 to {n_hidden - 1}")
    if not 0 < quantile <= 1:
        raise ValueError(f"the quantile must be in (0, 1], got {quantile!r}")
    layer = None if layer is None else layer % n_hidden
    rows, true = _representations(network, features, layer), np.asarray(labels)
    if true.shape != (len(rows),) or not np.array_equal(np.unique(true), np.arange(n_classes)):
        raise ValueError(f"labels must be {len(rows)} numbers in which all classes from 0 to {n_classes - 1} occur")
    means = np.stack([rows[true == c].mean(axis=0) for c in range(n_classes)])
    covariance, _ = ledoit_wolf(rows - means[true], assume_centered=True)
    variances, axes = np.linalg.eigh(covariance)
    if variances[-1] <= 0 or variances[0] <= 1e-12 * variances[-1]:
        raise ValueError("the rows of a class are all alike: no distance can be learned from them")
    whitening = axes / np.sqrt(variances)
    others = [_representations(network, kind, layer).mean(axis=0) @ whitening for kind in background]
    space = FeatureSpace(layer, whitening, means @ whitening, np.reshape(others, (-1, rows.shape[1])), np.inf)
    known = class_distance(network, space, features if held_out is None else held_out)
    return replace(space, threshold=float(np.quantile(known, quantile)))


def class_distance(network: DropoutNetwork, space: FeatureSpace, features: ArrayLike) -> Array:
    """Mahalanobis distance (n,) of each row to the nearest class.

    Raises:
        ValueError: features that do not fit, or are not finite.
    """
    return _nearest(_representations(network, features, space.layer) @ space.whitening, space.means)


def outlier_score(network: DropoutNetwork, space: FeatureSpace, features: ArrayLike) -> Array:
    """How little each row (n,) is like the classes, from 0; above `KNOWN` it is of none of them.

    The distance to the nearest class over the threshold or, if that is more, over the distance to the nearest background.

    Raises:
        ValueError: features that do not fit, or are not finite.
    """
    white = _representations(network, features, space.layer) @ space.whitening
    distance = _nearest(white, space.means)
    scores = distance / space.threshold
    if len(space.background):
        tiny = np.finfo(float).tiny
        scores = np.maximum(scores, distance / np.maximum(_nearest(white, space.background), tiny))
    return scores


def _nearest(points: Array, means: Array) -> Array:
    return np.concatenate([cdist(part, means).min(axis=1) for part in np.array_split(points, len(points) // 8192 + 1)])


def _representations(network: DropoutNetwork, features: ArrayLike, layer: int | None) -> Array:
    rows = checked_features(features, network.sizes[0])
    return (rows if layer is None else activations(network, rows)[layer]).astype(np.float64)
