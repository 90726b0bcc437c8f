"""Points drawn at random, what a selection is compared with."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def random_points(groups: Sequence[tuple[NDArray[np.bool_], int]], rng: np.random.Generator) -> NDArray[np.int64]:
    """Rows drawn at random from groups, so many from each, without replacement, in random order.

    Args:
        groups: each a mask (n,) of the rows, and how many of them; Random 1 of Tamura et al. (2020) is one group of all
            atoms that are not bcc, Random 2 has ten atoms of bcc beside them.
        rng: source of the random numbers.

    Raises:
        ValueError: a group has fewer rows than are to be drawn, or groups share rows.
    """
    if len(groups) > 1 and (np.sum([mask for mask, _ in groups], axis=0) > 1).any():
        raise ValueError("the groups must not share rows")
    drawn = []
    for number, (mask, count) in enumerate(groups):
        members = np.flatnonzero(mask)
        if not 0 <= count <= len(members):
            raise ValueError(f"{count} points cannot be drawn from group {number}, which has {len(members)}")
        drawn.append(rng.choice(members, size=count, replace=False))
    return rng.permutation(np.concatenate(drawn)).astype(np.int64)
