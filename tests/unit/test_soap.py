import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.spatial.transform import Rotation

from gbscape import native
from gbscape.config.soap import Soap, SoapParameters
from gbscape.features import soap_native
from gbscape.features.names import soap_names
from gbscape.features.representation import featurize
from gbscape.features.soap import averaged_power_spectra, power_spectrum, power_spectrum_chunks
from gbscape.structure.bicrystal import build_bicrystal, remove_overlaps

SIGMA_5_TILT = SimpleNamespace(left=[[6, 2, 0], [-2, 6, 0], [0, 0, 2]], right=[[6, -2, 0], [2, 6, 0], [0, 0, 2]])


def parameters(**changes):
    return SoapParameters(**{"n_max": 6, "l_max": 5, "cutoff_angstrom": 4.0, "sigma_angstrom": 0.5, **changes})


SMALL = parameters()
TWO_SPECIES = parameters(neighbour_species=("Ni", "Fe"))


def structure(seed, n=12, pbc=(True, True, True), species=("Ni", "Fe")):
    """Atoms in a small oblique cell, at least 1 Angstrom apart, images included."""
    random = np.random.default_rng(seed)
    cell = np.diag(random.uniform(3.2, 6.0, 3)) + random.uniform(-1.2, 1.2, (3, 3))
    atoms = Atoms(cell=cell, pbc=pbc)
    while len(atoms) < n:
        trial = atoms + Atoms(random.choice(species), positions=[random.uniform(-0.5, 1.5, 3) @ cell])
        if len(trial) == 1 or trial.get_distances(-1, range(len(atoms)), mic=True).min() > 1.0:
            atoms = trial
    return atoms


periodicities = st.tuples(st.booleans(), st.booleans(), st.booleans())


@settings(max_examples=25)
@given(seed=st.integers(0, 2**16), mirror=st.booleans(), pbc=periodicities)
def test_rotations_and_reflections_do_not_matter(seed, mirror, pbc):
    atoms = structure(seed, pbc=pbc)
    rotation = Rotation.random(rng=np.random.default_rng(seed)).as_matrix() * (-1 if mirror else 1)
    turned = Atoms(atoms.symbols, positions=atoms.positions @ rotation, cell=atoms.cell.array @ rotation, pbc=pbc)
    before = power_spectrum(atoms, TWO_SPECIES)
    np.testing.assert_allclose(power_spectrum(turned, TWO_SPECIES), before, atol=1e-12)
    assert np.ptp(before, axis=0).max() > 1e-3  # the atoms do differ


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**16),
    shift=st.tuples(*[st.floats(-30, 30)] * 3),
    repeat=st.tuples(*[st.integers(1, 3)] * 3),
    pbc=periodicities,
)
def test_translation_repetition_and_permutation_do_not_matter(seed, shift, repeat, pbc):
    atoms = structure(seed, n=6, pbc=pbc)
    expected = power_spectrum(atoms, TWO_SPECIES)
    repeat = [n if periodic else 1 for n, periodic in zip(repeat, pbc, strict=True)]
    other = atoms.repeat(repeat)
    other.positions += shift
    order = np.random.default_rng(seed).permutation(len(other))
    vectors = power_spectrum(other[order], TWO_SPECIES, np.argsort(order))
    np.testing.assert_allclose(vectors, np.tile(expected, (np.prod(repeat), 1)), atol=1e-11)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**16), factors=st.tuples(*[st.integers(-2, 2)] * 3))
def test_the_choice_of_lattice_vectors_does_not_matter(seed, factors):
    atoms = structure(seed)
    shear = np.array([[1, factors[0], factors[1]], [0, 1, factors[2]], [0, 0, 1]])
    other = Atoms(atoms.symbols, positions=atoms.positions, cell=shear @ atoms.cell.array, pbc=True)
    np.testing.assert_allclose(power_spectrum(other, TWO_SPECIES), power_spectrum(atoms, TWO_SPECIES), atol=1e-11)


