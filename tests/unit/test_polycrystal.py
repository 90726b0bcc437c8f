"""Voronoi polycrystals against brute force over the images of the seeds, and properties of crystals and rotations."""

from itertools import product

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.neighborlist import neighbor_list
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from gbscape.structure.nearest_neighbours import nearest_neighbour_distances
from gbscape.structure.polycrystal import Grain, random_grains, random_rotation, voronoi_cells, voronoi_polycrystal

IRON = bulk("Fe", "bcc", 2.8553)
COPPER = bulk("Cu", "fcc", 3.615, cubic=True)
ZINC = bulk("Zn", "hcp", 2.66, c=4.95)


def signed_distances(points, number, seeds, edges, periodic):
    """Distances (n,) of points to the nearest plane about seed `number`, of all planes that images within 3 periods make."""
    spans = [range(-3, 4) if flag else range(1) for flag in periodic]
    others = [
        seed + np.array(shift) * edges
        for shift in product(*spans)
        for other, seed in enumerate(seeds)
        if other != number or any(shift)
    ]
    vectors = np.array(others) - seeds[number]
    lengths = np.linalg.norm(vectors, axis=1)
    return np.min(lengths / 2 - (points - seeds[number]) @ (vectors / lengths[:, None]).T, axis=1)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 6),
    edges=st.tuples(*[st.floats(5, 40)] * 3),
    periodic=st.tuples(*[st.booleans()] * 3),
)
def test_voronoi_cells_tile_the_cell(seed, n, edges, periodic):
    edges = np.array(edges)
    rng = np.random.default_rng(seed)
    seeds = rng.random((n, 3)) * edges
    cells = voronoi_cells(edges, seeds, periodic)
    assert sum(cell.volume_angstrom3() for cell in cells) == pytest.approx(edges.prod(), rel=1e-6)
    for number, cell in enumerate(cells):
        inside = np.random.default_rng(seed).dirichlet(np.ones(len(cell.vertices)), 50) @ cell.vertices
        assert (inside @ cell.normals.T <= cell.distances_angstrom + 1e-6).all()
        if n > 1 or any(periodic):
            planes = cell.neighbour >= 0
            ours = (cell.distances_angstrom - inside @ cell.normals.T)[:, planes].min(axis=1, initial=np.inf)
            theirs = signed_distances(inside + seeds[number], number, seeds, edges, periodic)
            assert (theirs > -1e-6).all()
            # Planes that lie outside the walls cut nothing, and are not listed.
            assert (ours >= theirs - 1e-6).all()
            if all(periodic):
                np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("periodic", [(True, True, True), (True, True, False), (False, False, False)])
def test_every_atom_is_of_the_nearest_seed(periodic):
    edges = np.array([32.0, 27.0, 18.0])
    grains = random_grains(5, IRON, edges, np.random.default_rng(1))
    atoms = voronoi_polycrystal(edges, grains, periodic)
    assert tuple(atoms.pbc) == periodic
    seeds = np.array([grain.seed_angstrom for grain in grains])
    difference = atoms.positions[:, None] - seeds
    difference -= np.where(periodic, edges * np.round(difference / edges), 0)
    distance = np.linalg.norm(difference, axis=2)
    of_own = distance[np.arange(len(atoms)), atoms.arrays["grain"]]
    np.testing.assert_allclose(of_own, distance.min(axis=1), atol=1e-6)
    assert ((atoms.positions >= -1e-6) & (atoms.positions <= edges + 1e-6)).all()


def test_distance_to_the_boundary_is_that_of_the_nearest_plane():
    edges = np.array([25.0, 21.0, 23.0])
    grains = random_grains(4, COPPER, edges, np.random.default_rng(3))
    atoms = voronoi_polycrystal(edges, grains)
    seeds = np.array([grain.seed_angstrom for grain in grains])
    for number in range(4):
        mine = atoms.arrays["grain"] == number
        shift = atoms.positions[mine] - seeds[number]
        unwrapped = seeds[number] + shift - edges * np.round(shift / edges)
        expected = signed_distances(unwrapped, number, seeds, edges, (True,) * 3)
        np.testing.assert_allclose(atoms.arrays["distance_to_boundary"][mine], np.maximum(expected, 0), atol=1e-6)


