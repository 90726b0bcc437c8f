"""SOAP against its definition and against quippy.

By quadrature: no Bessel function, no spherical-harmonic addition theorem. The density of Gaussians is summed at the points of
a product rule on spheres of the basis' radii and projected on spherical harmonics there; between the spheres it is
interpolated by Gaussians, whose overlaps are integrated numerically.

By sums: complex spherical harmonics of SciPy and the radial functions (themselves checked elsewhere), a neighbour after the
other. This serves where the Gaussians are so wide that the quadrature's interpolation loses digits.
"""

import itertools

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from scipy.integrate import quad_vec
from scipy.special import sph_harm_y

from gbscape.config.quippy_range import LARGEST_ERROR, quippy_error
from gbscape.config.soap import Soap, SoapParameters
from gbscape.features.radial_basis import central_coefficients, radial_expansion
from gbscape.features.soap import averaged_power_spectra, power_spectrum
from gbscape.features.soap_quippy import _descriptor, _for_quippy


def parameters(n_max, l_max, cutoff, sigma, **others):
    return SoapParameters(n_max=n_max, l_max=l_max, cutoff_angstrom=cutoff, sigma_angstrom=sigma, **others)


def power_spectrum_by_quadrature(neighbours, p):
    """Power spectrum of an atom at the origin with neighbours (n, 3)."""
    alpha = 0.5 / p.sigma_angstrom**2
    n, cutoff, width = p.n_max, p.cutoff_angstrom, p.cutoff_transition_width_angstrom
    radii = np.arange(n) * (cutoff + p.sigma_angstrom * np.sqrt(2 * 10 * np.log(10))) / n
    cosine, weight = np.polynomial.legendre.leggauss(64)
    phi = np.arange(128) * 2 * np.pi / 128
    theta, phi = (grid.ravel() for grid in np.meshgrid(np.arccos(cosine), phi, indexing="ij"))
    weight = np.repeat(weight * 2 * np.pi / 128, 128)
    sphere = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=1)
    r = np.linalg.norm(neighbours, axis=1)
    inside = r < cutoff
    fade = np.where(r < cutoff - width, 1, 0.5 * (1 + np.cos(np.pi * (r - cutoff + width) / width)))[inside]
    density = np.stack(
        [
            np.exp(-alpha * radius**2)
            + np.exp(-alpha * ((radius * sphere[:, None] - neighbours[inside]) ** 2).sum(axis=2)) @ fade
            for radius in radii
        ]
    )
    interpolate = np.exp(-alpha * (radii[:, None] - radii) ** 2)
    overlap, _ = quad_vec(
        lambda r: r**2 * np.exp(-alpha * ((r - radii[:, None]) ** 2 + (r - radii) ** 2)),
        0,
        radii[-1] + 12 * p.sigma_angstrom,
        epsrel=1e-13,
    )
    orthonormal = np.linalg.solve(interpolate, np.linalg.cholesky(overlap)).T
    first, second = np.tril_indices(n)
    spectrum = np.empty((len(first), p.l_max + 1))
    for order in range(p.l_max + 1):
        harmonics = np.stack([sph_harm_y(order, m, theta, phi) for m in range(-order, order + 1)])
        c = orthonormal @ (density @ (weight * harmonics.conj()).T)
        both = (c @ c.conj().T).real / np.sqrt(2 * order + 1)
        spectrum[:, order] = both[first, second] * np.where(first == second, 1, np.sqrt(2))
    return spectrum.ravel() / np.linalg.norm(spectrum)


def environment(seed=0, rattle=0.15, scale=1.0):
    """Neighbours of an atom in distorted Ni, and the same as a slab with the atom's index."""
    crystal = bulk("Ni", a=3.52 * scale, cubic=True) * 5
    crystal.rattle(rattle, seed=seed)
    centre = int(np.linalg.norm(crystal.positions - crystal.positions.mean(axis=0), axis=1).argmin())
    slab = Atoms(crystal.symbols, positions=crystal.positions, cell=[0, 60, 60], pbc=(False, True, True))
    return np.delete(crystal.positions, centre, axis=0) - crystal.positions[centre], slab, centre


