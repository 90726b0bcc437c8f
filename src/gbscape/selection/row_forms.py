"""The four quadratic forms of every row of a pool, in passes over it that numba compiles.

Each row is computed by itself and sums run over blocks of rows in their order, so that neither the number of threads nor
where a pool is cut (at whole blocks) changes a bit. Names are those of `gbscape.selection.optimal_design`.
"""

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

Array = NDArray[np.float64]

BLOCK_ROWS = 4096
"""Rows that one thread passes over at a time, and of which each rank has whole blocks."""
_REASSOCIATE = {"reassoc", "contract", "nsz", "arcp"}  # sums in vector registers; NaN and infinity keep their meaning


def compute(
    pool: Array,
    inverse: Array,
    covariance: Array,
    gram: Array,
    forms: Array,
    taken: NDArray[np.bool_],
    determinant: bool,
) -> tuple[float, int]:
    """Compute the forms of all rows into `forms` (n, 4); return the lowest score and its row (see `update`)."""
    return _best(*_compute(pool, _packed(inverse, covariance, gram), forms, taken, determinant))


def update(
    pool: Array,
    x: Array,
    inverse: Array,
    covariance: Array,
    gram: Array,
    forms: Array,
    taken: NDArray[np.bool_],
    determinant: bool,
) -> tuple[float, int]:
    """Change the forms of all rows by a chosen point.

    Args:
        pool: (n, d).
        x: (d,) the point.
        inverse, covariance: A and C (d, d) before it was chosen.
        gram: G (d, d).
        forms: (n, 4) a, r, b and e of every row.
        taken: (n,) rows that cannot be chosen any more.
        determinant: score by -a instead of f(x) - tr(G C).

    Returns:
        the lowest score and its row, the first of equals; infinity and 0 where all rows are taken.
    """
    u, w = inverse @ x, covariance @ x
    gu = gram @ u
    vectors = np.stack([u, w, inverse @ gu, inverse @ (gram @ w), covariance @ gu], axis=1)
    scalars = np.array([1 + x @ u, 1 + x @ w, u @ gu, w @ gu])
    return _best(*_update(pool, np.ascontiguousarray(vectors.T), scalars, forms, taken, determinant))


def drift(probes: Array, inverse: Array, covariance: Array, gram: Array, forms: Array) -> tuple[float, float]:
    """Largest error of the scores of some rows (m, d) by their forms (m, 4), and the largest size of the scores."""
    if len(probes) == 0:
        return 0.0, 0.0
    exact = np.empty_like(forms)
    _compute(probes, _packed(inverse, covariance, gram), exact, np.zeros(len(probes), dtype=np.bool_), False)
    right = _changes(exact)
    return float(np.abs(_changes(forms) - right).max()), float(np.abs(right).max())


def _changes(forms: Array) -> Array:
    """f(x) - tr(G C)."""
    a, r, b, e = forms.T
    return -2 * e / (1 + a) + b * (1 + r) / (1 + a) ** 2


def _packed(inverse: Array, covariance: Array, gram: Array) -> Array:
    """The symmetric matrices of the four forms (4, d, d), lower triangles with doubled off-diagonal elements."""
    both = covariance @ gram @ inverse
    matrices = np.stack([inverse, covariance, inverse @ gram @ inverse, (both + both.T) / 2])
    lower = np.tril(matrices, -1) * 2
    diagonal = np.arange(matrices.shape[1])
    lower[:, diagonal, diagonal] = matrices[:, diagonal, diagonal]
    return lower


def _best(scores: Array, rows: NDArray[np.int64]) -> tuple[float, int]:
    if len(scores) == 0:
        return np.inf, 0
    block = int(np.argmin(scores))
    return float(scores[block]), int(rows[block])


@njit(cache=True, fastmath=_REASSOCIATE)
def add_gram(pool, total):  # type: ignore[no-untyped-def]
    """Add the sum of x x^T over the rows (n, d) to `total` (d, d), block by block."""
    n, d = pool.shape
    for start in range(0, n, BLOCK_ROWS):
        block = np.zeros((d, d))
        for row in range(start, min(start + BLOCK_ROWS, n)):
            for i in range(d):
                x = pool[row, i]
                for j in range(i + 1):
                    block[i, j] += x * pool[row, j]
        for i in range(d):
            for j in range(i):
                total[i, j] += block[i, j]
                total[j, i] += block[i, j]
            total[i, i] += block[i, i]


@njit(cache=True, parallel=True, fastmath=_REASSOCIATE)
def _compute(pool, packed, forms, taken, determinant):  # type: ignore[no-untyped-def]
    n, d = pool.shape
    n_blocks = -(-n // BLOCK_ROWS)
    scores, rows = np.full(n_blocks, np.inf), np.zeros(n_blocks, dtype=np.int64)
    for block in prange(n_blocks):
        best, best_row = np.inf, block * BLOCK_ROWS
        for row in range(block * BLOCK_ROWS, min((block + 1) * BLOCK_ROWS, n)):
            a = r = b = e = 0.0
            for i in range(d):
                fa = fr = fb = fe = 0.0
                for j in range(i + 1):
                    x = pool[row, j]
                    fa += packed[0, i, j] * x
                    fr += packed[1, i, j] * x
                    fb += packed[2, i, j] * x
                    fe += packed[3, i, j] * x
                x = pool[row, i]
                a += fa * x
                r += fr * x
                b += fb * x
                e += fe * x
            forms[row, 0], forms[row, 1], forms[row, 2], forms[row, 3] = a, r, b, e
            inverse_c = 1 / (1 + a)
            score = -a if determinant else (b * (1 + r) * inverse_c - 2 * e) * inverse_c
            if score < best and not taken[row]:
                best, best_row = score, row
        scores[block], rows[block] = best, best_row
    return scores, rows


@njit(cache=True, parallel=True, fastmath=_REASSOCIATE)
def _update(pool, vectors, scalars, forms, taken, determinant):  # type: ignore[no-untyped-def]
    n, d = pool.shape
    n_blocks = -(-n // BLOCK_ROWS)
    scores, rows = np.full(n_blocks, np.inf), np.zeros(n_blocks, dtype=np.int64)
    inverse_c, more, ugu, wgu = 1 / scalars[0], scalars[1], scalars[2], scalars[3]
    for block in prange(n_blocks):
        best, best_row = np.inf, block * BLOCK_ROWS
        for row in range(block * BLOCK_ROWS, min((block + 1) * BLOCK_ROWS, n)):
            p = q = g = h = k = 0.0
            for i in range(d):
                x = pool[row, i]
                p += x * vectors[0, i]
                q += x * vectors[1, i]
                g += x * vectors[2, i]
                h += x * vectors[3, i]
                k += x * vectors[4, i]
            # u/c and w/c instead of u and w: they stay finite where lambda is small.
            p *= inverse_c
            a = forms[row, 0] - p * p / inverse_c
            r = forms[row, 1] - 2 * p * q + p * p * more
            b = forms[row, 2] - 2 * p * g + p * p * ugu
            e = forms[row, 3] - p * (k + h) - q * g * inverse_c + p * p * wgu + p * q * ugu * inverse_c
            e += more * p * inverse_c * (g - p * ugu)
            forms[row, 0], forms[row, 1], forms[row, 2], forms[row, 3] = a, r, b, e
            inverse_1a = 1 / (1 + a)
            score = -a if determinant else (b * (1 + r) * inverse_1a - 2 * e) * inverse_1a
            if score < best and not taken[row]:
                best, best_row = score, row
        scores[block], rows[block] = best, best_row
    return scores, rows
