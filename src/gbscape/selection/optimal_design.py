"""Greedy optimal design for ridge regression: the next point is the one that reduces the uncertainty most.

Uncertainty reduction is that of Tamura et al. (2020), equations 8 to 10: among all rows x of a pool take the one after
which the variance of the predictions, summed over the pool, is smallest. With M = S + lambda I, S the sum of x x^T over
the chosen points, G that over the pool, A = M^-1 and C = A S A (the covariance of the weights over sigma^2), adding x gives

    f(x) = tr(G C) - 2 e / c + b (1 + r) / c^2,   c = 1 + a,
    a = x.A x,   r = x.C x,   b = x.A G A x,   e = x.C G A x,

which is equation 10 without a sum over the pool and without differences of terms in 1/lambda. The four forms of every row
are kept; a chosen point changes them by products of the row with five vectors (Sherman and Morrison), one pass over the
pool. A- and D-optimality are the same search for other aims: the variance of the weights (G the unit matrix), and the
determinant of M.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gbscape.native.threads import numba_threads
from gbscape.selection import row_forms
from gbscape.selection.row_forms import BLOCK_ROWS
from gbscape.store.progress import progress

if TYPE_CHECKING:
    from mpi4py import MPI

Array = NDArray[np.float64]
Criterion = Literal["v", "a", "d"]

_PROBE_EVERY = 2048
"""One row in so many is computed anew after every point, to see how far rounding has carried the forms away."""
_LARGEST_DRIFT = 1e-9
"""Relative to the largest change of the score; beyond it all forms are computed anew."""


def uncertainty_reduction(
    pool: ArrayLike,
    n_points: int,
    ridge_lambda: float,
    initial: Sequence[int] | NDArray[np.integer] = (),
    *,
    excluded: Sequence[int] | NDArray[np.integer] = (),
    comm: "MPI.Comm | None" = None,
    threads: int = 1,
) -> NDArray[np.int64]:
    """Choose the points after which the predictions of the whole pool vary least (V-optimality).

    Without `initial` the weights are zero for certain at first and every direction that opens adds variance, so that the
    criterion begins with points that teach nothing: give it at least as many points as features, e.g. of `d_optimality`.

    Args:
        pool: (n, d) a row for every candidate, which are also the rows to predict. With `comm` the rows of this rank, see
            `rows_of_rank`.
        n_points: number of points to choose beyond the initial ones.
        ridge_lambda: of the regression, positive.
        initial: points that are chosen already, by their numbers in the whole pool.
        excluded: rows that may not be chosen, likewise.
        comm: MPI communicator over whose ranks the rows are spread; None: all are here.
        threads: of this process. Neither their number nor that of the ranks changes the result.

    Returns:
        numbers of the chosen rows in the whole pool, in the order chosen, without the initial ones; of equal rows the
        first.

    Raises:
        ValueError: a pool that is not (n, d) or not finite; fewer rows than points; lambda not positive; initial or
            excluded numbers that repeat or are out of range; ranks whose rows do not follow on another in whole blocks.
    """
    return _greedy(pool, n_points, ridge_lambda, initial, excluded, "v", comm, threads)


def a_optimality(
    pool: ArrayLike,
    n_points: int,
    ridge_lambda: float,
    initial: Sequence[int] | NDArray[np.integer] = (),
    *,
    excluded: Sequence[int] | NDArray[np.integer] = (),
    comm: "MPI.Comm | None" = None,
    threads: int = 1,
) -> NDArray[np.int64]:
    """Choose the points after which the weights vary least, by the trace of their covariance.

    Arguments, result and errors are those of `uncertainty_reduction`.
    """
    return _greedy(pool, n_points, ridge_lambda, initial, excluded, "a", comm, threads)


def d_optimality(
    pool: ArrayLike,
    n_points: int,
    ridge_lambda: float,
    initial: Sequence[int] | NDArray[np.integer] = (),
    *,
    excluded: Sequence[int] | NDArray[np.integer] = (),
    comm: "MPI.Comm | None" = None,
    threads: int = 1,
) -> NDArray[np.int64]:
    """Choose the points with the largest determinant of M, each the one that is least known yet (largest x.A x).

    Arguments, result and errors are those of `uncertainty_reduction`.
    """
    return _greedy(pool, n_points, ridge_lambda, initial, excluded, "d", comm, threads)


def rows_of_rank(n_rows: int, rank: int, n_ranks: int) -> slice:
    """The rows that a rank of an MPI communicator holds: whole blocks, as equal in number as they can be."""
    blocks = -(-n_rows // BLOCK_ROWS)
    first, last = (blocks * number // n_ranks * BLOCK_ROWS for number in (rank, rank + 1))
    return slice(min(first, n_rows), min(last, n_rows))


class _Rows(NamedTuple):
    """The rows of this rank, and how the ranks make one result of theirs."""

    pool: Array
    first: int
    n_all: int
    comm: "MPI.Comm | None"

    def gram(self) -> Array:
        """Sum (d, d) of x x^T over all rows, added up in their order."""
        total = np.zeros((self.pool.shape[1],) * 2)
        if self.comm is None:
            row_forms.add_gram(self.pool, total)
            return total
        rank, last = self.comm.rank, self.comm.size - 1
        if rank > 0:
            self.comm.Recv(total, source=rank - 1)
        row_forms.add_gram(self.pool, total)
        if rank < last:
            self.comm.Send(total, dest=rank + 1)
        self.comm.Bcast(total, root=last)
        return total

    def row(self, number: int) -> Array:
        """A row of the whole pool, on every rank."""
        here = self.first <= number < self.first + len(self.pool)
        mine = self.pool[number - self.first].copy() if here else None
        if self.comm is None:
            assert mine is not None
            return mine
        return next(its for its in self.comm.allgather(mine) if its is not None)

    def best(self, score: float, row: int) -> int:
        """Number in the whole pool of the row with the lowest score; the first of equals."""
        mine = (score, self.first + row)
        return mine[1] if self.comm is None else min(self.comm.allgather(mine))[1]

    def largest(self, value: float) -> float:
        """The largest of the ranks' values."""
        return value if self.comm is None else max(self.comm.allgather(value))


