"""Unique local environments, by the distances of SOAP vectors (Rosenbrock et al., npj Comput. Mater. 3, 29 (2017)).

Two environments are as far apart as their SOAP vectors of norm 1 are, |p - q| = sqrt(2 - 2 p.q), the metric of the SOAP
kernel. The paper goes through the atoms in their order and calls unique whatever is further than a threshold from all
that came before. Here the next unique environment is always the one that is furthest from all before (farthest-point
sampling; Gonzalez, Theor. Comput. Sci. 38, 293 (1985)), until none is further than the threshold: what is found does not
depend on the order of the atoms, and the same two properties hold, that unique environments are further than the
threshold from each other and that every environment is within it of a unique one.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Single = NDArray[np.float32]


def unique_environments(
    vectors: Single, threshold: float, weights: NDArray[np.int_] | None = None, most: int | None = None
) -> NDArray[np.int_]:
    """Indices (k,) of the unique ones among vectors.

    The first is the nearest to the mean. Ties go to the vector that comes first.

    Args:
        vectors: (n, d) of norm 1.
        threshold: distance above which two are different.
        weights: (n,) numbers of atoms that each stands for, for the mean; None: 1.
        most: more than these are refused.

    Raises:
        ValueError: more than `most` are unique.
    """
    share = np.ones(len(vectors)) if weights is None else weights
    mean = (share / share.sum()).astype(np.float32) @ vectors  # np.average would copy them in double precision
    centred = vectors - mean  # single precision is spent on what differs
    chosen = [int(np.einsum("ij,ij->i", centred, centred).argmin())]
    nearest = _distances_to(centred, centred[chosen[0]])
    owner = np.zeros(len(vectors), dtype=np.int_)  # position among the chosen of the nearest
    while nearest.max() > threshold:
        if len(chosen) == most:
            raise ValueError(
                f"more than {most} environments differ by more than the threshold, {threshold:g}: choose a larger one"
            )
        new = int(nearest.argmax())
        # Only what is more than half as far from its own as that is from the new one can be nearer to the new one.
        between = _distances_to(centred[chosen], centred[new])
        near = np.flatnonzero(nearest > 0.499 * between[owner])
        distances = _distances_to(centred[near], centred[new])
        closer = distances < nearest[near]
        nearest[near[closer]] = distances[closer]
        owner[near[closer]] = len(chosen)
        nearest[new] = 0.0
        chosen.append(new)
    return np.array(chosen)


def nearest_environments(vectors: ArrayLike, environments: Single) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
    """The nearest environment of each vector.

    Args:
        vectors: (n, d) of norm 1.
        environments: (k, d) of norm 1.

    Returns:
        Indices (n,) of environments, and the distances (n,) to them.
    """
    mean = environments.mean(axis=0, dtype=np.float64)
    own, others = (np.asarray(given - mean, dtype=np.float32) for given in (vectors, environments))
    squared = (others**2).sum(axis=1) - 2 * own @ others.T
    indices = squared.argmin(axis=1)
    return indices, np.linalg.norm(own - others[indices], axis=1).astype(np.float64)


def _distances_to(vectors: Single, one: Single) -> Single:
    difference = vectors - one
    return np.sqrt(np.einsum("ij,ij->i", difference, difference))
