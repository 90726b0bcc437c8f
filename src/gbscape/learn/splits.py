"""Train-test splits and cross-validation folds: random for regression, stratified by class for classification."""

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import KFold, ShuffleSplit, StratifiedKFold, StratifiedShuffleSplit

from gbscape.config.learn import Task

Rows = np.ndarray  # (m,) integer row numbers, ascending


@dataclass(frozen=True)
class Split:
    """Training and test rows, with the seed of what is fitted to them."""

    train: Rows
    test: Rows
    fit_seed: int


def numbered_split(target: np.ndarray, task: Task, test_fraction: float, seed: int, number: int) -> Split:
    """Split `number` of `seed`: the same whatever the features are and however many splits are made."""
    split_seed, fit_seed = (int(s) for s in np.random.SeedSequence([seed, number]).generate_state(2))
    train, test = train_test_rows(target, task, test_fraction, split_seed)
    return Split(train=train, test=test, fit_seed=fit_seed)


def train_test_rows(target: np.ndarray, task: Task, test_fraction: float, seed: int) -> tuple[Rows, Rows]:
    """Rows to train on and rows to test on: disjoint, together all n rows, the same for the same seed.

    `target` has shape (n,). Classes keep their proportions in both parts.

    Raises:
        ValueError: fewer than two rows would be left in either part, or a class has fewer than two rows.
    """
    n_test = round(test_fraction * len(target))
    if min(n_test, len(target) - n_test) < 2:
        raise ValueError(
            f"{len(target)} boundaries cannot be split with test_fraction {test_fraction}: "
            "training and test need at least two each"
        )
    if task == "regression":
        splitter = ShuffleSplit(n_splits=1, test_size=n_test, random_state=seed)
    else:
        classes, counts = np.unique(target, return_counts=True)
        if counts.min() < 2:
            raise ValueError(f"class {classes[counts.argmin()]} has one boundary; a stratified split needs two")
        if min(n_test, len(target) - n_test) < len(classes):
            raise ValueError(f"{len(target)} boundaries are too few to put all {len(classes)} classes in each part")
        splitter = StratifiedShuffleSplit(n_splits=1, test_size=n_test, random_state=seed)
    train, test = next(splitter.split(target, target))
    return np.sort(train), np.sort(test)


def cross_validation_folds(target: np.ndarray, task: Task, folds: int, seed: int) -> list[tuple[Rows, Rows]]:
    """(training rows, validation rows) of each fold; every row of `target` (n,) is validated exactly once.

    Raises:
        ValueError: fewer rows than folds, or no class with as many rows as folds.
    """
    if len(target) < folds:
        raise ValueError(f"{len(target)} training boundaries are too few for {folds} folds")
    if task == "regression":
        return list(KFold(folds, shuffle=True, random_state=seed).split(target))
    largest = np.unique(target, return_counts=True)[1].max()
    if largest < folds:
        raise ValueError(f"the largest class has {largest} training boundaries, too few for {folds} folds")
    return list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(target, target))