@pytest.mark.parametrize("engine", ["native", "quippy"])
@pytest.mark.parametrize(
    "settings",
    [
        parameters(4, 3, 4.0, 0.5),
        parameters(6, 6, 4.5, 0.7, cutoff_transition_width_angstrom=1.2),
        parameters(12, 12, 7.0, 0.7),
        parameters(18, 18, 5.0, 0.5),
    ],
    ids=["coarse", "wide", "widest default scale", "default"],
)
def test_engines_agree_with_quadrature(settings, engine):
    neighbours, slab, centre = environment()
    expected = power_spectrum_by_quadrature(neighbours, settings)
    vector = power_spectrum(slab, settings, [centre], engine)[0]
    np.testing.assert_allclose(vector[:-1], expected, atol=1e-8)
    assert vector[-1] == 0


@pytest.mark.parametrize("sigma", [0.5, 0.6, 0.65, 0.7, 0.8, 1.0])
def test_estimated_error_tells_where_quippy_breaks_down(sigma):
    """Perfect fcc with its nearest neighbours 2 Angstrom away, n_max = l_max = 18, cut-off 5 Angstrom."""
    neighbours, slab, centre = environment(rattle=0.0, scale=2.0001 / (3.52 / np.sqrt(2)))
    settings = parameters(18, 18, 5.0, sigma)
    part, _ = _for_quippy(slab, np.array([centre]), 5.0)
    vector = _descriptor(settings, np.array([28]), [28]).calc(part, args_str="atom_mask_name=chosen")["data"][0, :-1]
    error = np.linalg.norm(vector - power_spectrum_by_quadrature(neighbours, settings))
    estimate = quippy_error(18, 18, 5.0, sigma)
    assert (estimate <= LARGEST_ERROR) == (error <= LARGEST_ERROR) == (sigma <= 0.65)
    if error > 1e-7:
        assert 0.1 < estimate / error < 10
    if sigma > 0.65:
        with pytest.raises(ValueError, match="quippy's power spectrum would be wrong by about"):
            power_spectrum(slab, settings, [centre], "quippy")
    np.testing.assert_allclose(
        power_spectrum(slab, settings, [centre])[0], power_spectrum_by_sums(slab, settings, [centre])[0], atol=1e-9
    )


def test_quippy_is_refused_where_atoms_are_too_close_for_its_accuracy():
    """The settings are sound down to 2 Angstrom; nearer atoms need a narrower Gaussian or a lower order."""
    atoms = Atoms("Ni2", positions=[[0, 0, 0], [1.2, 0, 0]])
    settings = Soap(n_max=18, l_max=18, cutoff_angstrom=5.0, sigma_angstrom=0.6, engine="quippy").parameters()
    with pytest.raises(ValueError, match=r"an atom 1.20 Angstrom from another .* choose another engine"):
        power_spectrum(atoms, settings, engine="quippy")
    power_spectrum(atoms, parameters(6, 5, 4.0, 0.5, averaging="spectra"), engine="quippy")