@pytest.mark.parametrize("pbc", [(False, True, True), (False, False, True), (False, False, False)])
def test_cell_vectors_of_directions_that_are_not_periodic_do_not_matter(pbc):
    atoms = structure(3, pbc=pbc)
    expected = power_spectrum(atoms, TWO_SPECIES)
    for vector in ([0, 0, 0], [0.1, 0, 0], [300, 20, 0]):
        other = atoms.copy()
        other.cell[np.flatnonzero(~other.pbc)] = vector
        np.testing.assert_allclose(power_spectrum(other, TWO_SPECIES), expected, atol=1e-13)


def test_any_unit_of_length_will_do():
    atoms = structure(5)
    small = atoms.copy()
    small.set_cell(atoms.cell * 0.005, scale_atoms=True)
    lengths = {"cutoff_angstrom": 3.0, "sigma_angstrom": 0.5, "cutoff_transition_width_angstrom": 2.0}
    expected = power_spectrum(atoms, TWO_SPECIES.model_copy(update=lengths))
    scaled = parameters(neighbour_species=("Ni", "Fe"), **{name: 0.005 * length for name, length in lengths.items()})
    np.testing.assert_allclose(power_spectrum(small, scaled), expected, atol=1e-9)


def test_widely_scattered_atoms_cost_no_memory_and_see_nothing():
    atoms = Atoms("Ni3", positions=[[0, 0, 0], [1e7, 0, 0], [0, 1e7, -1e7]])
    vectors = power_spectrum(atoms, SMALL)
    alone = power_spectrum(Atoms("Ni"), SMALL)
    np.testing.assert_array_equal(vectors, np.tile(alone, (3, 1)))
    assert not power_spectrum(atoms, parameters(central_weight=0.0)).any()


def test_centres_of_any_species_by_mask_or_by_indices_in_any_order():
    atoms = structure(5)
    assert {"Ni", "Fe"} <= set(atoms.symbols)
    every = power_spectrum(atoms, TWO_SPECIES)
    iron = atoms.symbols == "Fe"
    np.testing.assert_allclose(power_spectrum(atoms, TWO_SPECIES, iron), every[iron], atol=1e-13)
    chosen = [7, 0, 3]
    np.testing.assert_allclose(power_spectrum(atoms, TWO_SPECIES, chosen), every[chosen], atol=1e-13)
    # the vectors of one species' neighbours are a part of those of both
    one = power_spectrum(atoms, parameters(neighbour_species=("Fe",), normalise=False, central_weight=0.0))
    both = power_spectrum(atoms, parameters(neighbour_species=("Fe", "Ni"), normalise=False, central_weight=0.0))
    np.testing.assert_allclose(one[:, :-1], both[:, : one.shape[1] - 1], rtol=1e-12)
    assert not one[:, -1].any()