def _greedy(
    pool: ArrayLike,
    n_points: int,
    ridge_lambda: float,
    initial: Sequence[int] | NDArray[np.integer],
    excluded: Sequence[int] | NDArray[np.integer],
    criterion: Criterion,
    comm: "MPI.Comm | None",
    threads: int,
) -> NDArray[np.int64]:
    rows, chosen = _checked(pool, n_points, ridge_lambda, initial, excluded, comm)
    n_features = rows.pool.shape[1]
    gram = rows.gram() if criterion == "v" else np.eye(n_features)
    forms = np.empty((len(rows.pool), 4))
    taken = np.zeros(len(rows.pool), dtype=np.bool_)
    probes = np.arange(-rows.first % _PROBE_EVERY, len(rows.pool), _PROBE_EVERY)
    training = [rows.row(number) for number in chosen]
    for number in (*chosen, *map(int, excluded)):
        _mark(taken, number - rows.first)
    inverse, covariance = ridge_matrices(training, n_features, ridge_lambda)
    found: list[int] = []
    with numba_threads(threads):
        score, row = row_forms.compute(rows.pool, inverse, covariance, gram, forms, taken, criterion == "d")
        for _ in progress(range(n_points), n_points, "points chosen"):
            number = rows.best(score, row)
            found.append(number)
            _mark(taken, number - rows.first)
            x = rows.row(number)
            score, row = row_forms.update(rows.pool, x, inverse, covariance, gram, forms, taken, criterion == "d")
            training.append(x)
            inverse, covariance = ridge_matrices(training, n_features, ridge_lambda)
            error, size = row_forms.drift(rows.pool[probes], inverse, covariance, gram, forms[probes])
            if rows.largest(error) > _LARGEST_DRIFT * rows.largest(size):
                score, row = row_forms.compute(rows.pool, inverse, covariance, gram, forms, taken, criterion == "d")
    return np.array(found, dtype=np.int64)


def _checked(
    pool: ArrayLike,
    n_points: int,
    ridge_lambda: float,
    initial: Sequence[int] | NDArray[np.integer],
    excluded: Sequence[int] | NDArray[np.integer],
    comm: "MPI.Comm | None",
) -> tuple[_Rows, list[int]]:
    matrix = np.ascontiguousarray(pool, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise ValueError(f"the pool must have shape (n, d), got {matrix.shape}")
    sizes = [matrix.shape[0]] if comm is None else comm.allgather(matrix.shape[0])
    rank = 0 if comm is None else comm.rank
    n_all = sum(sizes)
    ragged = [number for number, size in enumerate(sizes) if size % BLOCK_ROWS and any(sizes[number + 1 :])]
    if ragged:
        raise ValueError(
            f"rank {ragged[0]} has {sizes[ragged[0]]} rows, but all ranks with rows after them must have whole blocks of "
            f"{BLOCK_ROWS}: see rows_of_rank"
        )
    rows = _Rows(matrix, sum(sizes[:rank]), n_all, comm)
    bad = rows.first + int(np.argmin(np.isfinite(matrix).all(axis=1))) if not np.isfinite(matrix).all() else -1
    if (bad := int(rows.largest(bad))) >= 0:
        raise ValueError(f"row {bad} of the pool is not finite")
    chosen = [int(number) for number in initial]
    if len(set(chosen)) < len(chosen) or not all(0 <= number < n_all for number in chosen):
        raise ValueError(f"initial points must be distinct rows from 0 to {n_all - 1}, got {chosen}")
    barred = {int(number) for number in excluded}
    if len(barred) < len(excluded) or barred & set(chosen) or not all(0 <= number < n_all for number in barred):
        raise ValueError(
            f"excluded points must be distinct rows from 0 to {n_all - 1} and none of the initial ones, got {sorted(barred)}"
        )
    if not 0 <= n_points <= n_all - len(chosen) - len(barred):
        raise ValueError(
            f"{n_points} points cannot be chosen from {n_all} rows of which {len(chosen)} are chosen already and "
            f"{len(barred)} excluded"
        )
    if not (np.isfinite(ridge_lambda) and ridge_lambda > 0):
        raise ValueError(f"ridge_lambda must be positive, got {ridge_lambda}")
    return rows, chosen


def _mark(taken: NDArray[np.bool_], row: int) -> None:
    if 0 <= row < len(taken):
        taken[row] = True


def ridge_matrices(training: list[Array], n_features: int, ridge_lambda: float) -> tuple[Array, Array]:
    """A = (S + lambda I)^-1 and C = A S A of the chosen rows."""
    # Singular values of the rows, not eigenvalues of S: rounding of those, relative to the largest, would pass for
    # knowledge of unknown directions where lambda is small.
    values = np.zeros(n_features)
    triangle = np.linalg.qr(np.array(training).reshape(-1, n_features), mode="r")
    _, singular, vectors = np.linalg.svd(triangle)
    values[: len(singular)] = singular**2
    inverse = (vectors.T / (values + ridge_lambda)) @ vectors
    covariance = (vectors.T * (values / (values + ridge_lambda) ** 2)) @ vectors
    return inverse, covariance
