"""Refinement of maps, on artificial classifiers whose answers are known everywhere."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gbscape.config.crystal import Refinement
from gbscape.crystal.boxes import BoxGrid
from gbscape.crystal.map_file import BoxStatus, StridedMap, join_maps, most_probable
from gbscape.crystal.refinement import (
    boxes_to_check,
    compare_interpolated,
    first_level,
    interpolated,
    next_level,
)

FEWEST = 8


def grid_of(shape):
    return BoxGrid(tuple(np.arange(n, dtype=float) for n in shape), (1.0, 1.0, 1.0))


def artificial(grid, n_atoms, truth, boxes, failing=()):
    """The map of some boxes: `truth` (n_boxes, columns) are probabilities and, last, the mutual information."""
    boxes = np.sort(np.asarray(boxes))
    status = np.select([n_atoms == 0, n_atoms < FEWEST], [BoxStatus.EMPTY, BoxStatus.TOO_FEW_ATOMS], 0)
    status[list(failing)] = BoxStatus.FAILED
    values = np.where((status == 0)[:, None], truth, np.nan)[boxes]
    probabilities = values[:, :-1].astype(np.float32)
    top, p = most_probable(probabilities, 2)
    return StridedMap(
        grid=grid, classes=tuple("abcdef"[: truth.shape[1] - 1]), grid_index=boxes, n_atoms=n_atoms[boxes],
        status=status[boxes].astype(np.uint8), top_class=top, top_probability=p, mutual_information=values[:, -1],
        predictive_entropy=2 * values[:, -1], probabilities=probabilities, hidden={"layer_0": probabilities * 3},
        reasons={int(box): "broken" for box in boxes if box in failing},
    )  # fmt: skip


def refine(grid, n_atoms, truth, refinement, failing=()):
    """All levels; the map and the number of boxes classified."""

    def classify(boxes):
        return artificial(grid, n_atoms, truth, boxes, failing)

    done = classify(first_level(grid, refinement.levels))
    for level in range(refinement.levels):
        boxes = next_level(done, n_atoms, level, refinement, FEWEST)
        assert not np.isin(boxes, done.grid_index).any()
        done = join_maps([done, classify(boxes)])
    return interpolated(done, n_atoms, refinement.levels, FEWEST), done


def two_grains(grid, width=2.0):
    """A boundary oblique to the axes: probabilities change over `width` boxes, uncertainty peaks in the middle."""
    x, y, z = np.indices(grid.shape).reshape(3, -1)
    distance = (x - grid.shape[0] / 2 + 0.6 * (y - grid.shape[1] / 2) + 0.2 * z) / width
    p = 1 / (1 + np.exp(-4 * distance))
    return np.stack([p, 1 - p, 0.5 * np.exp(-(distance**2))], axis=1)


def test_nodes_of_a_level_are_nodes_of_all_finer_ones():
    grid = grid_of((18, 7, 1))
    levels = [first_level(grid, n) for n in range(5)]
    assert len(levels[0]) == len(grid)
    for fine, coarse in pairwise(levels):
        assert set(coarse) <= set(fine)
    x, y, z = np.unravel_index(levels[2], grid.shape)
    assert sorted(set(x)) == [0, 4, 8, 12, 16, 17]
    assert sorted(set(y)) == [0, 4, 6]
    assert set(z) == {0}


@pytest.mark.parametrize("shape", [(17, 9, 1), (12, 1, 1), (10, 7, 6)])
@pytest.mark.parametrize("refinement", [Refinement(levels=1, quantile=0.0), Refinement(levels=3, quantile=0.0)])
def test_the_quantile_0_classifies_every_box(shape, refinement):
    grid = grid_of(shape)
    n_atoms = np.random.default_rng(0).choice([0, 4, 100], len(grid))
    random = np.random.default_rng(1)
    truth = np.concatenate([random.dirichlet(np.ones(4), len(grid)), random.random((len(grid), 1))], axis=1)
    refined, done = refine(grid, n_atoms, truth, refinement)
    full = artificial(grid, n_atoms, truth, np.arange(len(grid)))
    assert len(done) == len(grid)
    assert not refined.interpolated.any()
    for name in ("status", "n_atoms", "top_class", "top_probability", "probabilities", "mutual_information",
                 "predictive_entropy"):  # fmt: skip
        np.testing.assert_array_equal(getattr(refined, name), getattr(full, name), err_msg=name)
    np.testing.assert_array_equal(refined.hidden["layer_0"], full.hidden["layer_0"])


def test_what_varies_linearly_is_interpolated_without_error():
    grid = grid_of((21, 13, 9))
    x, y, z = np.indices(grid.shape).reshape(3, -1)
    p = 0.55 + 0.01 * x + 0.005 * y + 0.004 * z
    truth = np.stack([p, 1 - p, 0.1 + 0.02 * y], axis=1)
    n_atoms = np.full(len(grid), 50)
    done = artificial(grid, n_atoms, truth, first_level(grid, 3))
    refined = interpolated(done, n_atoms, 3, FEWEST)
    assert refined.interpolated.sum() == len(grid) - len(done)
    np.testing.assert_allclose(refined.probabilities, truth[:, :2], atol=1e-6)
    np.testing.assert_allclose(refined.mutual_information, truth[:, 2], atol=1e-6)
    np.testing.assert_allclose(refined.predictive_entropy, 2 * truth[:, 2], atol=1e-6)
    np.testing.assert_allclose(refined.hidden["layer_0"], 3 * truth[:, :2], atol=1e-5)


def test_a_boundary_is_found_from_few_boxes():
    """The picture of the full grid, within stated errors, from a part of its boxes."""
    grid = grid_of((65, 49, 17))
    truth = two_grains(grid)
    n_atoms = np.full(len(grid), 100)
    refined, done = refine(grid, n_atoms, truth, Refinement(levels=2, quantile=0.8))
    full = artificial(grid, n_atoms, truth, np.arange(len(grid)))
    assert len(done) < 0.3 * len(grid)
    assert (refined.top_class[:, 0] != full.top_class[:, 0]).mean() == 0
    assert np.abs(refined.mutual_information - full.mutual_information).max() < 1e-4
    assert refined.interpolated.sum() + len(done) == len(grid)


def test_neighbours_of_another_class_are_refined_also_where_the_model_is_sure():
    grid = grid_of((33, 33, 1))
    x = np.indices(grid.shape)[0].ravel()
    truth = np.stack([x < 13, x >= 13, np.zeros(len(x))], axis=1).astype(float)
    n_atoms = np.full(len(grid), 100)
    refined, done = refine(grid, n_atoms, truth, Refinement(levels=3, quantile=1.0))
    np.testing.assert_array_equal(refined.top_class[:, 0], (x >= 13).astype(int))
    assert len(done) < 0.6 * len(grid)


def test_the_surface_of_a_sample_is_refined():
    """A ball: which boxes are empty is exact, and those at its surface are classified."""
    grid = grid_of((33, 33, 33))
    r = np.linalg.norm(np.indices(grid.shape).reshape(3, -1) - 16, axis=0)
    n_atoms = np.where(r < 12, 100, np.where(r < 13, 5, 0))
    truth = np.tile([0.9, 0.1, 0.01], (len(r), 1))
    refined, done = refine(grid, n_atoms, truth, Refinement(levels=2, quantile=1.0))
    np.testing.assert_array_equal(refined.classified, r < 12)
    assert done.classified.sum() < 0.8 * (r < 12).sum()
    np.testing.assert_allclose(refined.probabilities[r < 12], truth[r < 12, :2], atol=1e-6)


def test_what_lies_between_coarse_boxes_is_not_lost():
    """Particles that are smaller than the coarse stride, with nothing around them."""
    grid = grid_of((33, 33, 1))
    n_atoms = np.zeros(grid.shape, dtype=int)
    for x, y in ((3, 3), (10, 21), (30, 5)):
        n_atoms[x : x + 2, y : y + 2] = 60
    n_atoms = n_atoms.ravel()
    truth = np.tile([0.2, 0.8, 0.05], (len(grid), 1))
    refined, _ = refine(grid, n_atoms, truth, Refinement(levels=3, quantile=1.0))
    np.testing.assert_array_equal(refined.classified, n_atoms > 0)


def test_failed_boxes_stay_failed_and_do_not_spread():
    grid = grid_of((17, 17, 1))
    n_atoms = np.full(len(grid), 100)
    truth = np.tile([0.7, 0.3, 0.02], (len(grid), 1))
    refined, _ = refine(grid, n_atoms, truth, Refinement(levels=2, quantile=1.0), failing=(0, 8 * 17 + 8))
    assert set(refined.reasons) == {0, 8 * 17 + 8}
    others = refined.status != BoxStatus.FAILED
    assert others.sum() == len(grid) - 2
    np.testing.assert_allclose(refined.probabilities[others], truth[others, :2], atol=1e-6)


def test_a_box_that_cannot_be_interpolated_says_so():
    """All boxes around failed."""
    grid = grid_of((5, 1, 1))
    n_atoms = np.full(5, 100)
    truth = np.tile([0.7, 0.3, 0.02], (5, 1))
    done = artificial(grid, n_atoms, truth, [0, 4], failing=(0, 4))
    assert next_level(done, n_atoms, 0, Refinement(levels=2, quantile=1.0), FEWEST).tolist() == [2]
    refined = interpolated(done, n_atoms, 2, FEWEST)
    assert refined.reasons == {0: "broken", 1: "no box around it is classified", 2: "no box around it is classified",
                               3: "no box around it is classified", 4: "broken"}  # fmt: skip


@given(seed=st.integers(0, 10**6), levels=st.integers(1, 3), quantile=st.sampled_from([0.3, 0.8, 1.0]))
@settings(max_examples=25)
def test_any_map_is_complete(seed, levels, quantile):
    """Every box with enough atoms has values, and those that were classified keep theirs."""
    random = np.random.default_rng(seed)
    grid = grid_of(tuple(random.integers(1, 14, 3)))
    n_atoms = random.choice([0, 3, 20, 100], len(grid), p=[0.3, 0.1, 0.3, 0.3])
    truth = np.concatenate([random.dirichlet(np.ones(3), len(grid)), random.exponential(size=(len(grid), 1))], axis=1)
    refined, done = refine(grid, n_atoms, truth, Refinement(levels=levels, quantile=quantile))
    np.testing.assert_array_equal(refined.grid_index, np.arange(len(grid)))
    np.testing.assert_array_equal(refined.classified, n_atoms >= FEWEST)
    at = done.grid_index
    np.testing.assert_array_equal(refined.probabilities[at], done.probabilities)
    assert not refined.interpolated[at].any()


def test_wrong_use_is_refused():
    grid = grid_of((9, 9, 1))
    n_atoms = np.full(len(grid), 100)
    truth = two_grains(grid)
    done = artificial(grid, n_atoms, truth, first_level(grid, 2))
    with pytest.raises(ValueError, match="level 2 cannot be refined"):
        next_level(done, n_atoms, 2, Refinement(levels=2), FEWEST)
    with pytest.raises(ValueError, match="of level 0 is not in the map"):
        interpolated(done.take(np.arange(3)), n_atoms, 2, FEWEST)


def test_interpolated_boxes_are_checked_against_a_classification():
    grid = grid_of((17, 9, 9))
    n_atoms, truth = np.full(len(grid), 50), two_grains(grid)
    settings = Refinement(levels=2, quantile=0.8, checked=40, seed=1)
    refined, done = refine(grid, n_atoms, truth, settings)
    boxes = boxes_to_check(refined, settings)
    assert len(set(boxes)) == 40
    assert not np.isin(boxes, done.grid_index).any()
    check = compare_interpolated(refined, artificial(grid, n_atoms, truth, boxes, failing=[boxes[3]]))
    assert check["box"].tolist() == [box for box in boxes if box != boxes[3]]
    np.testing.assert_array_equal(check["interpolated_label"], refined.labels[check["box"]])
    np.testing.assert_allclose(check["mutual_information_bits"], truth[check["box"], -1])
    np.testing.assert_allclose(check["interpolated_bits"], refined.mutual_information[check["box"]])
    few = settings.model_copy(update={"checked": 10**6})
    assert len(boxes_to_check(refined, few)) == refined.interpolated.sum()