def test_shape_norm_and_names():
    atoms = structure(1)
    vectors = power_spectrum(atoms, TWO_SPECIES)
    assert vectors.shape == (len(atoms), TWO_SPECIES.n_features) == (len(atoms), 12 * 13 // 2 * 6 + 1)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0)
    assert (vectors[:, -1] == 0).all()
    free = power_spectrum(atoms, TWO_SPECIES.model_copy(update={"normalise": False}))
    np.testing.assert_allclose(free / np.linalg.norm(free, axis=1)[:, None], vectors, atol=1e-14)
    assert len(np.unique(np.linalg.norm(free, axis=1).round(6))) == len(atoms)
    names = soap_names(TWO_SPECIES)
    assert len(names) == len(set(names)) == vectors.shape[1]
    assert names[0] == "p[Ni1,Ni1,l=0]"
    assert names[-2] == "p[Fe6,Fe6,l=5]"
    # the diagonal components of the density's expansion are sums of squares
    diagonal = [
        i for i, name in enumerate(names) for s in ("Ni", "Fe") for a in range(1, 7) if f"[{s}{a},{s}{a}," in name
    ]
    assert len(diagonal) == 12 * 6
    assert (vectors[:, diagonal] >= 0).all()
    assert (vectors < 0).any()
    assert soap_names(SMALL)[6] == "p[2,1,l=0]"


def test_averages_are_those_of_the_vectors():
    atoms = structure(2, n=9)
    vectors = power_spectrum(atoms, TWO_SPECIES, [1, 4, 2])
    mean = power_spectrum(atoms, TWO_SPECIES.model_copy(update={"averaging": "spectra"}), [1, 4, 2])
    np.testing.assert_allclose(mean, vectors.mean(axis=0), atol=1e-14)
    coefficients = TWO_SPECIES.model_copy(update={"averaging": "coefficients"})
    np.testing.assert_allclose(power_spectrum(atoms, coefficients, [4]), vectors[1], atol=1e-14)
    assert np.abs(power_spectrum(atoms, coefficients, [1, 4, 2]) - mean).max() > 1e-3


@pytest.mark.parametrize("averaging", ["none", "spectra", "coefficients"])
@pytest.mark.parametrize("pbc", [True, False])
def test_the_number_of_threads_does_not_matter(averaging, pbc):
    atoms = bulk("Ni", cubic=True) * 4
    atoms.rattle(0.1, seed=0)
    atoms.pbc = pbc
    chosen = parameters(averaging=averaging)
    one = power_spectrum(atoms, chosen)
    for threads in (2, 5):
        np.testing.assert_array_equal(power_spectrum(atoms, chosen, threads=threads), one)


def test_chunks_hold_every_centre_once_with_its_vector_whatever_their_size():
    atoms = bulk("Ni", cubic=True) * 4
    atoms.rattle(0.1, seed=0)
    centres = np.random.default_rng(0).permutation(len(atoms))[:200]
    expected = power_spectrum(atoms, SMALL, centres)
    for chunk_size, threads in ((1, 1), (64, 2), (7, 1), (1000, 3)):
        seen = []
        for indices, vectors in power_spectrum_chunks(atoms, SMALL, centres, chunk_size=chunk_size, threads=threads):
            assert len(indices) == len(vectors) <= chunk_size
            seen.append(indices)
            rows = [np.flatnonzero(centres == i)[0] for i in indices]
            np.testing.assert_array_equal(vectors, expected[rows])
        assert sorted(np.concatenate(seen)) == sorted(centres)


def test_chunks_are_those_of_the_atoms_as_they_were():
    atoms = structure(2, n=30)
    expected = power_spectrum(atoms, TWO_SPECIES)
    for indices, vectors in power_spectrum_chunks(atoms, TWO_SPECIES, chunk_size=7):
        np.testing.assert_array_equal(vectors, expected[indices])
        atoms.positions += 0.3


@pytest.mark.parametrize("columns", [1, 8, 39, 100])
def test_projection_is_the_product_with_the_full_vectors(columns):
    atoms = structure(4) * 3
    projection = np.random.default_rng(columns).normal(size=(SMALL.n_features, columns))
    atoms.symbols[:] = "Ni"
    expected = power_spectrum(atoms, SMALL) @ projection
    np.testing.assert_allclose(power_spectrum(atoms, SMALL, projection=projection), expected, atol=1e-12)
    np.testing.assert_array_equal(
        power_spectrum(atoms, SMALL, projection=projection, threads=3),
        power_spectrum(atoms, SMALL, projection=projection),
    )
    for indices, vectors in power_spectrum_chunks(atoms, SMALL, projection=projection, chunk_size=13):
        np.testing.assert_allclose(vectors, expected[indices], atol=1e-12)
    mean = power_spectrum(atoms, parameters(averaging="spectra"), projection=projection)
    np.testing.assert_allclose(mean, expected.mean(axis=0), atol=1e-12)


MEMORY = """
import re, numpy as np
from ase import Atoms
from gbscape.config.soap import SoapParameters
from gbscape.features.soap import power_spectrum, power_spectrum_chunks
parameters = SoapParameters(n_max=10, l_max=6, cutoff_angstrom=4.0, sigma_angstrom=0.5)
sites = np.indices((50, 50, 50)).reshape(3, -1).T * 2.3 + np.random.default_rng(0).uniform(0, 0.4, (125000, 3))
atoms = Atoms(numbers=np.full(len(sites), 26), positions=sites, cell=[115.0] * 3, pbc=True)
projection = np.ones((parameters.n_features, 2))
power_spectrum(atoms, parameters, [0], projection=projection)
# not ru_maxrss, which is no less than that of the process that started this one
peak = lambda: 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
before = peak()
vectors = power_spectrum(atoms, parameters, projection=projection)
for indices, full in power_spectrum_chunks(atoms, parameters, chunk_size=1000):
    np.testing.assert_allclose((full @ projection), vectors[indices], rtol=1e-9)
print((peak() - before - vectors.nbytes) / len(atoms))
"""


def test_many_atoms_never_have_their_full_vectors_in_memory_at_once():
    run = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    assert float(run.stdout) < 500  # bytes an atom; a full vector has 3088


def boxes(seed=0, n=5):
    random = np.random.default_rng(seed)
    crystal = bulk("Cu", cubic=True) * 5
    crystal.rattle(0.1, seed=seed)
    corners = random.uniform(0, 8, (n, 3))
    return [crystal.positions[((crystal.positions - low) % 18 < 8.5).all(axis=1)] for low in corners]


@pytest.mark.parametrize("averaging", ["spectra", "coefficients"])
def test_averages_of_boxes_are_those_of_single_structures(averaging):
    chosen = parameters(averaging=averaging, cutoff_angstrom=2.0, sigma_angstrom=0.2, central_weight=0.0)
    positions = boxes()
    scales = 1 / np.linspace(2.3, 2.7, len(positions))
    expected = [
        power_spectrum(Atoms(f"Cu{len(p)}", positions=p * scale), chosen)
        for p, scale in zip(positions, scales, strict=True)
    ]
    vectors = averaged_power_spectra(positions, chosen, scale=scales)
    np.testing.assert_allclose(vectors, expected, atol=1e-12)
    np.testing.assert_array_equal(averaged_power_spectra(positions, chosen, scale=scales, threads=3), vectors)
    atoms = [Atoms(f"Cu{len(p)}", positions=p) for p in positions]
    np.testing.assert_array_equal(averaged_power_spectra(atoms, chosen, scale=scales), vectors)
    assert averaged_power_spectra([], chosen).shape == (0, chosen.n_features)


def test_averages_of_structures_with_a_cell_and_two_species():
    chosen = parameters(averaging="coefficients", neighbour_species=("Fe",), central_weight=0.0)
    structures = [structure(seed, pbc=pbc) for seed, pbc in enumerate([True, (True, False, True), False])]
    expected = [power_spectrum(atoms, chosen, atoms.symbols == "Ni") for atoms in structures]
    np.testing.assert_allclose(averaged_power_spectra(structures, chosen, centre_species="Ni"), expected, atol=1e-12)


@pytest.mark.parametrize("averaging", ["spectra", "coefficients"])
def test_structures_do_not_see_the_species_of_those_before_them(averaging):
    chosen = parameters(averaging=averaging, neighbour_species=("Ni", "Fe"))
    structures = [structure(1), structure(2, species=("Ni",)), structure(3, species=("Fe",)), structure(4)]
    expected = [power_spectrum(atoms, chosen) for atoms in structures]
    np.testing.assert_allclose(averaged_power_spectra(structures, chosen), expected, atol=1e-12)


def test_odd_orders_of_mean_coefficients_vanish_for_one_species():
    chosen = parameters(averaging="coefficients")
    vector = averaged_power_spectra(boxes(n=1), chosen)[0]
    by_order = vector[:-1].reshape(-1, 6)
    assert not by_order[:, 1::2].any()
    assert (np.abs(by_order[:, ::2]).max(axis=0) > 1e-4).all()


def levels():
    own = native.load("gbscape.native.cpu").gbscape_simd_level()
    return [name for level, name in native.LEVELS.items() if level <= own]


@pytest.mark.parametrize("build", levels())
def test_all_builds_that_this_processor_runs_agree(build, monkeypatch):
    atoms = bulk("Ni", cubic=True) * 2
    atoms.rattle(0.1, seed=0)
    atoms.symbols[::3] = "Fe"
    chosen = parameters(n_max=11, l_max=9, neighbour_species=("Fe", "Ni"))
    projection = np.random.default_rng(0).normal(size=(chosen.n_features, 39))
    box_parameters = parameters(averaging="coefficients")

    def results():
        yield power_spectrum(atoms, chosen)
        yield power_spectrum(atoms, chosen, projection=projection)
        yield power_spectrum(atoms, chosen.model_copy(update={"averaging": "coefficients"}))
        yield averaged_power_spectra(boxes(), box_parameters)

    best = list(results())
    monkeypatch.setattr(soap_native, "load", lambda module: native._open(module, build))
    for result, expected in zip(results(), best, strict=True):
        np.testing.assert_allclose(result, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cutoff_transition_width_angstrom": 4.0}, "must be smaller than the cut-off, 4"),
        ({"sigma_angstrom": 0.001}, "sigma_angstrom=0.001 is too narrow for cutoff_angstrom=4: the least is 0.01"),
        ({"neighbour_species": ()}, "at least 1 item"),
        ({"neighbour_species": ("Fe", "Fe")}, "may be named once"),
        ({"neighbour_species": ("Fe", "nickel")}, "should match pattern"),
        ({"central_weight": -1}, "greater than or equal to 0"),
    ],
)
def test_impossible_parameters_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        parameters(**changes)


