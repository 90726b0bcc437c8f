"""Boxes cut out of structures: against a mask over all atoms, on faces, and in batches."""

import itertools

import numpy as np
import pytest
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st

from gbscape.crystal.boxes import BoxGrid, box_grid, count_atoms, cut_boxes


def by_mask(positions: np.ndarray, grid: BoxGrid, closed: bool) -> list[list[int]]:
    lists = []
    for low in grid.origins_angstrom().reshape(-1, 3):
        high = low + np.array(grid.edge_angstrom)
        below = positions <= high if closed else positions < high
        lists.append(np.flatnonzero((positions >= low).all(axis=1) & below.all(axis=1)).tolist())
    return lists


def lists_of(positions: np.ndarray, grid: BoxGrid, **options) -> list[list[int]]:
    """The atoms of each box; checks that batches follow one another."""
    lists: list[list[int]] = []
    start = options.get("start", 0)
    for batch in cut_boxes(positions, grid, **options):
        assert batch.first == start + len(lists)
        assert batch.offsets[0] == 0
        assert batch.offsets[-1] == len(batch.atoms)
        lists += [part.tolist() for part in np.split(batch.atoms, batch.offsets[1:-1])]
    return lists


def axis_choice(low: float, high: float) -> st.SearchStrategy:
    return st.one_of(st.none(), st.floats(low, high))


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 120),
    edge=st.floats(0.5, 6),
    strides=st.tuples(axis_choice(0.8, 5), axis_choice(0.8, 5), axis_choice(0.8, 5)),
    padding=st.sampled_from([0.0, 0.5, 1.0]),
    closed=st.booleans(),
    on_grid=st.booleans(),
    atoms_per_batch=st.sampled_from([1, 10, 100, 2**21]),
)
@settings(max_examples=80, deadline=None)
def test_boxes_hold_what_a_mask_over_all_atoms_says(seed, n, edge, strides, padding, closed, on_grid, atoms_per_batch):
    positions = np.random.default_rng(seed).uniform(-5, 5, (n, 3))
    if on_grid:  # many atoms exactly on faces
        positions, edge = np.round(positions), max(1.0, round(edge))
        strides = tuple(None if s is None else max(1.0, round(s)) for s in strides)
    grid = box_grid(positions, edge, strides, padding)
    expected = by_mask(positions, grid, closed)
    assert len(expected) == len(grid)
    assert lists_of(positions, grid, closed=closed, atoms_per_batch=atoms_per_batch) == expected
    counts = count_atoms(positions, grid, closed)
    assert counts.shape == grid.shape
    assert counts.ravel().tolist() == [len(atoms) for atoms in expected]
    start, stop = sorted(np.random.default_rng(seed).integers(0, len(grid) + 1, 2))
    part = lists_of(positions, grid, closed=closed, start=start, stop=stop, atoms_per_batch=atoms_per_batch)
    assert part == expected[start:stop]


def test_atoms_on_faces_are_inside_closed_boxes_and_below_half_open_ones():
    grid = BoxGrid((np.array([0.0, 2.0]), np.array([0.0]), np.array([0.0])), (2.0, 2.0, 2.0))
    positions = np.array([[0, 0, 0], [2, 0, 0], [4, 2, 2], [2, 2, 2], [2, 1, np.nextafter(2, 3)], [-1e-12, 1, 1.0]])
    assert lists_of(positions, grid) == [[0, 1, 3], [1, 2, 3]]
    assert lists_of(positions, grid, closed=False) == [[0], [1]]


def test_empty_boxes_are_there():
    positions = np.array([[0, 0, 0], [10, 0, 0.0]])
    grid = box_grid(positions, 1.0, (1.0, None, None))
    lists = lists_of(positions, grid)
    assert grid.shape == (12, 1, 1)
    assert lists[0] == [0]
    assert lists[-1] == [1]
    assert lists[2:-2] == [[]] * 8
    outside = BoxGrid((np.array([50.0, 60.0]),) * 3, (1.0, 1.0, 1.0))
    assert lists_of(positions, outside) == [[]] * 8
    assert not count_atoms(positions, outside).any()


