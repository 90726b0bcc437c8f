"""Boxes of samples of our own against counting by hand; annealing series against sums by hand."""

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk

from gbscape.crystal.annealing import change_at, cumulative_change, histogram, radial_medians
from gbscape.crystal.box_distances import species_distances
from gbscape.crystal.box_truth import (
    EMPTY,
    MIXED,
    accuracy_inside,
    box_truth,
    contrast,
    distance_from_boundary,
    inside_sample,
    overlap,
    profile,
)
from gbscape.crystal.boxes import box_grid, cut_boxes
from gbscape.crystal.map_file import BoxStatus, MapError, StridedMap
from gbscape.structure.nearest_neighbours import nearest_neighbour_distance
from gbscape.structure.superalloy import PRECIPITATE, superalloy


def a_map(grid, mutual_information, status=None) -> StridedMap:
    n = len(grid)
    status = np.full(n, BoxStatus.CLASSIFIED, np.uint8) if status is None else status
    classified = status == BoxStatus.CLASSIFIED
    nan = np.where(classified, 0.0, np.nan)
    return StridedMap(
        grid=grid, classes=("fcc", "bcc"), grid_index=np.arange(n), n_atoms=np.full(n, 50), status=status,
        top_class=np.where(classified, 0, -1)[:, None].astype(np.int16), top_probability=(nan + 1)[:, None],
        mutual_information=mutual_information + nan, predictive_entropy=nan,
    )  # fmt: skip


def test_distances_of_species_in_a_tetragonal_alloy() -> None:
    """In L1_0 with c < a, atoms of a kind are nearest in their plane: a / sqrt 2, whichever species."""
    sites = [(0, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)]
    atoms = Atoms("Fe2Pt2", scaled_positions=sites, cell=[3.86, 3.86, 3.71]).repeat((6, 6, 6))
    rng = np.random.default_rng(0)
    # Fe squeezed in one half of the sample: only there do the distances differ.
    moved = atoms.positions[:, 0] > 11.5
    atoms.positions[moved & (atoms.numbers == 26), 2] += 0.3 * rng.random((moved & (atoms.numbers == 26)).sum())
    grid = box_grid(atoms.positions, 9.0, 4.0, padding=0)
    boxes = rng.permutation(len(grid))[:30]
    found = species_distances(atoms.positions, atoms.numbers, grid, boxes, ("Fe", "Pt"))
    for row, box in zip(found, boxes, strict=True):
        (piece,) = cut_boxes(atoms.positions, grid, start=int(box), stop=int(box) + 1)
        inside = atoms[piece.atoms]
        inside.pbc = False
        expected = [nearest_neighbour_distance(inside, (kind, kind)) for kind in ("Fe", "Pt")]
        np.testing.assert_allclose(row, expected, rtol=1e-12)
    left = grid.origins_angstrom().reshape(-1, 3)[boxes, 0] + 9.0 < 11.5
    assert left.any()
    np.testing.assert_allclose(found[left], 3.86 / np.sqrt(2), rtol=1e-9)
    assert (found[~left, 0] != found[~left, 1]).any()


def test_a_species_alone_in_a_box_has_no_distance() -> None:
    atoms = bulk("Cu", cubic=True).repeat(3)
    atoms.numbers[0] = 78
    grid = box_grid(atoms.positions, 6.0, 3.0, padding=0)
    found = species_distances(atoms.positions, atoms.numbers, grid, [len(grid) - 1, 0], ("Cu", "Pt"))
    assert np.isfinite(found[:, 0]).all()
    assert np.isnan(found[:, 1]).all()
    with pytest.raises(ValueError, match="no atom of species 'Fe' in the sample, which has Cu, Pt"):
        species_distances(atoms.positions, atoms.numbers, grid, [0], ("Fe",))
    with pytest.raises(ValueError, match="has none of the number"):
        species_distances(atoms.positions, atoms.numbers, grid, [len(grid)], ("Cu",))
    assert species_distances(atoms.positions, atoms.numbers, grid, [], ("Cu",)).shape == (0, 1)


@pytest.fixture
def two_grains() -> tuple[np.ndarray, np.ndarray]:
    """A block whose left half is one grain and whose right half another, the plane x = 15.3 between them."""
    positions = bulk("Cu", a=3.6, cubic=True).repeat((9, 6, 6)).positions
    return positions, np.where(positions[:, 0] < 15.3, 0, 1)


def test_truth_of_boxes_is_the_majority(two_grains) -> None:
    positions, grain = two_grains
    grid = box_grid(positions, 8.0, 2.5)
    boxes = np.random.default_rng(0).permutation(len(grid))
    found = box_truth(positions, grain, grid, boxes, least_share=0.75)
    lower = grid.origins_angstrom().reshape(-1, 3)
    for box, group, share in zip(boxes, found.group, found.share, strict=True):
        inside = ((positions >= lower[box]) & (positions <= lower[box] + 8.0)).all(axis=1)
        if not inside.any():
            assert (group, np.isnan(share)) == (EMPTY, True)
            continue
        shares = np.bincount(grain[inside], minlength=2) / inside.sum()
        assert share == pytest.approx(shares.max())
        assert group == (str(shares.argmax()) if shares.max() >= 0.75 else MIXED)
    assert set(found.group) >= {"0", "1", MIXED}
    np.testing.assert_array_equal(found.is_inside, np.isin(found.group, ["0", "1"]))
    np.testing.assert_array_equal(found.is_mixed, found.group == MIXED)


