"""Training and test error of the energy against the number of training boundaries (Homer et al. 2019, Fig. 2)."""

import warnings
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gbscape.config.learn import Learn
from gbscape.learn.boosted_trees import fit_boosted_trees
from gbscape.learn.inputs import checked_features, checked_target
from gbscape.learn.splits import numbered_split
from gbscape.learn.tables import LEARNING_CURVE_COLUMNS


def learning_curve(
    features: ArrayLike,
    energies_j_m2: ArrayLike,
    settings: Learn,
    seed: int,
    *,
    representation: str,
    target_name: str,
    part_sizes: Sequence[int] = (),
    track: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> pd.DataFrame:
    """Mean absolute errors in J/m^2; columns LEARNING_CURVE_COLUMNS, `set` is train or test.

    Repeat i uses split i of `evaluate` with the same seed: its test rows are the same at every size, and each
    training set holds the smaller ones. The number of trees is chosen anew at every size. Sizes below the number of folds
    are left out, with a warning.

    Args:
        features: (n, d).
        energies_j_m2: (n,).
        part_sizes: numbers of columns of the parts of a concatenation; empty for one part.
        track: wraps the loop over the repeats, to show progress (e.g. tqdm).

    Raises:
        ValueError: as `gbscape.learn.boosted_trees.fit_boosted_trees`.
    """
    energies = checked_target(energies_j_m2, "regression")
    matrix = checked_features(features, len(energies))
    records = []
    for repeat in track(range(settings.learning_curve.repeats)):
        split = numbered_split(energies, "regression", settings.test_fraction, seed, repeat)
        wanted = sorted({round(fraction * len(split.train)) for fraction in settings.learning_curve.fractions})
        sizes = [size for size in wanted if size >= settings.trees.folds]
        if repeat == 0 and len(sizes) < len(wanted):
            warnings.warn(
                f"sizes {wanted[: len(wanted) - len(sizes)]} of the learning curve are left out: fewer boundaries than "
                f"the {settings.trees.folds} folds of the cross-validation",
                stacklevel=2,
            )
        shuffled = np.random.default_rng(split.fit_seed).permutation(split.train)
        for size in sizes:
            train = np.sort(shuffled[:size])
            model = fit_boosted_trees(
                matrix[train], energies[train], "regression", settings.trees, None, split.fit_seed, part_sizes
            )
            for name, rows in (("train", train), ("test", split.test)):
                error = float(np.abs(model.predict(matrix[rows]) - energies[rows]).mean())
                records.append((representation, target_name, repeat, size, len(split.test), name, error))
    return pd.DataFrame(records, columns=LEARNING_CURVE_COLUMNS)
