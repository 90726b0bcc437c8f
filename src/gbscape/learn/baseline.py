"""The Random baseline of Rosenbrock et al. (2017) and Homer et al. (2019, Table 1): it ignores the features."""

import numpy as np

from gbscape.config.learn import Task


def random_predictions(train_target: np.ndarray, n: int, task: Task, seed: int) -> np.ndarray:
    """`n` predictions drawn from what the training target (m,) looks like.

    Regression draws from the normal distribution of the training mean and standard deviation; classification draws
    training labels, so that its expected accuracy is sum(p^2) of the class fractions p.
    """
    rng = np.random.default_rng(seed)
    if task == "regression":
        return rng.normal(train_target.mean(), train_target.std(), n)
    return rng.choice(train_target, n)
