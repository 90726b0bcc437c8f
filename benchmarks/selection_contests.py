"""Uncertainty reduction: what one more chosen atom costs, against reading the rows once and against other ways to do it."""

from collections.abc import Callable

import numpy as np
from measure import Build, Contest, Contestant, Goal, Work

from gbscape.native.threads import numba_threads
from gbscape.selection import row_forms
from gbscape.selection.optimal_design import ridge_matrices

PASS, PRODUCTS, ANEW, READ = "one pass", "numpy, five products", "numpy, all forms anew", "reading the rows once"
FEATURES, RIDGE_LAMBDA, CHOSEN = 40, 1e-5, 60


class Pool:
    """Rows as the vectors of atoms are: components of falling variance, and a column of ones."""

    def __init__(self, n_rows: int) -> None:
        random = np.random.default_rng(0)
        self.rows = random.normal(size=(n_rows, FEATURES)) * np.logspace(0, -2, FEATURES)
        self.rows[:, -1] = 1
        self.gram = self.rows.T @ self.rows
        training = list(self.rows[:CHOSEN])
        self.inverse, self.covariance = ridge_matrices(training, FEATURES, RIDGE_LAMBDA)
        self.after = ridge_matrices([*training, self.rows[CHOSEN]], FEATURES, RIDGE_LAMBDA)
        self.forms = self.exact(self.inverse, self.covariance)
        self.taken = np.zeros(n_rows, dtype=bool)

    def exact(self, inverse: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """All forms from the matrices, in numpy."""
        middle = inverse @ self.gram @ inverse
        matrices = (inverse, covariance, middle, covariance @ self.gram @ inverse)
        return np.stack([np.einsum("ni,ni->n", self.rows @ its, self.rows) for its in matrices], axis=1)


def selection(quick: bool) -> Contest:
    n_rows = 20_000 if quick else 1_037_880
    pool = Pool(n_rows)
    return Contest(
        key="selection",
        setting=f"one more of {n_rows} atoms, {FEATURES} features",
        ours=[Contestant(PASS, _ours(pool))],
        peers=[
            Contestant(READ, lambda: lambda: pool.rows.sum),
            Contestant(PRODUCTS, lambda: lambda: lambda: _five_products(pool)),
            Contestant(ANEW, lambda: lambda: lambda: _best(pool.exact(*pool.after))),
        ],
        units=n_rows,
        unit="atoms",
        difference={name: lambda ours, peer: float(ours != peer) for name in (PRODUCTS, ANEW)},
        goals={(PASS, READ): Goal(speed=0.33), (PASS, PRODUCTS): Goal(difference=0), (PASS, ANEW): Goal(difference=0)},
    )


def _ours(pool: Pool) -> Callable[[], Build]:
    def update(forms: np.ndarray) -> int:
        return row_forms.update(
            pool.rows, pool.rows[CHOSEN], pool.inverse, pool.covariance, pool.gram, forms, pool.taken, False
        )[1]

    def load() -> Build:
        with numba_threads(1):
            update(pool.forms.copy())

        def build() -> Work:
            # The first call is compared; those after it go on from its forms, at the same cost.
            forms, first = pool.forms.copy(), []

            def work() -> int:
                with numba_threads(1):
                    row = update(forms)
                first.append(row)
                return first[0]

            return work

        return build

    return load


def _five_products(pool: Pool) -> int:
    x, inverse, covariance, gram = pool.rows[CHOSEN], pool.inverse, pool.covariance, pool.gram
    u, w = inverse @ x, covariance @ x
    gu = gram @ u
    p, q, g, h, k = (pool.rows @ np.stack([u, w, inverse @ gu, inverse @ (gram @ w), covariance @ gu], axis=1)).T
    c, more, ugu, wgu = 1 + x @ u, 1 + x @ w, u @ gu, w @ gu
    p = p / c
    a, r, b, e = pool.forms.T
    changed = np.stack(
        [
            a - p * p * c,
            r - 2 * p * q + p * p * more,
            b - 2 * p * g + p * p * ugu,
            e - p * (k + h) - q * g / c + p * p * wgu + p * q * ugu / c + more * p / c * (g - p * ugu),
        ],
        axis=1,
    )
    return _best(changed)


def _best(forms: np.ndarray) -> int:
    a, r, b, e = forms.T
    return int(np.argmin((b * (1 + r) / (1 + a) - 2 * e) / (1 + a)))