def power_spectrum_by_sums(atoms, p, centres):
    """Power spectra, or that of the mean coefficients, by direct sums over the images of all atoms."""
    species = p.neighbour_species or (atoms.get_chemical_symbols()[0],)
    reach = [
        int(np.ceil(p.cutoff_angstrom * np.linalg.norm(height))) + 2 if periodic else 0
        for height, periodic in zip(np.linalg.pinv(atoms.cell.array).T, atoms.pbc, strict=True)
    ]
    shifts = [np.array(n) @ atoms.cell.array for n in itertools.product(*(range(-r, r + 1) for r in reach))]
    images = np.concatenate([atoms.positions + shift for shift in shifts])
    symbols = np.tile(atoms.get_chemical_symbols(), len(shifts))
    coefficients = np.zeros((len(centres), len(species), p.n_max, (p.l_max + 1) ** 2), dtype=complex)
    for i, centre in enumerate(centres):
        for s, symbol in enumerate(species):
            vectors = images[symbols == symbol] - atoms.positions[centre]
            distances = np.linalg.norm(vectors, axis=1)
            near = (distances < p.cutoff_angstrom) & (distances > 1e-6)
            vectors, distances = vectors[near], distances[near]
            radial = radial_expansion(
                distances, p.n_max, p.l_max, p.cutoff_angstrom, p.sigma_angstrom, p.cutoff_transition_width_angstrom
            )
            theta, phi = np.arccos(vectors[:, 2] / distances), np.arctan2(vectors[:, 1], vectors[:, 0])
            for order in range(p.l_max + 1):
                for m in range(-order, order + 1):
                    harmonic = sph_harm_y(order, m, theta, phi).conj()
                    coefficients[i, s, :, order**2 + order + m] = harmonic @ radial[:, order]
            if len(species) == 1 or symbol == atoms.symbols[centre]:
                coefficients[i, s, :, 0] += p.central_weight * central_coefficients(
                    p.n_max, p.cutoff_angstrom, p.sigma_angstrom
                )
    if p.averaging == "coefficients":
        coefficients = coefficients.mean(axis=0, keepdims=True)
    flat = coefficients.reshape(len(coefficients), len(species) * p.n_max, -1)
    first, second = np.tril_indices(flat.shape[1])
    weight = np.where(first == second, 1, np.sqrt(2))
    spectra = np.zeros((len(flat), len(first), p.l_max + 1))
    for order in range(p.l_max + 1):
        c = flat[:, :, order**2 : (order + 1) ** 2]
        product = np.einsum("iam,ibm->iab", c, c.conj()).real / np.sqrt(2 * order + 1)
        spectra[:, :, order] = product[:, first, second] * weight
    vectors = np.pad(spectra.reshape(len(flat), -1), ((0, 0), (0, 1)))
    if p.normalise:
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    if p.averaging == "spectra":
        vectors = vectors.mean(axis=0, keepdims=True)
    return vectors if p.averaging == "none" else vectors[0]


def oblique_alloy():
    """Nine atoms of three species in an oblique cell shorter than the cut-offs."""
    atoms = Atoms(
        "NiFeNiAlNiFeNiFeAl",
        scaled_positions=[[i / 9, (2 * i % 9) / 9, (4 * i % 9) / 9] for i in range(9)],
        cell=[[4.6, 0, 0], [1.5, 4.4, 0], [-0.9, 1.1, 4.7]],
        pbc=True,
    )
    atoms.rattle(0.05, seed=1)
    return atoms


def rattled(symbol, structure, a, repeat=1, pbc=True):
    atoms = bulk(symbol, structure, a=a, cubic=True) * repeat
    atoms.rattle(0.1, seed=2)
    atoms.pbc = pbc
    return atoms


SINGLE = {
    "Fe": (rattled("Fe", "bcc", 2.87, 3), parameters(10, 6, 4.0, 0.5)),
    "Fe, cell of two atoms": (rattled("Fe", "bcc", 2.87), parameters(10, 6, 4.0, 0.5)),
    "Ni": (rattled("Ni", "fcc", 3.52, 2), parameters(18, 18, 5.0, 0.5)),
    "one atom, oblique": (bulk("Ni", "fcc", a=3.52), parameters(7, 9, 6.3, 0.45)),
    "central weight": (rattled("Ni", "fcc", 3.52), parameters(5, 4, 4.0, 0.4, central_weight=0.3)),
    "no central atom": (rattled("Ni", "fcc", 3.52), parameters(5, 4, 4.0, 0.4, central_weight=0.0)),
    "not normalised": (rattled("Ni", "fcc", 3.52), parameters(5, 4, 4.0, 0.4, normalise=False)),
    "long transition": (
        rattled("Ni", "fcc", 3.52), parameters(5, 4, 4.0, 0.4, cutoff_transition_width_angstrom=3.7)
    ),
    "smallest": (rattled("Ni", "fcc", 3.52), parameters(1, 0, 3.0, 0.5)),
    "cluster": (rattled("Ni", "fcc", 3.52, 2, pbc=False), parameters(9, 6, 4.0, 0.5)),
    "layer": (rattled("Ni", "fcc", 3.52, 2, pbc=(True, False, True)), parameters(9, 6, 4.0, 0.5)),
    "wire": (rattled("Ni", "fcc", 3.52, 2, pbc=(False, True, False)), parameters(9, 6, 4.0, 0.5)),
    "two species": (oblique_alloy(), parameters(5, 4, 4.5, 0.5, neighbour_species=("Ni", "Fe"))),
    "three species": (oblique_alloy(), parameters(4, 9, 5.5, 0.5, neighbour_species=("Fe", "Al", "Ni"))),
    "one of three species": (oblique_alloy(), parameters(9, 4, 4.5, 0.5, neighbour_species=("Fe",))),
    "species without centre": (
        oblique_alloy(), parameters(4, 4, 4.5, 0.5, neighbour_species=("Fe", "Ni"), central_weight=0.0)
    ),
}  # fmt: skip


