"""Principal components of more vectors than memory holds, from one pass over them."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class PrincipalComponents(NamedTuple):
    """Of vectors with d features: k directions, the first with the largest variance."""

    mean: Array
    """(d,) of the vectors."""
    directions: Array
    """(d, k) orthonormal columns; of each the component that is largest by magnitude is positive."""
    variances: Array
    """(d,) along all directions, largest first."""

    def kept_variance(self) -> float:
        """Share of the variance that the k directions keep."""
        return float(self.variances[: self.directions.shape[1]].sum() / self.variances.sum())


def principal_components(
    chunks: Iterable[Array], kept_variance: float = 0.9999, n_components: int | None = None
) -> PrincipalComponents:
    """Directions that keep a share of the variance, or so many of them.

    Args:
        chunks: (m, d) vectors, any number at a time; they are seen once and not kept.
        kept_variance: share of the variance, as many directions as it takes.
        n_components: so many directions instead.

    Raises:
        ValueError: fewer than two vectors; vectors without any variance; more directions than features.
    """
    n, shift, total, moments = 0, None, None, None
    for chunk in chunks:
        if shift is None:
            shift = chunk.mean(axis=0)  # near the mean of all, so that little cancels
            total, moments = np.zeros(len(shift)), np.zeros((len(shift), len(shift)))
        centred = chunk - shift
        n += len(chunk)
        total += centred.sum(axis=0)
        moments += centred.T @ centred
    if n < 2 or shift is None or total is None or moments is None:
        raise ValueError(f"principal components need at least two vectors, got {n}")
    covariance = (moments - np.outer(total, total) / n) / (n - 1)
    variances, vectors = np.linalg.eigh(covariance)
    variances, vectors = np.maximum(variances[::-1], 0.0), vectors[:, ::-1]
    if variances.sum() == 0:
        raise ValueError("all vectors are the same: there are no principal components")
    k = n_components or 1 + int(np.searchsorted(np.cumsum(variances) / variances.sum(), kept_variance))
    if k > len(variances):
        raise ValueError(f"{k} components were asked for, but vectors have {len(variances)} features")
    directions = vectors[:, :k]
    signs = np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(k)])
    return PrincipalComponents(shift + total / n, directions * signs, variances)