def _spoil(name):
    atoms = structure(1, species=("Ni",))
    if name == "species":
        atoms.symbols[0] = "Cu"
    elif name == "coincide":
        atoms.positions[4] = atoms.positions[9] + atoms.cell[1]  # on an image of another atom
    elif name == "nan":
        atoms.positions[7, 2] = np.inf
    elif name == "period":
        atoms.cell[1] = 0
    elif name == "flat":
        atoms.cell[1] = 2 * atoms.cell[0]
    return atoms


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("species", "the structure has Cu, Ni: neighbour_species must say"),
        ("coincide", "atom [49] is less than 0.001 from another"),
        ("nan", "position 7 is not finite"),
        ("period", "need linearly independent cell vectors"),
        ("flat", "need linearly independent cell vectors"),
    ],
)
def test_structures_that_cannot_be_described_are_refused(name, message):
    with pytest.raises(ValueError, match=message):
        power_spectrum(_spoil(name), SMALL)


@pytest.mark.parametrize(
    ("centres", "message"),
    [
        ([], "at least one index"),
        ([0.5], "at least one index"),
        ([3, 3], "distinct"),
        ([-1], "distinct and from 0"),
        ([10**6], "distinct and from 0"),
        (np.ones(3, dtype=bool), "a mask of centres must have shape"),
        (np.zeros(12, dtype=bool), "at least one index"),
    ],
)
def test_wrong_centres_are_refused(centres, message):
    atoms = structure(1)
    assert len(atoms) == 12
    with pytest.raises(ValueError, match=message):
        power_spectrum(atoms, TWO_SPECIES, np.array(centres))