def test_truth_of_boxes_refuses_nonsense(two_grains) -> None:
    positions, grain = two_grains
    grid = box_grid(positions, 8.0, 4.0)
    with pytest.raises(ValueError, match="a group for each of"):
        box_truth(positions, grain[1:], grid, [0])
    with pytest.raises(ValueError, match=r"above 0\.5"):
        box_truth(positions, grain, grid, [0], least_share=0.5)
    with pytest.raises(ValueError, match="may be named"):
        box_truth(positions, np.full(len(grain), MIXED), grid, [0])


def test_boxes_inside_the_sample_are_those_that_end_before_it_does(two_grains) -> None:
    positions, _ = two_grains
    grid = box_grid(positions, 8.0, 2.0)
    boxes = np.arange(len(grid))
    found = inside_sample(positions, grid, boxes, reach_angstrom=3.0)
    lower = grid.origins_angstrom().reshape(-1, 3)
    within = ((lower >= positions.min(axis=0)) & (lower + 8.0 <= positions.max(axis=0))).all(axis=1)
    beyond = ((lower < positions.min(axis=0) - 3) | (lower + 8.0 > positions.max(axis=0) + 3)).any(axis=1)
    assert within.any()
    assert found[within].all()
    assert not found[beyond].any()
    with pytest.raises(ValueError, match="positive length"):
        inside_sample(positions, grid, boxes, 0)


def test_distance_from_the_boundary_is_that_of_the_nearest_atom(two_grains) -> None:
    positions, _ = two_grains
    centres = np.random.default_rng(0).uniform(positions.min(axis=0), positions.max(axis=0), (200, 3))
    found = distance_from_boundary(positions, np.abs(positions[:, 0] - 15.3), centres)
    # no point of this fcc crystal is farther than a / 2 from an atom
    assert (np.abs(found - np.abs(centres[:, 0] - 15.3)) <= 1.8 + 1e-9).all()
    assert np.abs(found - np.abs(centres[:, 0] - 15.3)).mean() < 1


def test_profile_by_distance() -> None:
    table = profile([1.0, 3.0, 5.0, np.nan, 9.0], [0.0, 1.9, 2.0, 0.5, 7.5], width_angstrom=2.0)
    expected = pd.DataFrame(
        {"lower_angstrom": [0.0, 2.0, 6.0], "upper_angstrom": [2.0, 4.0, 8.0], "boxes": [2, 1, 1],
         "mean": [2.0, 5.0, 9.0], "median": [2.0, 5.0, 9.0]}
    )  # fmt: skip
    pd.testing.assert_frame_equal(table, expected)
    with pytest.raises(ValueError, match="one distance for each box"):
        profile([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="positive width"):
        profile([1.0], [1.0], 0)


def test_contrast_counts_pairs_and_ratios() -> None:
    high = np.array([True, True, True, False, False, False, True])
    values = np.array([3.0, 2.0, 0.5, 1.0, 1.0, 0.25, np.nan])
    found = contrast(values, high, ~high)
    pairs = [float(a > b) + 0.5 * (a == b) for a in values[:3] for b in values[3:6]]
    assert found.auc == pytest.approx(np.mean(pairs))
    assert found.ratio_of_means == pytest.approx((5.5 / 3) / 0.75)
    assert found.ratio_of_medians == pytest.approx(2.0)
    assert (found.boxes, found.other_boxes) == (3, 3)
    with pytest.raises(ValueError, match="1 boxes are on both sides"):
        contrast(values[:2], [True, True], [False, True])
    with pytest.raises(ValueError, match="nothing to compare: 0 boxes"):
        contrast(values[:2], [False, False], [True, True])
    with pytest.raises(ValueError, match="a value and two flags"):
        contrast(values, high[:2], ~high)


def test_overlap_counts_boxes() -> None:
    found = overlap([1, 1, 1, 0, 0], [0, 1, 1, 1, 0])
    assert found.intersection_over_union == pytest.approx(2 / 4)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 3)
    assert found.accuracy == pytest.approx(3 / 5)
    nothing = overlap([0, 0], [0, 0])
    assert nothing.accuracy == 1
    assert np.isnan([nothing.intersection_over_union, nothing.precision, nothing.recall]).all()
    with pytest.raises(ValueError, match="one flag for each box"):
        overlap([], [])