@pytest.mark.parametrize(
    ("extent", "edge", "stride", "padding", "shape"),
    [
        # Leitherer et al. 2021: 46 x 46 x 46 boxes of a cube of 120 Angstrom
        ((120.0, 120.0, 120.0), 16.0, 3.0, 0.5, (46, 46, 46)),
        # a slab as thick as the boxes, strided in its plane without padding
        ((95.0, 82.0, 16.0), 16.0, (1.0, 1.0, None), 0.0, (96, 83, 1)),
        # the boxes are shorter than the stride: one more than fits
        ((10.0, 10.0, 10.0), 1.0, 3.0, 0.0, (4, 4, 4)),
        ((11.5, 0.0, 0.0), 1.0, 3.0, 0.0, (5, 1, 1)),
    ],
)
def test_the_grid_has_the_published_number_of_boxes_and_lies_centred(extent, edge, stride, padding, shape):
    corners = np.array([[1.0, -2.0, 3.0], np.add([1.0, -2.0, 3.0], extent)])
    grid = box_grid(corners, edge, stride, padding)
    assert grid.shape == shape
    assert len(grid) == np.prod(shape)
    centres = grid.centres_angstrom()
    assert centres.shape == (*shape, 3)
    np.testing.assert_allclose(centres.reshape(-1, 3).mean(axis=0), corners.mean(axis=0), atol=1e-8)
    np.testing.assert_allclose(
        centres - grid.origins_angstrom(), np.broadcast_to(grid.edge_angstrom, centres.shape) / 2
    )


@given(st.integers(0, 10**6), st.floats(0.3, 4), st.floats(0.2, 1.0), st.sampled_from([0.0, 0.3, 1.0]))
@settings(max_examples=40, deadline=None)
def test_every_atom_is_in_a_box_where_boxes_leave_no_gap(seed, edge, overlap, padding):
    positions = np.random.default_rng(seed).uniform(100, 103, (50, 3))
    # The outermost atoms may be on the outermost faces, and rounding may put them beyond by 1e-13.
    grid = box_grid(positions, edge + 1e-9, edge * overlap, padding)
    held = np.concatenate([batch.atoms for batch in cut_boxes(positions, grid, closed=False)])
    assert set(held) == set(range(50))


def test_half_open_tiles_hold_every_atom_once():
    crystal = bulk("Cu", "fcc", a=4.0, cubic=True) * (4, 4, 4)
    grid = BoxGrid((np.arange(0.0, 16.0, 4.0),) * 3, (4.0, 4.0, 4.0))
    assert (count_atoms(crystal.positions, grid, closed=False) == 4).all()
    assert count_atoms(crystal.positions, grid).sum() > len(crystal)


def test_without_a_stride_the_boxes_span_the_sample():
    positions = np.random.default_rng(3).normal(size=(200, 3)) * 1e4
    for closed in (True, False):
        grid = box_grid(positions, 5.0, None)
        assert lists_of(positions, grid, closed=closed) == [list(range(200))]


def test_a_batch_holds_no_more_atoms_than_asked_unless_one_box_does():
    positions = np.random.default_rng(1).uniform(0, 10, (2000, 3))
    grid = box_grid(positions, 4.0, 1.0)
    largest = int(count_atoms(positions, grid).max())
    for limit in (1, largest, 10 * largest):
        batches = list(cut_boxes(positions, grid, atoms_per_batch=limit))
        assert all(len(b.atoms) <= limit or len(b.offsets) == 2 for b in batches)
        assert all(len(a.atoms) + b.offsets[1] > limit for a, b in itertools.pairwise(batches))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"edge_angstrom": 0.0, "stride_angstrom": 1.0}, "edge of the boxes"),
        ({"edge_angstrom": np.nan, "stride_angstrom": 1.0}, "edge of the boxes"),
        ({"edge_angstrom": 1.0, "stride_angstrom": -1.0}, "a stride must be a positive length"),
        ({"edge_angstrom": 1.0, "stride_angstrom": (1.0, 1.0)}, "stride_angstrom must be one number or three"),
        ({"edge_angstrom": 1.0, "stride_angstrom": 1.0, "padding": 1.5}, "padding must be between 0 and 1"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        box_grid(np.eye(3), **options)


@pytest.mark.parametrize(
    ("positions", "options", "message"),
    [
        (np.zeros((0, 3)), {}, "with n >= 1"),
        (np.zeros((4, 2)), {}, r"\(n, 3\)"),
        (np.array([[0, 0, np.inf]]), {}, "finite"),
        (np.eye(3), {"start": 2, "stop": 10**6}, "not all in a grid of"),
        (np.eye(3), {"atoms_per_batch": 0}, "at least 1"),
    ],
)
def test_what_cannot_be_cut_is_refused_at_once(positions, options, message):
    grid = box_grid(np.eye(3), 1.0, 1.0)
    with pytest.raises(ValueError, match=message):
        cut_boxes(positions, grid, **options)
