"""Bicrystal slabs: geometry, distinct displacements, overlaps."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from gbscape.structure.bicrystal import (
    LEFT,
    RIGHT,
    Rows,
    build_bicrystal,
    distinct_translations_cell_angstrom,
    overlapping_pairs,
    periods_angstrom,
    remove_overlaps,
    repeat_in_plane,
)

A0 = 3.52


@dataclass(frozen=True)
class Rowed:
    left: Rows
    right: Rows


SIGMA5_TILT = Rowed(((3, 1, 0), (0, 0, 2), (1, -3, 0)), ((3, 1, 0), (0, 0, -2), (-1, 3, 0)))
SIGMA5_TWIST = Rowed(((2, 0, 0), (0, 3, 1), (0, -1, 3)), ((2, 0, 0), (0, 3, -1), (0, 1, 3)))
SIGMA3_TWIN = Rowed(((2, 2, 2), (1, -1, 0), (1, 1, -2)), ((2, 2, 2), (-1, 1, 0), (-1, -1, 2)))
SIGMA9 = Rowed(((4, 1, 1), (0, 1, -1), (-4, 8, 8)), ((1, 1, 0), (1, -1, 0), (0, 0, -12)))
BOUNDARIES = [SIGMA5_TILT, SIGMA5_TWIST, SIGMA3_TWIN, SIGMA9]


def neighbour_distances(atoms, grain: int) -> np.ndarray:
    """Distances below 3.8 Angstrom between atoms of a grain well inside it, periodic images included."""
    periods = atoms.cell.lengths()[1:]
    own = atoms.positions[atoms.arrays["grain"] == grain]
    shifts = [(0, i * periods[0], j * periods[1]) for i in range(-4, 5) for j in range(-4, 5)]
    images = np.vstack([own + shift for shift in shifts])
    centre = 8.0 if grain == RIGHT else -8.0
    inner = own[np.abs(own[:, 0] - centre) < 3]
    distances = [np.linalg.norm(images - atom, axis=1) for atom in inner]
    return np.array([np.sort(d[(d > 1e-6) & (d < 3.8)]) for d in distances])


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("grain", [LEFT, RIGHT])
def test_each_grain_is_a_perfect_fcc_crystal(boundary: Rowed, grain: int) -> None:
    slab = build_bicrystal(boundary, "fcc", A0, "Ni", 16.0, (0.3, 0.7))
    shells = neighbour_distances(slab, grain)
    assert shells.shape[1] == 18
    np.testing.assert_allclose(shells[:, :12], A0 / np.sqrt(2), atol=1e-9)
    np.testing.assert_allclose(shells[:, 12:], A0, atol=1e-9)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_sides_density_and_periods(boundary: Rowed) -> None:
    half = 40.0
    slab = build_bicrystal(boundary, "fcc", A0, "Ni", half)
    x, grain = slab.positions[:, 0], slab.arrays["grain"]
    assert x[grain == LEFT].min() >= -half - 1e-6
    assert x[grain == LEFT].max() < 0
    assert x[grain == RIGHT].min() == 0
    assert x[grain == RIGHT].max() < half
    area = slab.cell.lengths()[1:].prod()
    assert len(slab) == pytest.approx(2 * half * area * 4 / A0**3, rel=0.05)
    np.testing.assert_allclose(slab.cell.lengths()[1:], periods_angstrom(boundary, "fcc", A0))
    assert slab.pbc.tolist() == [False, True, True]


def test_bcc_grain_has_eight_neighbours() -> None:
    sigma3 = Rowed(((2, 2, 4), (1, 1, -1), (-2, 2, 0)), ((2, 2, 4), (-1, -1, 1), (2, -2, 0)))
    slab = build_bicrystal(sigma3, "bcc", 2.8553, "Fe", 14.0)
    shells = neighbour_distances(slab, LEFT)
    np.testing.assert_allclose(shells[:, :8], 2.8553 * np.sqrt(3) / 2, atol=1e-9)


def test_repetition_reaches_the_period_asked_for_and_no_more() -> None:
    slab = build_bicrystal(SIGMA3_TWIN, "fcc", A0, "Ni", 10.0)
    periods = slab.cell.lengths()[1:]
    repeated = repeat_in_plane(slab, 10.0)
    assert (repeated.cell.lengths()[1:] >= 10.0).all()
    assert (repeated.cell.lengths()[1:] < 10.0 + periods).all()
    assert len(repeat_in_plane(slab, periods[0])) == len(slab) * 1
    assert len(repeated) % len(slab) == 0


def fingerprint(atoms) -> np.ndarray:
    """Sorted distances across the boundary: independent of where the origin of y and z is."""
    return np.sort(overlapping_pairs(atoms, 4.5)[1])


@settings(deadline=None)
@given(
    boundary=st.sampled_from(BOUNDARIES),
    steps=st.tuples(st.integers(-3, 3), st.integers(-3, 3)),
    start=st.tuples(st.floats(0, 5), st.floats(0, 5)),
)
def test_displacements_repeat_with_the_distinct_cell(boundary, steps, start) -> None:
    edges = distinct_translations_cell_angstrom(boundary, "fcc", A0)
    other = np.array(start) + steps @ edges
    here, there = (fingerprint(build_bicrystal(boundary, "fcc", A0, "Ni", 8.0, t)) for t in (start, other))
    size = min(len(here), len(there))
    assert abs(len(here) - len(there)) <= 4  # pairs right at the distance limit
    np.testing.assert_allclose(here[: size - 4], there[: size - 4], atol=1e-6)


def test_distinct_cells_by_hand() -> None:
    # Symmetric tilt: both grains have the same in-plane lattice, so nothing is gained beyond it.
    assert abs(np.linalg.det(distinct_translations_cell_angstrom(SIGMA5_TILT, "fcc", A0))) == pytest.approx(
        A0**2 * np.sqrt(10) / 2
    )
    # Sigma 5 twist: the in-plane displacement-shift-complete lattice has one fifth of the area of the square net's cell.
    assert abs(np.linalg.det(distinct_translations_cell_angstrom(SIGMA5_TWIST, "fcc", A0))) == pytest.approx(A0**2 / 10)


@settings(deadline=None, max_examples=40)
@given(
    boundary=st.sampled_from(BOUNDARIES), shift=st.tuples(st.floats(0, 9), st.floats(0, 9)), within=st.floats(1.0, 5.5)
)
def test_pairs_are_those_of_brute_force(boundary, shift, within) -> None:
    slab = build_bicrystal(boundary, "fcc", A0, "Ni", 7.0, shift)
    pairs, distances = overlapping_pairs(slab, within)
    grain, periods = slab.arrays["grain"], slab.cell.lengths()[1:]
    left, right = np.flatnonzero(grain == LEFT), np.flatnonzero(grain == RIGHT)
    apart = slab.positions[right][None] - slab.positions[left][:, None]
    images = [apart + np.array([0, a * periods[0], b * periods[1]]) for a in range(-5, 6) for b in range(-5, 6)]
    nearest = np.min([np.linalg.norm(image, axis=2) for image in images], axis=0)
    found = np.argwhere(nearest <= within)
    expected = {(int(left[i]), int(right[j])): nearest[i, j] for i, j in found}
    assert {tuple(pair) for pair in pairs.tolist()} == set(expected)
    np.testing.assert_allclose(distances, [expected[tuple(pair)] for pair in pairs.tolist()])
    assert (np.diff(distances) >= -1e-8).all()


@settings(deadline=None)
@given(shift=st.tuples(st.floats(0, 9), st.floats(0, 9)), cutoff=st.floats(0.5, 2.4))
def test_no_overlap_is_left(shift, cutoff) -> None:
    slab = build_bicrystal(SIGMA9, "fcc", A0, "Ni", 10.0, shift)
    for removal, loser in (("right", RIGHT), ("left", LEFT)):
        clean = remove_overlaps(slab, cutoff, removal)
        assert (overlapping_pairs(clean, cutoff)[1] >= cutoff).all()
        other = LEFT + RIGHT - loser
        assert (clean.arrays["grain"] == other).sum() == (slab.arrays["grain"] == other).sum()
    merged = remove_overlaps(slab, cutoff, "merge")
    periods = merged.cell.lengths()[1:]
    wrapped = merged.positions.copy()
    wrapped[:, 1:] %= periods
    images = np.vstack(
        [wrapped + np.array([0, i * periods[0], j * periods[1]]) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    )
    nearest = cKDTree(images).query(wrapped, k=2)[0][:, 1]
    assert nearest.min() > min(cutoff, A0 / np.sqrt(2)) / 2


def test_merging_puts_the_atom_between() -> None:
    slab = build_bicrystal(SIGMA5_TILT, "fcc", A0, "Ni", 8.0)
    pairs, distances = overlapping_pairs(slab, 2.0)
    left, right = pairs[0]
    merged = remove_overlaps(slab, distances[0] + 1e-6, "merge")
    midpoint = (slab.positions[left] + slab.positions[right]) / 2
    assert np.linalg.norm(merged.positions - midpoint, axis=1).min() < 1e-9
    assert len(merged) == len(slab) - 1


@pytest.mark.parametrize(
    ("left", "message"),
    [
        (((3, 1, 0), (0, 0, 2), (1, 3, 0)), "must be orthogonal"),
        (((3, 1, 0), (0, 0, -2), (1, -3, 0)), "must be right-handed"),
        (((3, 1, 0), (0, 0, 1), (1, -3, 0)), r"\[0, 0, 1\] of the left grain is not a vector of the fcc lattice"),
        (((3, 1, 0), (0, 0, 4), (1, -3, 0)), "y vectors of the grains must have equal lengths"),
        (((3, 1), (0, 0), (1, -3)), "3 x 3 integer rows"),
        (((3.0, 1, 0), (0, 0, 2), (1, -3, 0)), "3 x 3 integer rows"),
    ],
)
def test_bad_rows_are_refused(left, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_bicrystal(Rowed(left, SIGMA5_TILT.right), "fcc", A0, "Ni", 10.0)


def test_bad_thickness_and_removal_are_refused() -> None:
    with pytest.raises(ValueError, match="half_thickness_angstrom must be positive"):
        build_bicrystal(SIGMA5_TILT, "fcc", A0, "Ni", 0.0)
    slab = build_bicrystal(SIGMA5_TILT, "fcc", A0, "Ni", 8.0)
    with pytest.raises(ValueError, match="removal must be 'right', 'left' or 'merge'"):
        remove_overlaps(slab, 1.0, "both")
