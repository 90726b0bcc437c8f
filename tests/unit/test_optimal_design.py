"""Uncertainty reduction against the literal equations of the paper, and its rivals."""

import json
import subprocess
import sys
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gbscape.selection import a_optimality, d_optimality, random_points, rows_of_rank, uncertainty_reduction
from gbscape.selection.row_forms import BLOCK_ROWS

Array = NDArray[np.float64]


def _pool(n: int, d: int, seed: int, decades: float = 1.0) -> Array:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) * np.logspace(0, -decades, d)


def _literal(pool: Array, chosen: list[int], candidate: int, ridge_lambda: float, predicted: Array) -> float:
    """Equation 10 with equation 9, row by row of what is predicted, sigma = 1."""
    x = pool[candidate]
    training = pool[chosen]
    moments = training.T @ training + np.outer(x, x)
    inverse = np.linalg.inv(moments + ridge_lambda * np.eye(len(x)))
    return float(sum(row @ inverse @ moments @ inverse @ row for row in predicted))


def _assert_greedy(
    pool: Array, chosen: NDArray[np.int64], initial: list[int], ridge_lambda: float, predicted: Array
) -> int:
    """Check every choice against the literal scores; return how many were decided by more than rounding."""
    before, decided = list(initial), 0
    for number in chosen:
        candidates = [row for row in range(len(pool)) if row not in before]
        scores = np.array([_literal(pool, before, row, ridge_lambda, predicted) for row in candidates])
        order = np.argsort(scores, kind="stable")
        tolerance = 1e-9 * abs(scores).max()
        if len(order) == 1 or scores[order[1]] - scores[order[0]] > tolerance:
            decided += 1
            assert number == candidates[order[0]]
        else:
            assert scores[candidates.index(number)] <= scores[order[0]] + tolerance
        before.append(int(number))
    return decided


