from types import SimpleNamespace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from gbscape.config.soap import Soap
from gbscape.features.soap import feature_names, power_spectrum
from gbscape.structure.bicrystal import build_bicrystal, remove_overlaps

SIGMA_5_TILT = SimpleNamespace(left=[[6, 2, 0], [-2, 6, 0], [0, 0, 2]], right=[[6, -2, 0], [2, 6, 0], [0, 0, 2]])
SMALL = Soap(n_max=6, l_max=5, cutoff_angstrom=4.0)


def slab(half_thickness=12.0):
    atoms = build_bicrystal(SIGMA_5_TILT, "fcc", 3.52, "Ni", half_thickness)
    atoms = remove_overlaps(atoms, 1.8)
    atoms.rattle(0.05, seed=3)
    return atoms


def middle(atoms, within=4.0):
    return np.abs(atoms.positions[:, 0]) < within


def in_vacuum(positions):
    """A cluster about the origin, with two far atoms that stand for the ends of a slab."""
    ends = [[-30.0, 0, 0], [30.0, 0, 0]]
    return Atoms(f"Ni{len(positions) + 2}", positions=[*positions, *ends], cell=[60, 60, 60], pbc=(False, True, True))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**16), mirror=st.booleans())
def test_rotations_and_reflections_do_not_matter(seed, mirror):
    cluster = bulk("Ni", cubic=True) * 2
    cluster.rattle(0.2, seed=5)
    positions = cluster.positions - cluster.positions[13]
    rotation = Rotation.random(rng=np.random.default_rng(seed)).as_matrix() * (-1 if mirror else 1)
    parameters = Soap(n_max=8, l_max=8, cutoff_angstrom=4.5)
    before = power_spectrum(in_vacuum(positions), parameters, [13, 0])
    after = power_spectrum(in_vacuum(positions @ rotation.T), parameters, [13, 0])
    np.testing.assert_allclose(after, before, atol=1e-9)
    assert np.abs(before[0] - before[1]).max() > 1e-2  # the two atoms do differ


def test_both_grains_of_a_boundary_are_the_same_crystal():
    atoms = remove_overlaps(build_bicrystal(SIGMA_5_TILT, "fcc", 3.52, "Ni", 25.0), 1.8)
    crystal = bulk("Ni", a=3.52, cubic=True) * (6, 2, 2)
    crystal.pbc = (False, True, True)
    x = atoms.positions[:, 0]
    vectors = power_spectrum(atoms, SMALL, (np.abs(x) > 13) & (np.abs(x) < 18))
    expected = power_spectrum(crystal, SMALL, [int(np.abs(crystal.positions[:, 0] - 10.5).argmin())])
    np.testing.assert_allclose(vectors, np.broadcast_to(expected, vectors.shape), atol=1e-9)
    assert np.abs(power_spectrum(atoms, SMALL, np.abs(x) < 1) - expected).max() > 1e-3


@settings(max_examples=15, deadline=None)
@given(
    shift=st.tuples(*[st.floats(-30, 30)] * 3),
    repeat=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    seed=st.integers(0, 9),
)
def test_translation_repetition_and_permutation_do_not_matter(shift, repeat, seed):
    atoms = slab()
    mask = middle(atoms)
    expected = power_spectrum(atoms, SMALL, mask)
    copies = repeat[0] * repeat[1]
    other = atoms.repeat((1, *repeat))
    other.positions += shift
    order = np.random.default_rng(seed).permutation(len(other))
    vectors = power_spectrum(other[order], SMALL, np.argsort(order)[np.flatnonzero(np.tile(mask, copies))])
    np.testing.assert_allclose(vectors, np.tile(expected, (copies, 1)), atol=1e-10)


def test_cell_edge_along_x_does_not_matter():
    atoms = slab()
    expected = power_spectrum(atoms, SMALL, middle(atoms))
    for edge in (0.0, 5.0, 24.0, 300.0):
        other = atoms.copy()
        other.cell[0, 0] = edge
        np.testing.assert_allclose(power_spectrum(other, SMALL, middle(atoms)), expected, atol=1e-12)


def test_neighbours_beyond_the_selection_count():
    atoms = slab()
    mask = middle(atoms)
    nearest = np.flatnonzero(~mask)[np.abs(atoms.positions[~mask, 0]).argmin()]
    vectors = power_spectrum(atoms, SMALL, mask)
    atoms.positions[nearest] += 0.3
    assert np.abs(power_spectrum(atoms, SMALL, mask) - vectors).max() > 1e-3