@pytest.mark.parametrize("overlap", [0.5, 0.7, 1.0])
def test_no_pair_is_closer_than_the_limit(overlap):
    grains = random_grains(4, IRON, 14.0, np.random.default_rng(5))
    atoms = voronoi_polycrystal(14.0, grains, overlap=overlap)
    limit = overlap * 2.8553 * np.sqrt(3) / 2
    shortest = np.inf
    for shift in product((-14.0, 0.0, 14.0), repeat=3):
        distance = cdist(atoms.positions, atoms.positions + shift)
        if not any(shift):
            np.fill_diagonal(distance, np.inf)
        shortest = min(shortest, distance.min())
    assert shortest >= limit - 1e-9


def test_no_more_atoms_are_removed_than_needed():
    """Every removed atom was too close to one that is left."""
    grains = random_grains(4, IRON, 18.0, np.random.default_rng(5))
    everything = voronoi_polycrystal(18.0, grains, overlap=1e-3)
    thinned = voronoi_polycrystal(18.0, grains, overlap=0.8)
    assert len(thinned) < len(everything)
    limit = 0.8 * 2.8553 * np.sqrt(3) / 2
    difference = everything.positions[:, None] - thinned.positions
    distance = np.linalg.norm(difference - 18.0 * np.round(difference / 18.0), axis=2).min(axis=1)
    assert np.count_nonzero(distance < 1e-9) == len(thinned)
    assert (distance < limit).all()


def test_grains_are_as_dense_as_their_crystals_away_from_boundaries():
    grains = random_grains(5, IRON, 40.0, np.random.default_rng(7))
    atoms = voronoi_polycrystal(40.0, grains)
    neighbours = np.bincount(neighbor_list("i", atoms, 2.6), minlength=len(atoms))
    # Atoms are thinned out up to 0.7 x 2.47 Angstrom from a boundary.
    interior = atoms.arrays["distance_to_boundary"] > 2.6 + 0.7 * 2.48
    assert interior.sum() > 1000
    assert (neighbours[interior] == 8).all()
    # The number of atoms follows the volume of the grain, less those that were thinned out at its surface.
    everything = voronoi_polycrystal(40.0, grains, overlap=1e-6)
    cells = voronoi_cells(40.0, np.array([grain.seed_angstrom for grain in grains]))
    counts = np.bincount(everything.arrays["grain"])
    expected = np.array([cell.volume_angstrom3() for cell in cells]) * 2 / 2.8553**3
    np.testing.assert_allclose(counts, expected, rtol=0.03)


def test_grains_are_turned_as_told():
    edges = np.full(3, 30.0)
    grains = random_grains(3, [IRON, COPPER, ZINC], edges, np.random.default_rng(11))
    atoms = voronoi_polycrystal(edges, grains)
    assert set(atoms.get_chemical_symbols()) == {"Fe", "Cu", "Zn"}
    for number, grain in enumerate(grains):
        mine = atoms[atoms.arrays["grain"] == number]
        assert set(mine.numbers) == set(grain.crystal.numbers)
        shift = mine.positions - np.asarray(grain.seed_angstrom)
        shift -= edges * np.round(shift / edges)
        in_crystal = shift @ np.asarray(grain.rotation)  # the inverse rotation of rows
        fractions = (in_crystal[:, None] - grain.crystal.positions) @ np.linalg.inv(grain.crystal.cell.array)
        off = np.abs(fractions - np.round(fractions)).max(axis=2).min(axis=1)
        assert off.max() < 1e-9