@settings(deadline=None, max_examples=25)
@given(
    n=st.integers(12, 40),
    d=st.integers(1, 8),
    seed=st.integers(0, 10**6),
    ridge_lambda=st.sampled_from([1e-6, 1e-3, 1.0, 30.0]),
    n_initial=st.integers(0, 10),
    repeated=st.booleans(),
)
def test_every_choice_is_the_literal_formulas(
    n: int, d: int, seed: int, ridge_lambda: float, n_initial: int, repeated: bool
) -> None:
    pool = _pool(n, d, seed)
    if repeated:
        pool[n // 2 :] = pool[: n - n // 2]
    initial = np.random.default_rng(seed).permutation(n)[:n_initial].tolist()
    n_points = min(n - n_initial, 12)
    chosen = uncertainty_reduction(pool, n_points, ridge_lambda, initial)
    assert len(set(chosen.tolist()) | set(initial)) == n_points + n_initial
    _assert_greedy(pool, chosen, initial, ridge_lambda, pool)


def test_150_points_of_a_spread_of_scales_are_the_literal_formulas() -> None:
    pool = _pool(400, 39, 0, decades=2.0)
    pool[:, 0] = 1
    initial = list(range(20))
    chosen = uncertainty_reduction(pool, 150, 1e-2, initial)
    gram, before = pool.T @ pool, list(initial)
    for number in chosen:
        rows = np.array([row for row in range(400) if row not in before])
        training = pool[before]
        moments = training.T @ training + pool[rows][:, :, None] * pool[rows][:, None, :]
        inverse = np.linalg.inv(moments + 1e-2 * np.eye(39))
        scores = np.einsum("nij,nji->n", inverse @ moments @ inverse, np.broadcast_to(gram, inverse.shape))
        assert number == rows[np.argmin(scores)]
        before.append(int(number))


def test_from_nothing_with_a_tiny_lambda() -> None:
    # Unknown directions then hold 1/lambda, which rounding must not carry into the known ones: 50 digits tell.
    pool, ridge_lambda = _pool(20, 4, 3), 1e-10
    gram = mpmath.matrix(pool.T.tolist()) * mpmath.matrix(pool.tolist())
    before: list[int] = []
    with mpmath.workdps(50):
        for number in uncertainty_reduction(pool, 10, ridge_lambda):
            scores = {}
            for row in sorted(set(range(20)) - set(before)):
                training = mpmath.matrix(pool[[*before, row]].tolist())
                moments = training.T * training
                inverse = (moments + ridge_lambda * mpmath.eye(4)) ** -1
                product = inverse * moments * inverse * gram
                scores[row] = sum(product[i, i] for i in range(4))
            assert number == min(scores, key=lambda row: scores[row])
            before.append(int(number))


def test_forms_stay_accurate_over_many_points() -> None:
    pool = _pool(3000, 10, 5, decades=3.0)
    chosen = uncertainty_reduction(pool, 500, 1e-4, range(12))
    again = uncertainty_reduction(pool, 100, 1e-4, [*range(12), *chosen[:400].tolist()])
    assert again.tolist() == chosen[400:].tolist()


def test_equal_rows_are_taken_in_their_order() -> None:
    pool = np.ones((5, 2))
    assert uncertainty_reduction(pool, 5, 1.0).tolist() == [0, 1, 2, 3, 4]


def test_excluded_rows_are_not_gone_on_from() -> None:
    pool = _pool(60, 5, 7)
    initial = [0, 1, 2, 3, 4, 5]
    free = uncertainty_reduction(pool, 8, 1e-3, initial)
    barred = free[[0, 3]].tolist()
    chosen = uncertainty_reduction(pool, 8, 1e-3, initial, excluded=barred)
    # As if these rows were no candidates but were still predicted.
    before = list(initial)
    for number in chosen:
        candidates = [row for row in range(60) if row not in (*before, *barred)]
        scores = [_literal(pool, before, row, 1e-3, pool) for row in candidates]
        assert number == candidates[int(np.argmin(scores))]
        before.append(int(number))


def test_variance_falls_faster_than_with_random_points() -> None:
    pool = _pool(2000, 8, 1)
    start = list(range(8))

    def total_variance(points: list[int]) -> float:
        training = pool[points]
        moments = training.T @ training
        inverse = np.linalg.inv(moments + 1e-3 * np.eye(8))
        return float(np.einsum("ni,ij,nj->", pool, inverse @ moments @ inverse, pool))

    chosen = uncertainty_reduction(pool, 30, 1e-3, start)
    drawn = [random_points([(np.ones(2000, bool), 30)], np.random.default_rng(seed)) for seed in range(5)]
    assert total_variance([*start, *chosen]) < 0.5 * min(total_variance([*start, *its]) for its in drawn)


def test_d_optimality_takes_the_largest_gain_of_the_determinant() -> None:
    pool = _pool(50, 5, 2)
    chosen = d_optimality(pool, 15, 0.1, initial=[7])
    before = [7]
    for number in chosen:
        gains = []
        for row in range(50):
            training = pool[[*before, row]]
            gains.append(-np.inf if row in before else np.linalg.slogdet(training.T @ training + 0.1 * np.eye(5))[1])
        assert number == np.argmax(gains)
        before.append(int(number))


def test_a_optimality_reduces_the_variance_of_the_weights() -> None:
    pool = _pool(50, 5, 4)
    initial = [0, 1, 2, 3, 4, 5]
    chosen = a_optimality(pool, 15, 0.1, initial)
    assert _assert_greedy(pool, chosen, initial, 0.1, np.eye(5)) == 15


def test_threads_do_not_change_the_choice() -> None:
    pool = _pool(3 * BLOCK_ROWS + 17, 12, 6)
    one, two = (uncertainty_reduction(pool, 40, 1e-3, range(12), threads=number) for number in (1, 2))
    assert one.tolist() == two.tolist()


_RANKS = """
import json
import sys
import numpy as np
from mpi4py import MPI
from gbscape.selection import row_forms, rows_of_rank, uncertainty_reduction
pool = np.load(sys.argv[1])
mine = pool[rows_of_rank(len(pool), MPI.COMM_WORLD.rank, MPI.COMM_WORLD.size)]
compute, steps, computed = row_forms.compute, [], []
update = row_forms.update
row_forms.update = lambda *a: (steps.append(1), update(*a))[1]
row_forms.compute = lambda *a: (computed.append(len(steps)), compute(*a))[1]
chosen = uncertainty_reduction(mine, 60, 1e-9, comm=MPI.COMM_WORLD)
if MPI.COMM_WORLD.rank == 0:
    print(json.dumps([chosen.tolist(), computed]))
"""


def test_ranks_do_not_change_the_choice(tmp_path: Path) -> None:
    pool = _pool(3 * BLOCK_ROWS + 17, 12, 6, decades=3.0)
    pool[-BLOCK_ROWS:] = pool[:BLOCK_ROWS]  # ties between ranks
    np.save(tmp_path / "pool.npy", pool)
    found = []
    for ranks in ("1", "2", "4"):
        command = [
            Path(sys.executable).parent / "mpiexec",
            "-n",
            ranks,
            sys.executable,
            "-c",
            _RANKS,
            tmp_path / "pool.npy",
        ]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
    chosen, recomputed = found[0]
    assert found[1:] == found[:1] * 2
    assert len(recomputed) > 1  # after rounding had carried the forms away, at the same steps
    assert chosen == uncertainty_reduction(pool, 60, 1e-9).tolist()


@pytest.mark.parametrize(("n_rows", "n_ranks"), [(1, 1), (5, 3), (BLOCK_ROWS * 7 + 1, 4), (BLOCK_ROWS * 4, 4)])
def test_rows_of_ranks_are_whole_blocks(n_rows: int, n_ranks: int) -> None:
    slices = [rows_of_rank(n_rows, rank, n_ranks) for rank in range(n_ranks)]
    assert [row for its in slices for row in range(n_rows)[its]] == list(range(n_rows))
    sizes = [len(range(n_rows)[its]) for its in slices]
    assert all(size % BLOCK_ROWS == 0 or not any(sizes[rank + 1 :]) for rank, size in enumerate(sizes))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pool": np.ones(3)}, r"shape \(n, d\), got \(3,\)"),
        ({"pool": np.array([[1.0], [np.nan]])}, "row 1 of the pool is not finite"),
        ({"n_points": 11}, "11 points cannot be chosen from 10 rows of which 0"),
        ({"initial": [1, 1]}, "distinct rows from 0 to 9"),
        ({"initial": [10]}, "distinct rows from 0 to 9"),
        ({"excluded": [10]}, "excluded points must be distinct rows from 0 to 9"),
        ({"initial": [3], "excluded": [3]}, "none of the initial ones"),
        ({"excluded": [1], "n_points": 10}, "10 points cannot be chosen from 10 rows of which 0 .* and 1 excluded"),
        ({"ridge_lambda": 0.0}, "ridge_lambda must be positive, got 0"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], message: str) -> None:
    good: dict[str, object] = {"pool": _pool(10, 2, 0), "n_points": 2, "ridge_lambda": 1.0}
    with pytest.raises(ValueError, match=message):
        uncertainty_reduction(**(good | arguments))  # type: ignore[arg-type]


def test_random_points_come_from_their_groups() -> None:
    bcc = np.arange(100) < 60
    drawn = random_points([(bcc, 10), (~bcc, 20)], np.random.default_rng(1))
    assert bcc[drawn].sum() == 10
    assert len(set(drawn.tolist())) == 30
    assert drawn.tolist() == random_points([(bcc, 10), (~bcc, 20)], np.random.default_rng(1)).tolist()


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([(np.zeros(5, bool), 1)], "1 points cannot be drawn from group 0, which has 0"),
        ([(np.ones(5, bool), 1)] * 2, "share"),
    ],
)
def test_random_points_refuses(groups: list[tuple[NDArray[np.bool_], int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        random_points(groups, np.random.default_rng(0))