def test_shape_norm_order_and_names():
    atoms = slab()
    mask = middle(atoms)
    vectors = power_spectrum(atoms, SMALL, mask)
    assert vectors.shape == (mask.sum(), 6 * 7 // 2 * 6 + 1)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0)
    assert (vectors[:, -1] == 0).all()
    chosen = np.flatnonzero(mask)[[5, 0, 9]]
    np.testing.assert_allclose(power_spectrum(atoms, SMALL, chosen), vectors[[5, 0, 9]], atol=1e-14)
    names = feature_names(SMALL)
    assert len(names) == len(set(names)) == vectors.shape[1]
    # the diagonal components of the density's expansion are sums of squares
    diagonal = [i for i, name in enumerate(names) if any(name.startswith(f"p[{a},{a},") for a in range(1, 7))]
    assert len(diagonal) == 6 * 6
    assert (vectors[:, diagonal] >= 0).all()
    assert (vectors < 0).any()


def test_neighbourhood_that_would_see_vacuum_is_refused():
    atoms = slab()
    with pytest.raises(
        ValueError, match=r"cut-off 9 Angstrom.*would see vacuum.*half_thickness_angstrom of at least 1\d\.\d"
    ):
        power_spectrum(atoms, Soap(n_max=4, l_max=4, cutoff_angstrom=9.0), middle(atoms))
    with pytest.raises(ValueError, match="would see vacuum"):
        power_spectrum(atoms, SMALL)
    edge = np.sort(atoms.positions[:, 0])[-1] - 4.0  # the last centre whose sphere just stays inside
    inside, outside = (
        np.flatnonzero(keep(atoms.positions[:, 0] - edge)) for keep in (lambda d: d <= 0, lambda d: d > 0)
    )
    inside = inside[atoms.positions[inside, 0] > 0]
    assert len(power_spectrum(atoms, SMALL, inside)) == len(inside)
    with pytest.raises(ValueError, match="would see vacuum"):
        power_spectrum(atoms, SMALL, outside[:1])


def _spoil(name):
    atoms = slab()
    if name == "species":
        atoms.symbols[0] = "Cu"
    elif name == "coincide":
        atoms.positions[4] = atoms.positions[9] + [0, 0, 3.52]  # on an image of another atom
    elif name == "nan":
        atoms.positions[7, 2] = np.inf
    elif name == "pbc":
        atoms.pbc = True
    return atoms


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("species", "one species, the slab has Cu, Ni"),
        ("coincide", r"atoms (4 and 9|9 and 4) are .* Angstrom apart"),
        ("nan", "not finite, the first is atom 7"),
        ("pbc", "periodic in y and z and not in x"),
    ],
)
def test_slabs_that_cannot_be_described_are_refused(name, message):
    with pytest.raises(ValueError, match=message):
        power_spectrum(_spoil(name), SMALL, [30])


@pytest.mark.parametrize(
    ("centres", "message"),
    [
        ([], "at least one index"),
        ([0.5], "at least one index"),
        ([3, 3], "distinct"),
        ([-1], "distinct and from 0"),
        ([10**6], "distinct and from 0"),
        (np.ones(3, dtype=bool), "a mask of centres must have shape"),
        (np.zeros(84, dtype=bool), "at least one index"),
    ],
)
def test_wrong_centres_are_refused(centres, message):
    atoms = slab()
    assert len(atoms) == 84
    with pytest.raises(ValueError, match=message):
        power_spectrum(atoms, SMALL, np.array(centres))


def test_unknown_engine_is_refused():
    with pytest.raises(ValueError, match="unknown SOAP engine 'abacus'; allowed: 'quippy'"):
        power_spectrum(slab(), SMALL, [40], engine="abacus")


def test_atoms_too_close_for_quippy_are_refused():
    """The settings are sound down to 2 Angstrom; nearer atoms need a narrower Gaussian or a lower order."""
    atoms = slab()
    core = int(np.abs(atoms.positions[:, 0]).argmin())
    neighbour = int(np.argsort(atoms.get_distances(core, range(len(atoms)), mic=True))[1])
    atoms.set_distance(core, neighbour, 1.2, fix=0, mic=True)
    parameters = Soap(n_max=18, l_max=18, cutoff_angstrom=5.0, sigma_angstrom=0.6)
    with pytest.raises(ValueError, match=r"Angstrom apart, where quippy's power spectrum would be wrong"):
        power_spectrum(atoms, parameters, [core])
    power_spectrum(atoms, SMALL, [core])