def test_one_grain_that_suits_its_cell_is_a_perfect_crystal():
    atoms = voronoi_polycrystal(6 * 3.615, [Grain((1.0, 2.0, 3.0), COPPER, np.eye(3))])
    assert len(atoms) == 4 * 6**3
    np.testing.assert_allclose(nearest_neighbour_distances(atoms), 3.615 / np.sqrt(2), rtol=1e-9)
    assert (np.bincount(neighbor_list("i", atoms, 3.0)) == 12).all()


def test_one_grain_without_periods_is_a_cut_crystal_without_boundary():
    atoms = voronoi_polycrystal((20.0, 15.0, 10.0), [Grain((10.0, 7.0, 5.0), COPPER, np.eye(3))], periodic=False)
    assert "distance_to_boundary" not in atoms.arrays
    lattice = bulk("Cu", "fcc", 3.615, cubic=True).repeat(14).positions - 7 * 3.615 + (10.0, 7.0, 5.0)
    inside = ((lattice >= 0) & (lattice <= (20, 15, 10))).all(axis=1)
    assert len(atoms) == inside.sum()


def test_whole_grains_are_the_wrapped_ones_in_one_piece():
    edges = np.array([30.0, 26.0, 12.0])
    grains = random_grains(4, COPPER, edges, np.random.default_rng(13))
    periodic = (True, True, False)
    wrapped = voronoi_polycrystal(edges, grains, periodic)
    whole = voronoi_polycrystal(edges, grains, periodic, whole_grains=True)
    assert not whole.pbc.any()
    assert (whole.positions >= 0).all()
    assert (whole.positions <= whole.cell.lengths() + 1e-9).all()
    limit = 0.7 * 3.615 / np.sqrt(2)
    assert nearest_neighbour_distances(whole).min() >= limit - 1e-9
    # Nothing is thinned out where whole grains end in nothing.
    assert len(wrapped) < len(whole) < 1.1 * len(wrapped)
    for number in range(4):
        counts = [np.count_nonzero(atoms.arrays["grain"] == number) for atoms in (wrapped, whole)]
        assert counts[0] <= counts[1]
    span = np.ptp(whole.positions, axis=0)
    assert span[2] <= 12.0 + 1e-9
    assert (span[:2] > edges[:2]).any()


def test_the_same_grains_give_the_same_atoms():
    first, second = (
        voronoi_polycrystal(22.0, random_grains(4, IRON, 22.0, np.random.default_rng(17))) for _ in range(2)
    )
    assert (first.positions == second.positions).all()
    assert (first.arrays["grain"] == second.arrays["grain"]).all()
    more = random_grains(6, IRON, 22.0, np.random.default_rng(17))
    fewer = random_grains(4, IRON, 22.0, np.random.default_rng(17))
    assert all((a.rotation == b.rotation).all() for a, b in zip(more, fewer, strict=False))


def test_rotations_are_proper_and_uniform():
    rng = np.random.default_rng(19)
    rotations = np.array([random_rotation(rng) for _ in range(4000)])
    np.testing.assert_allclose(
        rotations @ rotations.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (4000, 3, 3)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(rotations), 1, atol=1e-12)
    # Under Haar's measure the trace has mean 0 and variance 1, each entry mean 0 and variance 1/3; five standard errors.
    trace = np.trace(rotations, axis1=1, axis2=2)
    assert abs(trace.mean()) < 5 / np.sqrt(4000)
    assert abs((trace**2).mean() - 1) < 5 * np.sqrt(2) / np.sqrt(4000)
    assert np.abs((rotations**2).mean(axis=0) - 1 / 3).max() < 5 * 0.3 / np.sqrt(4000)


SEED = (5.0, 5.0, 5.0)