def test_wrong_arguments_are_refused():
    atoms = structure(1, species=("Ni",))
    with pytest.raises(ValueError, match="unknown SOAP engine 'abacus'; allowed: 'native', 'torch', 'quippy'"):
        power_spectrum(atoms, SMALL, engine="abacus")
    with pytest.raises(ValueError, match="no element has the symbol Xy"):
        power_spectrum(atoms, parameters(neighbour_species=("Ni", "Xy")))
    with pytest.raises(ValueError, match="threads must be at least 1"):
        power_spectrum(atoms, SMALL, threads=0)
    with pytest.raises(ValueError, match=r"the projection must have shape \(127, k\), got \(126, 3\)"):
        power_spectrum(atoms, SMALL, projection=np.ones((126, 3)))
    with pytest.raises(ValueError, match="chunk_size must be at least 1"):
        power_spectrum_chunks(atoms, SMALL, chunk_size=0)
    mean = parameters(averaging="coefficients")
    with pytest.raises(ValueError, match="averaging must be 'none', got 'coefficients'"):
        power_spectrum_chunks(atoms, mean)
    with pytest.raises(ValueError, match="must ask for an average"):
        averaged_power_spectra([atoms], SMALL)
    for scale in (0.0, [1.0, 2.0], np.nan):
        with pytest.raises(ValueError, match="scale must be one positive number or 1 of them"):
            averaged_power_spectra([atoms], mean, scale=scale)
    with pytest.raises(ValueError, match="structure 1 has no Fe"):
        averaged_power_spectra(
            [structure(1), atoms], parameters(averaging="spectra", neighbour_species=("Ni",)), centre_species="Fe"
        )
    with pytest.raises(ValueError, match="structure 0 is given by positions alone"):
        averaged_power_spectra([atoms.positions], mean, centre_species="Fe")
    for wrong in (np.ones((3, 2)), np.arange(6.0), np.ones((2, 1, 3))):
        with pytest.raises(ValueError, match=r"positions of structure 1 must have shape \(n, 3\), got"):
            averaged_power_spectra([atoms.positions, wrong], mean)
    twice = np.array([[0, 0, 0], [3, 0, 0], [0, 3, 0], [3, 0, 1e-5]])
    with pytest.raises(ValueError, match=r"atom [13] of structure 1 is less than 0.001 from another"):
        averaged_power_spectra([twice[:3], twice], mean)