@pytest.mark.parametrize("averaging", ["none", "spectra", "coefficients"])
@pytest.mark.parametrize("name", SINGLE)
def test_native_agrees_with_quippy_and_with_sums(name, averaging):
    atoms, settings = SINGLE[name]
    settings = settings.model_copy(update={"averaging": averaging})
    centres = np.random.default_rng(0).permutation(len(atoms))
    # for mean coefficients quippy wants all atoms of a species
    of_first = (atoms.symbols == atoms.symbols[0])[centres]
    centres = centres[of_first] if averaging == "coefficients" else centres[:5]
    vectors = power_spectrum(atoms, settings, centres)
    by_quippy = power_spectrum(atoms, settings, centres, "quippy")
    by_sums = power_spectrum_by_sums(atoms, settings, centres)
    scale = np.abs(by_sums).max()
    assert vectors.shape == by_quippy.shape == by_sums.shape
    np.testing.assert_allclose(vectors, by_quippy, atol=1e-8 * scale)
    np.testing.assert_allclose(vectors, by_sums, atol=1e-9 * scale)


@pytest.mark.parametrize(
    "settings", [parameters(18, 18, 5.0, 1.0), parameters(12, 18, 6.0, 1.5), parameters(12, 30, 4.0, 1.0)]
)
def test_wide_gaussians_agree_with_sums(settings):
    """quippy is wrong there altogether."""
    atoms = rattled("Ni", "fcc", 3.52)
    expected = power_spectrum_by_sums(atoms, settings, [1, 3])
    np.testing.assert_allclose(power_spectrum(atoms, settings, [1, 3]), expected, atol=1e-9)


def test_quippy_does_not_average_coefficients_over_a_part_of_a_species():
    settings = parameters(4, 3, 4.0, 0.5, averaging="coefficients")
    with pytest.raises(ValueError, match="over all atoms of a species only; choose another engine"):
        power_spectrum(rattled("Ni", "fcc", 3.52), settings, [0, 1], "quippy")


def test_boxes_of_crystal_classification_agree_with_quippy():
    """Sharp Gaussians, lengths in units of the nearest-neighbour distance, averaged coefficients."""
    settings = parameters(9, 6, 4.0, 0.1, averaging="coefficients", central_weight=0.0)
    crystal = rattled("Ni", "fcc", 3.52, 6)
    boxes = [
        crystal[((crystal.positions > low) & (crystal.positions < low + 10.0)).all(axis=1)] for low in (1.0, 3.0, 6.5)
    ]
    distance = 3.52 / np.sqrt(2)
    vectors = averaged_power_spectra([box.positions for box in boxes], settings, scale=1 / distance)
    for box, vector in zip(boxes, vectors, strict=True):
        scaled = Atoms(box.symbols, positions=box.positions / distance)
        np.testing.assert_allclose(vector, power_spectrum(scaled, settings, engine="quippy"), atol=1e-8)
