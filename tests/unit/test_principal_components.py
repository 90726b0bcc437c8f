"""Principal components from chunks against scikit-learn's from all at once."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from gbscape.learn.principal_components import principal_components


def _vectors(n: int = 500) -> np.ndarray:
    rng = np.random.default_rng(0)
    return 3 + rng.normal(size=(n, 12)) @ rng.normal(size=(12, 12)) * np.logspace(0, -3, 12)


@pytest.mark.parametrize("chunk", [1, 7, 500])
def test_same_as_of_all_at_once(chunk: int) -> None:
    vectors = _vectors()
    found = principal_components((vectors[i : i + chunk] for i in range(0, 500, chunk)), n_components=5)
    expected = PCA(5, svd_solver="full").fit(vectors)
    assert found.mean == pytest.approx(expected.mean_)
    assert found.variances[:5] == pytest.approx(expected.explained_variance_, rel=1e-8)
    overlap = np.abs(np.sum(found.directions.T * expected.components_, axis=1))
    assert overlap == pytest.approx(np.ones(5), abs=1e-8)
    assert found.kept_variance() == pytest.approx(expected.explained_variance_ratio_.sum())


@pytest.mark.parametrize("kept", [0.5, 0.9, 0.9999])
def test_as_few_directions_as_keep_the_variance(kept: float) -> None:
    found = principal_components([_vectors()], kept)
    k = found.directions.shape[1]
    shares = found.variances.cumsum() / found.variances.sum()
    assert shares[k - 1] >= kept
    assert k == 1 or shares[k - 2] < kept


def test_signs_are_fixed() -> None:
    directions = principal_components([_vectors()], n_components=12).directions
    assert (directions[np.abs(directions).argmax(axis=0), np.arange(12)] > 0).all()


@pytest.mark.parametrize(
    ("chunks", "options", "message"),
    [
        ([], {}, "at least two vectors, got 0"),
        ([np.ones((5, 3))], {}, "all vectors are the same"),
        ([np.eye(3)], {"n_components": 4}, "4 components were asked for, but vectors have 3"),
    ],
)
def test_bad_input(chunks: list[np.ndarray], options: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        principal_components(chunks, **options)  # type: ignore[arg-type]