def slab(half_thickness=12.0):
    atoms = build_bicrystal(SIGMA_5_TILT, "fcc", 3.52, "Ni", half_thickness)
    atoms = remove_overlaps(atoms, 1.8)
    atoms.rattle(0.05, seed=3)
    return atoms


def middle(atoms, within=4.0):
    return np.abs(atoms.positions[:, 0]) < within


def test_both_grains_of_a_boundary_are_the_same_crystal():
    atoms = remove_overlaps(build_bicrystal(SIGMA_5_TILT, "fcc", 3.52, "Ni", 25.0), 1.8)
    expected = power_spectrum(bulk("Ni", a=3.52), SMALL)
    x = atoms.positions[:, 0]
    vectors = power_spectrum(atoms, SMALL, (np.abs(x) > 13) & (np.abs(x) < 18))
    np.testing.assert_allclose(vectors, np.broadcast_to(expected, vectors.shape), atol=1e-9)
    assert np.abs(power_spectrum(atoms, SMALL, np.abs(x) < 1) - expected).max() > 1e-3


def test_neighbours_beyond_the_selection_count():
    atoms = slab()
    mask = middle(atoms)
    nearest = np.flatnonzero(~mask)[np.abs(atoms.positions[~mask, 0]).argmin()]
    vectors = power_spectrum(atoms, SMALL, mask)
    atoms.positions[nearest] += 0.3
    assert np.abs(power_spectrum(atoms, SMALL, mask) - vectors).max() > 1e-3


def test_boundaries_whose_neighbourhoods_would_see_vacuum_are_refused():
    atoms = slab()
    with pytest.raises(
        ValueError, match=r"cut-off 9 Angstrom.*would see vacuum.*half_thickness_angstrom of at least 1\d\.\d"
    ):
        featurize(atoms, middle(atoms), Soap(n_max=4, l_max=4, cutoff_angstrom=9.0))
    small = Soap(n_max=4, l_max=4, cutoff_angstrom=4.0)
    edge = np.sort(atoms.positions[:, 0])[-1] - 4.0  # the last centre whose sphere just stays inside
    x = atoms.positions[:, 0]
    featurize(atoms, (x > 0) & (x <= edge), small)
    with pytest.raises(ValueError, match="would see vacuum"):
        featurize(atoms, (x > 0) & (x <= x[x > edge].min()), small)


def _spoil_slab(name):
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
    atoms = _spoil_slab(name)
    with pytest.raises(ValueError, match=message):
        featurize(atoms, middle(atoms, 1.0), Soap(n_max=4, l_max=4, cutoff_angstrom=4.0))
