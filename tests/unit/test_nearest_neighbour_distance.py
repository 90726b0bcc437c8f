"""Nearest-neighbour distances: against all pairs and images, and the histogram's definition."""

import itertools

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, graphene
from hypothesis import given, settings
from hypothesis import strategies as st

from gbscape.structure import nearest_neighbour_distance, nearest_neighbour_distances


def by_all_pairs(atoms: Atoms, centres: np.ndarray, neighbours: np.ndarray, images: int = 4) -> np.ndarray:
    shifts = itertools.product(*(range(-images, images + 1) if periodic else (0,) for periodic in atoms.pbc))
    positions = np.concatenate([atoms.positions[neighbours] + np.array(s) @ atoms.cell.array for s in shifts])
    distances = np.linalg.norm(atoms.positions[centres, None] - positions, axis=-1)
    return np.where(distances < 1e-9, np.inf, distances).min(axis=1)


def by_definition(distances: np.ndarray, bins: int = 100) -> float:
    counts, edges = np.histogram(distances, bins=bins)
    fullest = np.argmax(counts / edges[:-1] ** 2)
    return 0.5 * (edges[fullest] + edges[fullest + 1])


def noisy_box(seed: int = 0, noise: float = 0.05) -> np.ndarray:
    crystal = bulk("Ni", "fcc", a=3.52, cubic=True) * (4, 4, 4)
    return crystal.positions + np.random.default_rng(seed).normal(0, noise, (len(crystal), 3))


@pytest.mark.parametrize("bins", [1, 7, 100])
def test_it_is_the_centre_of_the_fullest_bin_weighted_by_the_inverse_square(bins):
    for seed in range(10):
        box = noisy_box(seed)
        distances = nearest_neighbour_distances(box)
        assert nearest_neighbour_distance(box, bins=bins) == pytest.approx(by_definition(distances, bins), rel=1e-12)


def test_the_weight_decides_between_bins():
    # Two pairs 1 apart and three 2 apart: 2 / 1 is more than 3 / 1.99^2.
    x = np.array([0, 1, 10, 11, 20, 22, 30, 32, 40, 42.0])
    positions = np.stack([x, 0 * x, 0 * x], axis=1)
    assert nearest_neighbour_distance(positions) == pytest.approx(1.005)


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 12),
    pbc=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    skew=st.floats(0, 2.5),
)
@settings(max_examples=80, deadline=None)
def test_distances_in_cells_of_any_shape_are_those_of_all_pairs_of_images(seed, n, pbc, skew):
    random = np.random.default_rng(seed)
    cell = np.diag(random.uniform(1.5, 6, 3)) + skew * np.tril(random.uniform(-1, 1, (3, 3)), -1)
    species = random.choice(["Fe", "Pt"], n)
    # anywhere, not only inside the cell
    atoms = Atoms(species, scaled_positions=random.uniform(-1.5, 1.5, (n, 3)), cell=cell, pbc=pbc)
    wrapped = atoms.copy()
    wrapped.wrap()
    for pair in [None, ("Fe", "Pt"), ("Pt", "Pt")]:
        centres, neighbours = (
            np.flatnonzero([True if pair is None else s == pair[end] for s in species]) for end in (0, 1)
        )
        expected = by_all_pairs(wrapped, centres, neighbours, images=6) if len(centres) and len(neighbours) else None
        if expected is None or not np.isfinite(expected).all():
            with pytest.raises(ValueError, match=r"two atoms|no atom of species"):
                nearest_neighbour_distances(atoms, pair)
        else:
            np.testing.assert_allclose(nearest_neighbour_distances(atoms, pair), expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("atoms", "expected"),
    [
        (bulk("Ni", "fcc", a=3.52), 3.52 / np.sqrt(2)),  # one atom, its own images are the neighbours
        (bulk("Fe", "bcc", a=2.87), 2.87 * np.sqrt(3) / 2),
        (bulk("Fe", "bcc", a=2.87, cubic=True) * (3, 3, 3), 2.87 * np.sqrt(3) / 2),
        (graphene(a=2.46), 2.46 / np.sqrt(3)),  # periodic in two directions
        (Atoms("Au", cell=[0, 0, 2.9], pbc=[False, False, True]), 2.9),
    ],
)
def test_perfect_crystals_have_their_distance_itself(atoms, expected):
    assert nearest_neighbour_distance(atoms) == pytest.approx(expected, rel=1e-12)


def test_a_substructure_has_a_distance_of_its_own():
    salt = bulk("NaCl", "rocksalt", a=5.64)
    assert nearest_neighbour_distance(salt, ("Na", "Cl")) == pytest.approx(2.82)
    assert nearest_neighbour_distance(salt, ("Na", "Na")) == pytest.approx(5.64 / np.sqrt(2))
    assert nearest_neighbour_distance(salt, (17, 11)) == pytest.approx(2.82)
    assert nearest_neighbour_distance(salt) == pytest.approx(2.82)


@given(st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_it_does_not_change_with_the_frame_or_the_order_and_scales_with_the_structure(seed):
    random = np.random.default_rng(seed)
    box = noisy_box(seed)
    rotation, _ = np.linalg.qr(random.normal(size=(3, 3)))
    # The same but for rounding; an atom on the edge of a bin could change sides, which these seeds' bins would show.
    moved = (random.permutation(box) @ rotation + random.uniform(-5, 5, 3)) * 1.7
    distances, expected = np.sort(nearest_neighbour_distances(moved)), np.sort(nearest_neighbour_distances(box))
    np.testing.assert_allclose(distances, 1.7 * expected, rtol=1e-12)
    width = np.ptp(expected) / 100
    assert abs(nearest_neighbour_distance(moved) / 1.7 - nearest_neighbour_distance(box)) < 100 * width
    assert nearest_neighbour_distance(moved) == pytest.approx(by_definition(distances), rel=1e-9)


@pytest.mark.parametrize(
    ("structure", "pair", "message"),
    [
        (np.zeros((1, 3)), None, "at least two atoms"),
        (np.zeros((0, 3)), None, "got none"),
        (np.zeros((2, 3)), None, "2 atoms have a neighbour at their own place"),
        (np.zeros((4, 2)), None, r"\(n, 3\), got \(4, 2\)"),
        (np.full((3, 3), np.nan), None, "finite"),
        (np.eye(3), ("Fe", "Fe"), "needs atoms"),
        (Atoms("Fe2Pt", positions=np.eye(3)), ("Fe", "Ni"), "species 'Ni'; the structure has Fe, Pt"),
        (Atoms("Fe2Pt", positions=np.eye(3)), ("Pt", "Pt"), "at least two atoms that are not periodic, got 1"),
        (Atoms("Fe", cell=[[1, 0, 0], [2, 0, 0], [0, 0, 1]], pbc=True), None, "do not span"),
    ],
)
def test_what_has_no_such_distance_is_refused(structure, pair, message):
    with pytest.raises(ValueError, match=message):
        nearest_neighbour_distance(structure, pair)


def test_a_histogram_without_bins_is_refused():
    with pytest.raises(ValueError, match="at least one bin, got 0"):
        nearest_neighbour_distance(noisy_box(), bins=0)