@pytest.mark.parametrize(
    ("cell", "grains", "options", "message"),
    [
        (20.0, [], {}, "at least one grain"),
        (20.0, [Grain((25, 5, 5), IRON, np.eye(3))], {}, "seed 0 at .* outside the cell"),
        (20.0, [Grain((5, 5, 20), IRON, np.eye(3))], {}, "outside the cell"),
        (20.0, [Grain(SEED, IRON, np.zeros((3, 3)))], {}, "rotation of grain 0 must be orthogonal"),
        (20.0, [Grain(SEED, IRON, -np.eye(3))], {}, "determinant -1"),
        (20.0, [Grain(SEED, IRON, np.eye(2))], {}, r"matrix \(3, 3\)"),
        (20.0, [Grain(SEED, IRON, np.eye(3) * np.nan)], {}, "finite"),
        (20.0, [Grain(SEED, Atoms(cell=[3] * 3), np.eye(3))], {}, "has no atoms"),
        (20.0, [Grain(SEED, Atoms("Fe"), np.eye(3))], {}, "no volume"),
        (20.0, [Grain(SEED, Atoms("Fe2", cell=[3] * 3), np.eye(3))], {}, "at their own place"),
        (20.0, [Grain(SEED, IRON, np.eye(3))] * 2, {}, "two seeds are at the same place"),
        (4.0, [Grain((1, 1, 1), IRON, np.eye(3))], {}, "at least two nearest-neighbour distances"),
        ((20.0, -1.0, 20.0), [Grain(SEED, IRON, np.eye(3))], {}, "positive edge"),
        ((20.0, 20.0), [Grain(SEED, IRON, np.eye(3))], {}, "positive edge"),
        (20.0, [Grain(SEED, IRON, np.eye(3))], {"overlap": 0.0}, "overlap must be in"),
        (20.0, [Grain(SEED, IRON, np.eye(3))], {"periodic": (True, False)}, "one flag or three"),
    ],
)
def test_bad_input_is_refused(cell, grains, options, message):
    with pytest.raises(ValueError, match=message):
        voronoi_polycrystal(cell, grains, **options)


def test_a_grain_too_small_for_an_atom_is_refused():
    # The crystal's atom lies away from its origin, and so outside a thin grain.
    crystal = Atoms("Fe", positions=[(1.5, 1.5, 1.5)], cell=[3.0] * 3)
    grains = [Grain((0.1 * n + 5, 5, 5), crystal, np.eye(3)) for n in range(3)]
    with pytest.raises(ValueError, match=r"grain 1, of .* too small to hold an atom"):
        voronoi_polycrystal(20.0, grains)


def test_no_grains_are_refused():
    with pytest.raises(ValueError, match="at least one grain and one crystal, got n=0"):
        random_grains(0, IRON, 10.0, np.random.default_rng(0))
    with pytest.raises(ValueError, match="and 0 crystals"):
        random_grains(3, [], 10.0, np.random.default_rng(0))


def test_grains_take_crystals_in_turns():
    grains = random_grains(5, [IRON, COPPER], 30.0, np.random.default_rng(0))
    assert [grain.crystal is IRON for grain in grains] == [True, False, True, False, True]


def test_areas_of_faces_are_those_of_layers_of_points() -> None:
    edges, rng = np.array([20.0, 25.0, 30.0]), np.random.default_rng(3)
    seeds = rng.random((4, 3)) * edges
    cells = voronoi_cells(edges, seeds)
    area = sum(cell.face_areas_angstrom2().sum() for cell in cells) / 2
    points = rng.random((400_000, 3)) * edges
    nearest = np.argmin([np.linalg.norm((points - s + edges / 2) % edges - edges / 2, axis=1) for s in seeds], axis=0)
    within = 0
    for number, cell in enumerate(cells):
        mine = points[nearest == number]
        relative = (mine - seeds[number] + edges / 2) % edges - edges / 2
        within += np.count_nonzero((cell.distances_angstrom - relative @ cell.normals.T).min(axis=1) < 0.2)
    # A layer of 0.2 Angstrom on each side; where faces meet it is counted once.
    assert within / len(points) * edges.prod() / 0.4 == pytest.approx(area, rel=0.04)


def test_faces_of_a_cube_in_its_images() -> None:
    (cell,) = voronoi_cells(10.0, np.array([[1.0, 2.0, 3.0]]))
    assert cell.face_areas_angstrom2() == pytest.approx(np.full(6, 100.0))
