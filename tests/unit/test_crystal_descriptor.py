"""The descriptor of ARISE: invariances, pairs of species, structures that cannot be described."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, graphene, make_supercell
from ase.data import chemical_symbols
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.spatial.transform import Rotation

from gbscape.config.crystal_descriptor import CrystalDescriptor, TrainingGrid
from gbscape.crystal.descriptor import (
    Pieces,
    describe,
    describe_one,
    describe_substructures,
    find_substructures,
    identity,
)
from gbscape.features.soap import averaged_power_spectra
from gbscape.structure.nearest_neighbours import nearest_neighbour_distance

QUICK = CrystalDescriptor(n_max=4, l_max=3, cutoff_nn=3.0, sigma_nn=0.2)


def rattled(atoms, amplitude=0.1, seed=0):
    atoms = atoms.copy()
    atoms.positions += np.random.default_rng(seed).uniform(-amplitude, amplitude, (len(atoms), 3))
    return atoms


def structures():
    salt = bulk("NaCl", "rocksalt", a=5.6, cubic=True)
    cluster = rattled(salt * (2, 2, 2))
    cluster.pbc = False
    layer = graphene(a=2.46, vacuum=6.0)
    layer.numbers[1] = 7
    layer.pbc = (True, True, False)
    wire = rattled(bulk("Fe", cubic=True) * (2, 2, 2))
    wire.pbc = (False, False, True)
    return {
        "one atom, periodic": bulk("Cu"),
        "two species, periodic": rattled(salt),
        "two species, finite": cluster,
        "one species, finite": rattled(Atoms(bulk("Si", cubic=True) * (2, 2, 2), pbc=False)),
        "layer": rattled(layer * (2, 2, 1), 0.05),
        "wire": wire,
        "three species": Atoms(
            "CsSnI3", scaled_positions=[[0, 0, 0], [0.5] * 3, [0.5, 0.5, 0], [0.5, 0, 0.52], [0, 0.5, 0.5]],
            cell=[6.1, 6.2, 6.3, 88, 91, 95], pbc=True,
        ),
    }  # fmt: skip


NAMES = list(structures())


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=5)
def test_nothing_depends_on_orientation_origin_order_scale_or_elements(name, seed):
    atoms = structures()[name]
    expected = describe_one(atoms, QUICK)
    random = np.random.default_rng(seed)
    changed = atoms[random.permutation(len(atoms))]
    rotation = Rotation.random(rng=random).as_matrix()
    factor = random.uniform(0.3, 3)
    changed.positions = (changed.positions @ rotation.T + random.uniform(-9, 9, 3)) * factor
    changed.cell = changed.cell.array @ rotation.T * factor
    species = np.unique(changed.numbers)
    others = random.choice(np.arange(1, 95), size=len(species), replace=False)
    changed.numbers = others[np.searchsorted(species, changed.numbers)]
    np.testing.assert_allclose(describe_one(changed, QUICK), expected, atol=2e-8)


@pytest.mark.parametrize("name", [name for name in NAMES if structures()[name].pbc.any()])
def test_periodic_structures_are_infinite(name):
    atoms = structures()[name]
    expected = describe_one(atoms, QUICK)
    greater = atoms.repeat([3 if along else 1 for along in atoms.pbc])
    np.testing.assert_allclose(describe_one(greater, QUICK), expected, atol=1e-9)
    if atoms.pbc.all():
        sheared = make_supercell(atoms, [[1, 2, 0], [0, 1, -3], [0, 0, 1]])
        np.testing.assert_allclose(describe_one(sheared, QUICK), expected, atol=1e-9)
    else:
        # vacuum, or the lack of it, is not seen across
        for height in (0.0, 1.0, 400.0):
            cell = atoms.cell.array.copy()
            cell[~atoms.pbc] *= height
            other = Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=cell, pbc=atoms.pbc)
            np.testing.assert_allclose(describe_one(other, QUICK), expected, atol=1e-12)


def test_an_infinite_crystal_is_the_limit_of_large_pieces():
    """The share of atoms at the surface goes with 1/n, so the vectors' angle does, and its cosine's distance from 1 with 1/n^2."""
    cell = bulk("Cu")
    infinite = describe_one(cell)
    finite = [describe_one(Atoms(cell * (n, n, n), pbc=False)) for n in (5, 10, 20)]
    away = [1 - vector @ infinite / np.linalg.norm(vector) / np.linalg.norm(infinite) for vector in finite]
    assert away[0] > 2.5 * away[1] > 7.5 * away[2]


@pytest.mark.parametrize("name", NAMES)
def test_pairs_of_species_are_averaged(name):
    atoms = structures()[name]
    species = sorted(set(atoms.symbols))
    vectors = [
        averaged_power_spectra(
            [atoms],
            QUICK.soap(neighbour),
            scale=1 / nearest_neighbour_distance(atoms, (centre, neighbour)),
            centre_species=centre,
        )[0]
        for centre in species
        for neighbour in species
    ]
    np.testing.assert_allclose(describe_one(atoms, QUICK), np.mean(vectors, axis=0), atol=1e-12)
    assert all(np.linalg.norm(vector) == pytest.approx(1) for vector in vectors)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_nearest_neighbour_distances_are_those_of_the_slower_function(seed):
    random = np.random.default_rng(seed)
    n = int(random.integers(2, 40))
    atoms = Atoms(
        numbers=random.choice([6, 7, 8], size=n),
        positions=random.uniform(0, 6, (n, 3)) * random.choice([1, 30], size=3),
        cell=random.uniform(-2, 2, (3, 3)) + 6 * np.eye(3),
        pbc=random.integers(0, 2, 3).astype(bool),
    )
    found = find_substructures([atoms])
    lonely = np.bincount(atoms.numbers)
    expected = [
        (one, other)
        for one in np.unique(atoms.numbers)
        for other in np.unique(atoms.numbers)
        if one != other or lonely[one] > 1 or atoms.pbc.any()
    ]
    assert found.pair.tolist() == [list(map(int, pair)) for pair in expected]
    for pair, distance in zip(expected, found.nearest_neighbour_distance, strict=True):
        symbols = tuple(chemical_symbols[number] for number in pair)
        assert distance == pytest.approx(nearest_neighbour_distance(atoms, symbols), rel=1e-9)


def test_a_species_with_a_single_atom_has_no_pair_with_itself():
    host = rattled(Atoms(bulk("Ni", cubic=True) * (3, 3, 3), pbc=False))
    host.symbols[50] = "Al"
    assert find_substructures([host]).pair.tolist() == [[13, 28], [28, 13], [28, 28]]
    assert np.isfinite(describe_one(host, QUICK)).all()
    host.pbc = True  # now it has: its own images
    assert find_substructures([host]).pair.tolist() == [[13, 13], [13, 28], [28, 13], [28, 28]]


def test_boxes_are_described_as_structures_are():
    atoms = structures()["two species, finite"]
    kept = [np.arange(30), np.array([], dtype=int), np.arange(20, 64), np.array([7]), np.arange(0, 64, 2)]
    joined = np.concatenate(kept)
    pieces = Pieces(np.cumsum([0, *map(len, kept)]), atoms.positions[joined], atoms.numbers[joined])
    vectors, reasons = describe(pieces, QUICK)
    expected = describe([atoms[box] for box in kept], QUICK)
    np.testing.assert_array_equal(vectors, expected.vectors)
    assert reasons == expected.reasons == {1: "no atoms", 3: "a single atom that is not periodic has no neighbours"}
    with pytest.raises(ValueError, match="ascend from 0 to the number of atoms"):
        describe(pieces._replace(offsets=pieces.offsets[:-1]), QUICK)
    with pytest.raises(ValueError, match="are needed"):
        describe(pieces._replace(numbers=pieces.numbers[:-1]), QUICK)


def test_structures_that_cannot_be_described_lose_no_others():
    good = structures()["two species, periodic"]
    twice = Atoms("NaClNa", positions=[[0, 0, 0], [3, 0, 0], [0, 0, 1e-5]])
    on_image = Atoms("Cu2", positions=[[0, 0, 0], [3, 0, 0]], cell=[3, 8, 8], pbc=True)
    across = Atoms("NaCl", positions=[[1, 1, 1], [1, 1, 1]], cell=[4, 4, 4], pbc=True)
    unknown = Atoms("XCu3", positions=np.eye(4, 3) * 2)
    not_finite = Atoms("Cu2", positions=[[0, 0, 0], [np.nan, 0, 0]])
    no_period = Atoms("Cu2", positions=[[0, 0, 0], [2, 0, 0]], cell=[0, 5, 5], pbc=True)
    flat = Atoms("Cu", cell=[[3, 0, 0], [0, 3, 0], [1, 1, 0]], pbc=True)
    # closer than a thousandth of the usual distance: no direction, so no angular momentum
    odd = Atoms("Cu4", positions=[[0, 0, 0], [0, 0, 2e-3], [100, 0, 0], [110, 0, 0]])
    bad = [
        twice,
        on_image,
        across,
        unknown,
        not_finite,
        no_period,
        flat,
        Atoms(),
        Atoms("Cu"),
        np.zeros((0, 3)),
        np.zeros((3, 2)),
    ]
    vectors, reasons = describe([good, *bad, odd, good.positions], QUICK)
    assert sorted(reasons) == list(range(1, len(bad) + 1))
    for number, words in enumerate(
        ["atoms of Na and Na are at the same place", "atoms of Cu and Cu", "atoms of Na and Cl|atoms of Cl and Na",
         "unknown species", "not finite", "linearly independent", "linearly independent", "no atoms", "single atom",
         "no atoms", r"shape \(n, 3\)"], start=1
    ):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            describe_one(bad[number - 1], QUICK)
        assert np.isnan(vectors[number]).all()
    np.testing.assert_array_equal(vectors[0], describe_one(good, QUICK))
    np.testing.assert_array_equal(vectors[-1], describe_one(good.positions, QUICK))
    assert np.isfinite(vectors[[0, -2, -1]]).all()


@pytest.mark.parametrize("scaling", [0.95, 1.0, 1.05])
def test_atoms_too_close_for_soap_are_found_before(scaling):
    """SOAP takes atoms nearer than a thousandth of its unit of length for one; just above they are two."""
    settings = QUICK.model_copy(update={"extrinsic_scaling": scaling})
    good = structures()["wire"]
    for gap in (0.9, 0.99, 1.01, 1.1, 3.0):
        found = find_substructures([good, good])
        shortest = np.array([1.0, gap * 1e-3 * scaling * found.nearest_neighbour_distance[1]])
        vectors, reasons = describe_substructures(found._replace(shortest=shortest), settings)
        assert reasons == ({1: "atoms of Fe and Fe are at the same place"} if gap < 1 else {})
        assert np.isfinite(vectors).all(axis=1).tolist() == [True, gap > 1]


def test_neighbours_beyond_the_cutoff_are_said_to_be_missing():
    pair = Atoms("Cu2", positions=[[0, 0, 0], [2, 0, 0]])
    near = CrystalDescriptor(n_max=2, l_max=1, cutoff_nn=2.0, sigma_nn=0.2, extrinsic_scaling=0.4)
    assert describe([pair], near).reasons == {0: "no Cu atom has a Cu neighbour within the cut-off"}


def test_none_of_no_structures():
    vectors, reasons = describe([], QUICK)
    assert vectors.shape == (0, QUICK.n_features)
    assert reasons == {}


def test_threads_and_company_change_nothing():
    atoms = list(structures().values())
    alone = np.array([describe_one(structure, QUICK) for structure in atoms])
    for threads in (1, 3):
        np.testing.assert_array_equal(describe(atoms, QUICK, threads).vectors, alone)
    with pytest.raises(ValueError, match="threads must be at least 1"):
        describe(atoms, QUICK, 0)


def test_substructures_serve_many_settings():
    atoms = list(structures().values())
    found = find_substructures(atoms)
    for scaling in (0.95, 1.0, 1.05):
        changed = QUICK.model_copy(update={"extrinsic_scaling": scaling, "cutoff_nn": 3.4})
        np.testing.assert_array_equal(describe_substructures(found, changed).vectors, describe(atoms, changed).vectors)


def test_extrinsic_scaling_stretches_cutoff_and_gaussians():
    """In units of d_nn x s, a cut-off of r is one of r s in units of d_nn; so are all lengths."""
    atoms = list(structures().values())
    scaled = QUICK.model_copy(update={"extrinsic_scaling": 1.05})
    stretched = QUICK.model_copy(
        update={"cutoff_nn": 3.0 * 1.05, "sigma_nn": 0.2 * 1.05, "cutoff_transition_width_nn": 0.5 * 1.05}
    )
    np.testing.assert_allclose(describe(atoms, scaled).vectors, describe(atoms, stretched).vectors, atol=1e-8)


def test_published_settings():
    assert CrystalDescriptor().n_features == 316
    grid = TrainingGrid()
    combinations = grid.settings(CrystalDescriptor())
    assert len(combinations) == len(set(combinations)) == 99
    assert {(c.n_max, c.l_max) for c in combinations} == {(9, 6)}
    assert CrystalDescriptor() in combinations
    cutoffs = sorted({c.cutoff_nn for c in combinations})
    assert cutoffs == pytest.approx(np.linspace(3, 5, 11))
    assert {c.sigma_nn for c in combinations} == {0.08, 0.1, 0.12}
    assert {c.extrinsic_scaling for c in combinations} == {0.95, 1.0, 1.05}


def test_identity_tells_settings_apart():
    identities = [identity(s) for s in (CrystalDescriptor(), QUICK, CrystalDescriptor(cutoff_transition_width_nn=0.4))]
    assert identities[0] == identity(CrystalDescriptor())
    assert all(one != other for i, one in enumerate(identities) for other in identities[:i])


@pytest.mark.parametrize(
    "wrong",
    [{"cutoff_nn": 0.4}, {"sigma_nn": 0}, {"cutoff": 4.0}, {"sigma_nn": 0.001}, {"cutoff_transition_width_nn": 4.0}],
)
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValidationError):
        CrystalDescriptor(**wrong)


def test_grid_names_each_value_once():
    with pytest.raises(ValidationError, match="once"):
        TrainingGrid(sigmas_nn=(0.1, 0.1))
