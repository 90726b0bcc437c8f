"""Linear models of few features: greedy orthogonal least squares, and ensembles of it.

Each step takes the feature that lowers the squared error most, given those taken before (Chen, Billings and Luo, Int. J. Control
50, 1873, 1989). How many are taken is decided by data that were held back. An ensemble fits bootstrapped training sets, and sees a
random part of the features at each step: what one model takes by chance the average forgets.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

Array = NDArray[np.float64]
_SPENT = 1e-10
"""A column of which less than this part is not explained by those taken before teaches nothing more."""


@dataclass(frozen=True)
class SparseLinear:
    """y = intercept + the sum over some columns of x."""

    columns: NDArray[np.int64]
    """(k,) of the features, in the order in which they were taken."""
    weights: Array
    """(k,)."""
    intercept: float

    def predict(self, features: Array) -> Array:
        """(n,) of features (n, d)."""
        return self.intercept + features[:, self.columns] @ self.weights


@dataclass(frozen=True)
class ModelPath:
    """Models of 0, 1, 2, ... features, each with those of the one before and one more."""

    columns: NDArray[np.int64]
    """(steps,) in the order in which they were taken."""
    _upper: Array
    """(steps, steps): centred and scaled columns are the orthogonal ones times this."""
    _along: Array
    """(steps,) targets along the orthogonal columns."""
    _mean: Array
    _scale: Array
    _target_mean: float

    def model(self, size: int) -> SparseLinear:
        """The model of so many features.

        Raises:
            ValueError: more than were taken.
        """
        if not 0 <= size <= len(self.columns):
            raise ValueError(f"the path has models of 0 to {len(self.columns)} features, not {size}")
        scaled = solve_triangular(self._upper[:size, :size], self._along[:size]) if size else np.zeros(0)
        weights = scaled / self._scale[:size]
        return SparseLinear(self.columns[:size], weights, self._target_mean - float(weights @ self._mean[:size]))


def orthogonal_least_squares(
    features: Array,
    targets: Array,
    steps: int,
    weights: Array | None = None,
    subset: float = 1.0,
    rng: np.random.Generator | None = None,
    order: Sequence[int] | None = None,
) -> ModelPath:
    """Greedy selection of features by orthogonal least squares.

    Args:
        features: (n, d); columns that do not vary are never taken.
        targets: (n,).
        steps: most features to take, fewer where no further one teaches anything.
        weights: (n,) how often each row counts, e.g. in a bootstrapped sample; None: once.
        subset: share of the features among which each step may choose.
        rng: draws them; needed where `subset` is below 1.
        order: columns in the order in which they are taken, instead of by what they teach; those that teach nothing more are left
            out.

    Raises:
        ValueError: fewer than two rows count, shapes that do not match, or no generator.
    """
    n, d = features.shape
    counts = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
    if targets.shape != (n,) or counts.shape != (n,) or (counts > 0).sum() < 2:
        raise ValueError(f"{n} rows of features need as many targets and weights, two of them above 0")
    if subset < 1 and rng is None:
        raise ValueError("a random subset needs a generator")
    root, total = np.sqrt(counts)[:, None], counts.sum()
    mean = counts @ features / total
    centred = (features - mean) * root
    scale = np.linalg.norm(centred, axis=0)
    varies = scale > 1e-12 * np.maximum(np.abs(mean) * np.sqrt(total), 1e-300)
    scaled = centred / np.where(varies, scale, 1.0)
    target_mean = float(counts @ targets / total)
    centred_targets = (targets - target_mean) * root[:, 0]
    most = min(steps, n - 1, d)
    units = np.empty((most, n))  # orthogonal columns, of length 1
    # Of what each column has that those taken have not: its squared length, and its product with the targets. Columns themselves stay
    # as they are, so that a step reads them once.
    lengths = np.where(varies, 1.0, 0.0)
    products = centred_targets @ scaled
    projections: list[Array] = []
    taken: list[int] = []
    along: list[float] = []
    free = varies.copy()
    given = None if order is None else iter(order)
    for step in range(most):
        allowed = free & (lengths > _SPENT)
        if subset < 1 and rng is not None:
            allowed &= _drawn(d, subset, rng)
        if given is None:
            gain = np.where(allowed, products**2 / np.where(allowed, lengths, 1.0), -1.0)
            best = int(gain.argmax())
            if gain[best] <= 0:
                break
        else:
            best = next((column for column in given if allowed[column]), -1)
            if best < 0:
                break
        units[step] = unit = _orthogonal(scaled[:, best], units[:step])
        projection = unit @ scaled
        along.append(float(unit @ centred_targets))
        lengths -= projection**2
        products -= along[-1] * projection
        projections.append(projection)
        taken.append(best)
        free[best] = False
    columns = np.array(taken, dtype=np.int64)
    upper = np.array([projection[columns] for projection in projections]).reshape(len(taken), len(taken))
    return ModelPath(columns, np.triu(upper), np.array(along), mean[columns], scale[columns], target_mean)


def _orthogonal(column: Array, units: Array) -> Array:
    """What a column has that orthogonal rows have not, of length 1; taken off twice, since once leaves rounding errors behind."""
    for _ in range(2):
        column = column - (units @ column) @ units
    return np.asarray(column / np.linalg.norm(column))


def _drawn(d: int, subset: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    chosen = np.zeros(d, dtype=bool)
    chosen[rng.choice(d, size=max(1, round(subset * d)), replace=False)] = True
    return chosen


def mean_absolute_errors(path: ModelPath, features: Array, targets: Array) -> Array:
    """(steps + 1,) errors of the path's models of 0, 1, ... features."""
    return np.array(
        [np.abs(path.model(size).predict(features) - targets).mean() for size in range(len(path.columns) + 1)]
    )


def best_size(paths_errors: Sequence[Array]) -> int:
    """Number of features with the least mean error over several paths; where they have no more models, the last one's counts."""
    longest = max(len(errors) for errors in paths_errors)
    padded = [np.pad(errors, (0, longest - len(errors)), mode="edge") for errors in paths_errors]
    return int(np.mean(padded, axis=0).argmin())


@dataclass(frozen=True)
class Ensemble:
    """Models of bootstrapped training sets."""

    members: tuple[SparseLinear, ...]

    def predict(self, features: Array) -> tuple[Array, Array]:
        """(n,) mean and standard deviation of the members' predictions."""
        each = np.array([member.predict(features) for member in self.members])
        return each.mean(axis=0), each.std(axis=0, ddof=1) if len(each) > 1 else np.zeros(features.shape[0])


def fit_ensemble(
    features: Array, targets: Array, steps: int, members: int, subset: float, rng: np.random.Generator
) -> Ensemble:
    """An ensemble of paths on bootstrapped rows and random features, each cut where the rows that it did not draw say.

    Args:
        features: (n, d).
        targets: (n,).
        steps: most features of a member.
        members: how many.
        subset: share of the features among which each step may choose.
        rng: draws rows and features.

    Raises:
        ValueError: fewer than four rows.
    """
    n = len(targets)
    if n < 4:
        raise ValueError(f"an ensemble needs four rows at least, got {n}")
    fitted: list[SparseLinear] = []
    while len(fitted) < members:
        counts = np.bincount(rng.integers(0, n, n), minlength=n).astype(float)
        out = counts == 0
        if not out.any() or (counts > 0).sum() < 2:
            continue
        path = orthogonal_least_squares(features, targets, steps, counts, subset, rng)
        errors = mean_absolute_errors(path, features[out], targets[out])
        fitted.append(path.model(int(errors.argmin())))
    return Ensemble(tuple(fitted))