def test_the_precipitate_of_the_superalloy_is_found_by_its_phase() -> None:
    atoms = superalloy(edge_angstrom=40, precipitate_edge_angstrom=20)
    grid = box_grid(atoms.positions, 8.0, 4.0)
    boxes = np.arange(len(grid))
    truth = box_truth(atoms.positions, atoms.arrays["phase"], grid, boxes)
    wanted = truth.group == str(PRECIPITATE)
    middles = grid.centres_angstrom().reshape(-1, 3) - 20.0
    expected = (np.abs(middles) <= 6).all(axis=1)  # boxes wholly inside the cube
    assert wanted[expected].all()
    assert not wanted[(np.abs(middles) > 10).any(axis=1)].any()
    assert overlap(wanted, wanted).intersection_over_union == 1


def test_accuracy_inside_grains() -> None:
    assert accuracy_inside(["fcc", "", "bcc", "bcc"], ["fcc", "fcc", "bcc", "hcp"], [1, 1, 1, 0]) == pytest.approx(
        2 / 3
    )
    with pytest.raises(ValueError, match="no box inside"):
        accuracy_inside(["fcc"], ["fcc"], [False])
    with pytest.raises(ValueError, match="of the same boxes"):
        accuracy_inside(["fcc"], ["fcc", "bcc"], [True])


def ball(seed: int, factor: float) -> StridedMap:
    """Mutual information that grows with the distance from the middle, in a cube of boxes, some unclassified."""
    rng = np.random.default_rng(seed)
    grid = box_grid(np.array([[0.0, 0, 0], [20, 20, 20]]), 6.0, 2.0)
    radius = np.linalg.norm(grid.centres_angstrom().reshape(-1, 3) - 10.0, axis=1)
    status = np.where(radius > 11, BoxStatus.EMPTY, BoxStatus.CLASSIFIED).astype(np.uint8)
    return a_map(grid, factor * (radius / 10) ** 2 + 0.01 * rng.random(len(grid)), status)


def test_histogram_of_low_mutual_information() -> None:
    maps = {26.0: ball(1, 0.3), 9.0: ball(0, 0.6)}
    table = histogram(maps, below_bits=0.2, bins=8)
    assert list(table["minutes"].unique()) == [9.0, 26.0]
    for minutes, rows in table.groupby("minutes"):
        values = maps[minutes].mutual_information[maps[minutes].classified]
        for row in rows.itertuples():
            inside = (values >= row.lower_bits) & (values < row.upper_bits)
            assert row.share == pytest.approx(inside.mean())
            assert row.cumulative_share == pytest.approx((values < row.upper_bits).mean())
    with pytest.raises(MapError, match="needs a map"):
        histogram({})


def test_radial_medians_and_their_sums() -> None:
    strided = ball(0, 0.6)
    table = radial_medians({9.0: strided}, width_angstrom=3.0)
    classified = strided.take(strided.classified)
    centres = classified.centres_angstrom()
    central = centres[np.linalg.norm(centres - 10.0, axis=1).argmin()]
    radius = np.linalg.norm(centres - central, axis=1)
    medians = []
    for row in table.itertuples():
        shell = (radius >= row.lower_angstrom - 1e-6) & (radius < row.upper_angstrom - 1e-6)
        medians.append(np.median(classified.mutual_information[shell]))
        assert row.boxes == shell.sum()
        assert row.median_bits == pytest.approx(medians[-1])
        assert row.cumulative_bits == pytest.approx(sum(medians))
    assert table["boxes"].sum() == len(classified)
    with pytest.raises(ValueError, match="positive width"):
        radial_medians({9.0: strided}, 0)


def test_change_of_sums_is_negative_where_order_grows() -> None:
    radial = radial_medians({16.0: ball(1, 0.4), 9.0: ball(0, 0.6), 26.0: ball(2, 0.2)}, width_angstrom=2.0)
    change = cumulative_change(radial)
    pairs = list(change[["from_minutes", "to_minutes"]].drop_duplicates().itertuples(index=False, name=None))
    assert pairs == [(9.0, 16.0), (9.0, 26.0), (16.0, 26.0)]
    at_eight = change_at(change, 9.5)
    assert (at_eight["radius_angstrom"] == 8.0).all()
    sums = radial.set_index(["minutes", "upper_angstrom"])["cumulative_bits"]
    for row in at_eight.itertuples():
        first, second = sums[row.from_minutes, 8.0], sums[row.to_minutes, 8.0]
        assert row.fractional_change == pytest.approx((second - first) / first)
    assert (at_eight["fractional_change"] < 0).all()
    assert cumulative_change(radial[radial["minutes"] == 9.0]).empty


def test_a_map_without_classified_boxes_has_no_order() -> None:
    grid = box_grid(np.array([[0.0, 0, 0], [4, 4, 4]]), 4.0, 2.0)
    empty = a_map(grid, np.zeros(len(grid)), np.full(len(grid), BoxStatus.EMPTY, np.uint8))
    with pytest.raises(MapError, match="9 minutes has no classified box"):
        radial_medians({9.0: empty})
