"""Oriented scattering: against rotated densities, filters rotated in Fourier space, itself by other paths, and symmetries."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.special import sph_harm_y
from test_scattering import near_boundary, slab

from gbscape.config.features import Features, expand
from gbscape.config.scattering import OrientedScattering
from gbscape.features import scattering_oriented, spectra
from gbscape.features.directions import direction_angles, distinct_directions
from gbscape.features.names import feature_names as names_of
from gbscape.features.names import scattering_names
from gbscape.features.representation import featurize
from gbscape.features.scattering import (
    boundary_scattering,
    gaussian_density,
    grid_shape,
    oriented_cell_length_angstrom,
    scatter,
    widths_angstrom,
)
from gbscape.features.scattering_oriented import (
    directions,
    oriented_samples,
    sampling_matrices,
    wavelet_coefficients,
)
from gbscape.features.wavelets import GaussianSolidHarmonics
from gbscape.features.wigner import rotation_matrix

SMALL = OrientedScattering(
    spacing_angstrom=0.5, n_scales=3, largest_width_angstrom=2.0, n_azimuthal=4, n_polar=3, samples=(16, 1, 1),
    window_angstrom=16.0, blur_angstrom=0.8, precision="double", tolerance=0,
)  # fmt: skip
CELL = np.array([6.0, 7.0, 5.0])
ODD = (15, 17, 13)  # no frequency is its own negative


def changed(parameters, **settings):
    return OrientedScattering.model_validate(parameters.model_dump() | settings)


def by_direction(vectors, parameters):
    """The paper's long form (..., directions, 1 + paths, samples): layer 0 and the moduli, for every direction."""
    _, position = distinct_directions(parameters)
    samples = int(np.prod(parameters.samples))
    parts = np.asarray(vectors).reshape(*np.shape(vectors)[:-1], -1, samples)
    moduli = parts[..., 1:, :].reshape(*parts.shape[:-2], position.max() + 1, -1, samples)[..., position, :, :]
    zeroth = np.broadcast_to(parts[..., None, :1, :], (*moduli.shape[:-2], 1, samples))
    return np.concatenate([zeroth, moduli], axis=-2)


def cloud(seed=0, atoms=8, cell=CELL, shape=ODD):
    positions = np.random.default_rng(seed).uniform(0, 1, (atoms, 3)) * cell
    return gaussian_density(positions, cell, shape, 0.5)


def rotated_filter(order, component, sigma, direction_angles, shape=ODD, cell=CELL):
    """The complex wavelet on a full grid of wave vectors, seen from its direction."""
    waves = [2 * np.pi * np.fft.fftfreq(n, length / n) for n, length in zip(shape, cell, strict=True)]
    k = np.stack(np.meshgrid(*waves, indexing="ij"))
    seen = np.einsum("ij,jxyz->ixyz", rotation_matrix(direction_angles[1], direction_angles[0], 0.0).T, k)
    length = np.linalg.norm(k, axis=0)
    theta, phi = np.arctan2(np.hypot(seen[0], seen[1]), seen[2]), np.arctan2(seen[1], seen[0])
    double_factorial = np.prod(np.arange(order + 1, 0, -2, dtype=float))
    norm = (2 * np.sqrt(np.pi) if order % 2 == 0 else np.sqrt(2) * np.pi) / np.sqrt(2 * order + 1) / double_factorial
    gaussian = norm * (length * sigma) ** order * np.exp(-0.5 * (length * sigma) ** 2)
    return gaussian * sph_harm_y(order, component, theta, phi)


@pytest.mark.parametrize(("order", "component"), [(4, 0), (3, 0), (0, 0), (4, 1), (4, 4), (3, 2)])
def test_moduli_are_those_of_rotated_filters_at_every_point(order, component):
    parameters = changed(SMALL, order=order, component=component)
    density = cloud()
    full = spectra.full_band(ODD, CELL.tolist(), torch.device("cpu"))
    family = GaussianSolidHarmonics((0.9,))
    radial = family.radial(0, order, full.squared_wave_numbers(torch.float64))
    fields = spectra.convolve(
        spectra.spectrum(torch.from_numpy(density)), ODD, full, radial * full.harmonics(order, torch.float64), order
    )
    coefficients = torch.from_numpy(wavelet_coefficients(parameters))
    moduli = scattering_oriented.combined_moduli(fields, coefficients)
    polar, azimuthal = direction_angles(parameters)
    spectrum = np.fft.fftn(density)
    for direction, modulus in enumerate(moduli):
        turned = rotated_filter(order, component, 0.9, (polar[direction], azimuthal[direction]))
        expected = np.abs(np.fft.ifftn(spectrum * turned))
        np.testing.assert_allclose(modulus, expected, atol=1e-10 * expected.max())


@pytest.mark.parametrize("component", [0, 2])
def test_directions_are_those_of_a_density_rotated_the_other_way(component):
    """A cluster turned by R^-1 under wavelets along z, integrals of |.|^q, against directions R z and the cluster itself."""
    cluster = np.random.default_rng(1).normal(size=(7, 3))
    cell, points = np.full(3, 15.0), 90
    parameters = changed(SMALL, component=component, n_scales=1, smallest_width_angstrom=0.8, n_polar=2, n_azimuthal=3)
    full = spectra.full_band((points,) * 3, cell.tolist(), torch.device("cpu"))
    radial = GaussianSolidHarmonics((0.8,)).radial(0, 4, full.squared_wave_numbers(torch.float64))
    filters = radial * full.harmonics(4, torch.float64)

    def moduli(positions, coefficients):
        density = gaussian_density(positions + 7.5, cell, (points,) * 3, 0.5)
        coefficients = torch.from_numpy(coefficients)
        fields = spectra.convolve(spectra.spectrum(torch.from_numpy(density)), density.shape, full, filters, 4)
        return scattering_oriented.combined_moduli(fields, coefficients)

    along_z = np.zeros((1, 1 if component == 0 else 2, 9))
    along_z[0, 0, 4 + component] = 1 if component == 0 else np.sqrt(0.5)
    if component:
        along_z[0, 1, 4 - component] = np.sqrt(0.5)
    combined = moduli(cluster, wavelet_coefficients(parameters))
    polar, azimuthal = direction_angles(parameters)
    integrals = {q: (combined**q).sum((1, 2, 3)) for q in (1, 2, 3)}
    for direction in range(6):
        turn = rotation_matrix(azimuthal[direction], polar[direction], 0.0)
        rotated = moduli(cluster @ turn, along_z)  # rows: R^-1 applied to each position
        for q, integral in integrals.items():
            assert float(integral[direction]) == pytest.approx(float((rotated**q).sum()), rel=3e-4), (direction, q)
    spread = integrals[1].max() / integrals[1].min() - 1
    assert spread > 0.02, "the directions do not differ, so the comparison shows nothing"


def test_the_whole_against_the_description():
    """Three layers from complex filters, direct blurring sums and samples, for one direction after the other."""
    parameters = changed(SMALL, order=2, layers=3, samples=(5, 2, 1), n_polar=2, n_azimuthal=3, window_angstrom=4.0)
    density = cloud()
    polar, azimuthal = direction_angles(parameters)
    x = CELL[0] / 2 + 4.0 * ((np.arange(5) + 0.5) / 5 - 0.5)
    y = np.arange(2) * CELL[1] / 2

    def blurred_samples(values):
        """By the Fourier series of the field, summed term by term at the samples."""
        series = np.fft.fftn(values)[:, :, 0] / values.size
        total = np.zeros((5, 2))
        for i, j in np.ndindex(series.shape):
            kx, ky = (2 * np.pi * np.fft.fftfreq(n, length / n)[index] for n, length, index in
                      ((ODD[0], CELL[0], i), (ODD[1], CELL[1], j)))  # fmt: skip
            wave = np.exp(1j * (kx * x[:, None] + ky * y)) * np.exp(-0.5 * 0.8**2 * (kx**2 + ky**2))
            total += (series[i, j] * wave).real
        return total

    def modulus(values, scale, direction):
        sigma = widths_angstrom(parameters)[scale]
        turned = rotated_filter(2, 0, sigma, (polar[direction], azimuthal[direction]))
        return np.abs(np.fft.ifftn(np.fft.fftn(values) * turned))

    expected = []
    for direction in range(6):
        first = [modulus(density, j, direction) for j in range(3)]
        second = [modulus(first[j], k, direction) for j, k in ((0, 1), (0, 2), (1, 2))]
        expected += [blurred_samples(values).ravel() for values in (density, *first, *second)]
    long_form = by_direction(scatter(density, CELL, parameters), parameters)
    assert long_form.shape == (6, 7, 10)
    np.testing.assert_allclose(long_form.ravel(), np.concatenate(expected), rtol=1e-9, atol=1e-14)


def test_length_of_the_published_vectors():
    """73 728 numbers a boundary at the defaults of the paper's code: 8 scales and 8 x 8 angles, opposite ones given twice."""
    published = OrientedScattering(spacing_angstrom=0.5, n_scales=8, n_azimuthal=8, n_polar=8, samples=(128, 1, 1))
    assert (published.layers, published.order) == (2, 4)
    density = cloud(cell=np.array([20.0, 4.0, 4.0]), shape=(40, 8, 8))
    vector = scatter(density, [20.0, 4.0, 4.0], published)
    assert len(scattering_names(published)) == len(vector) == (1 + 32 * 8) * 128
    assert by_direction(vector, published).size == 73_728
    assert len(scattering_names(OrientedScattering())) == (1 + 128 * 16) * 32


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_names_are_one_for_each_feature(layers):
    parameters = changed(SMALL, layers=layers, samples=(4, 2, 1))
    names = scattering_names(parameters)
    features = scatter(cloud(), CELL, parameters)
    assert len(names) == len(set(names)) == len(features) == (1 + 6 * {1: 0, 2: 3, 3: 6}[layers]) * 8
    assert names[0] == "S0[x=0,y=0]"
    if layers > 1:
        # of the equator's four directions the last two are opposite to the first two
        assert names[-1].startswith(f"S{layers - 1}[polar=1,azimuthal=1,")
        assert not any("polar=2" in name for name in names)
    if layers == 3:
        assert names[-1] == "S2[polar=1,azimuthal=1,j=1,2,x=3,y=1]"
        only = scatter(cloud(), CELL, changed(parameters, layers=2))
        np.testing.assert_allclose(
            by_direction(features, parameters)[:, :4], by_direction(only, parameters), rtol=1e-12
        )


@pytest.mark.parametrize(("n_polar", "n_azimuthal"), [(16, 16), (3, 4), (4, 6), (3, 5), (2, 5), (1, 1), (1, 2)])
def test_distinct_directions_are_those_without_their_opposites(n_polar, n_azimuthal):
    parameters = changed(SMALL, n_polar=n_polar, n_azimuthal=n_azimuthal)
    vectors = directions(parameters)
    kept, position = distinct_directions(parameters)
    expected = []  # by the vectors themselves
    for index, vector in enumerate(vectors):
        if not any(np.abs(vector + vectors[other]).max() < 1e-9 for other in expected):
            expected.append(index)
    np.testing.assert_array_equal(kept, expected)
    for direction, own in zip(vectors, vectors[kept][position], strict=True):
        assert min(np.abs(direction - own).max(), np.abs(direction + own).max()) < 1e-12


def test_names_say_which_direction():
    """Each named profile, from its filter seen along the angles in the name."""
    parameters = changed(SMALL, n_polar=3, n_azimuthal=4, n_scales=2)
    polar, azimuthal = direction_angles(parameters)
    density = cloud()
    values = dict(zip(scattering_names(parameters), scatter(density, CELL, parameters), strict=True))
    along_x = sampling_matrices(ODD, CELL, parameters)[0]
    for p, a in ((0, 3), (1, 1)):
        index = p * 4 + a
        turned = rotated_filter(4, 0, widths_angstrom(parameters)[1], (polar[index], azimuthal[index]))
        profile = along_x @ np.abs(np.fft.ifftn(np.fft.fftn(density) * turned)).mean((1, 2))
        named = [values[f"S1[polar={p},azimuthal={a},j=1,x={x}]"] for x in range(16)]
        np.testing.assert_allclose(named, profile, rtol=1e-9, atol=1e-14)


def test_opposite_directions_are_equal_and_others_are_not():
    for order in (3, 4):
        parameters = changed(SMALL, order=order, n_polar=2)
        kept, position = distinct_directions(parameters)
        assert len(kept) == 4
        moduli = []
        for index in range(8):  # each direction alone
            polar, azimuthal = (angles[index] for angles in direction_angles(parameters))
            turned = rotated_filter(order, 0, 0.9, (polar, azimuthal))
            moduli.append(np.abs(np.fft.ifftn(np.fft.fftn(cloud()) * turned)))
        for index, own in enumerate(kept[position]):
            np.testing.assert_allclose(moduli[index], moduli[own], atol=1e-12 * moduli[own].max())
        features = by_direction(scatter(cloud(), CELL, parameters), parameters)
        assert np.abs(features[0] / features[1] - 1)[1:].max() > 1e-2


def test_a_sample_each_width_of_the_blur_holds_the_profile():
    """128 samples along the normal follow from the default 32 by the sampling theorem, to 1 % of the profile's largest."""
    parameters = changed(SMALL, blur_angstrom=1.0, window_angstrom=32.0, samples=(32, 1, 1))
    rng = np.random.default_rng(2)
    positions = np.column_stack([rng.uniform(17, 29, 60), rng.uniform(0, 7, 60), rng.uniform(0, 7, 60)])
    cell = np.array([46.0, 7.0, 7.0])
    density = gaussian_density(positions, cell, (92, 14, 14), 0.5)
    few = scatter(density, cell, parameters).reshape(-1, 32)
    many = scatter(density, cell, changed(parameters, samples=(128, 1, 1))).reshape(-1, 128)
    at_few, at_many = ((np.arange(n) + 0.5) * 32 / n for n in (32, 128))
    interpolated = few @ np.sinc(at_many - at_few[:, None])
    inside = np.abs(at_many - 16) < 12  # the series ends with the window
    error = np.abs(interpolated - many)[:, inside].max(1) / many.max(1)
    assert error.max() < 0.01


@pytest.mark.parametrize("precision", ["double", "single"])
@pytest.mark.parametrize("tolerance", [0, 1e-3])
@pytest.mark.parametrize(("order", "component"), [(4, 0), (3, 0), (4, 2)])
def test_fused_passes_equal_torch_operations(precision, tolerance, order, component):
    parameters = changed(SMALL, precision=precision, tolerance=tolerance, order=order, component=component)
    cell = np.array([24.0, 7.0, 9.0])
    density = torch.from_numpy(np.stack([cloud(seed, 30, cell, (48, 14, 18)) for seed in range(2)]))
    fused = scatter(density, cell, parameters)
    plain = scatter(density.clone().requires_grad_(), cell, parameters)
    assert plain.requires_grad
    assert not fused.requires_grad
    torch.testing.assert_close(
        fused,
        plain.detach(),
        rtol=1e-11 if precision == "double" else 1e-5,
        atol=1e-14 if precision == "double" else 1e-8,
    )
    single = scatter(density[1], cell, parameters)
    torch.testing.assert_close(
        single, fused[1], rtol=1e-11 if precision == "double" else 1e-5, atol=1e-14 if precision == "double" else 1e-8
    )


def test_plane_means_are_those_of_the_moduli_whatever_the_number_of_points():
    for shape in ((3, 1, 1), (2, 5, 7), (1, 30, 41)):
        fields = torch.rand(3, *shape, dtype=torch.float64) - 0.5
        for parts in (1, 2):
            coefficients = torch.rand(5, parts, 3, dtype=torch.float64) - 0.5
            expected = torch.einsum("dpm,mxyz->pdxyz", coefficients, fields).square().sum(0).sqrt().mean((-2, -1))
            torch.testing.assert_close(scattering_oriented.plane_means(list(fields), coefficients), expected)
    with pytest.raises(ValueError, match="3 contiguous fields of one shape"):
        scattering_oriented.plane_means(list(fields[:2]), coefficients)
    with pytest.raises(ValueError, match="no code for 2 components"):
        scattering_oriented.plane_means(list(fields[:2]), coefficients[:, :, :2])


@pytest.mark.parametrize("tolerance", [1e-2, 1e-3])
@pytest.mark.parametrize("layers", [2, 3])
@pytest.mark.parametrize("case", ["slab", "thin slab", "dense"])
def test_coarser_grids_stay_within_the_tolerance(case, layers, tolerance):
    rng = np.random.default_rng(3)
    cell, shape, atoms = {
        "slab": (np.array([36.0, 20.0, 18.0]), (72, 40, 36), 300),
        "thin slab": (np.array([36.0, 3.6, 3.6]), (72, 64, 64), 12),  # so fine that something can be left out
        "dense": (np.array([18.0, 20.0, 18.0]), (36, 40, 36), 550),
    }[case]
    positions = rng.uniform(0, 1, (atoms, 3)) * [10.0 if case != "dense" else 18.0, *cell[1:]] + [13, 0, 0]
    density = gaussian_density(positions, cell, shape, 0.5)
    parameters = changed(SMALL, layers=layers, largest_width_angstrom=4.0, n_polar=2, n_azimuthal=3)
    exact = by_direction(scatter(density, cell, parameters), parameters)
    coarse = by_direction(scatter(density, cell, changed(parameters, tolerance=tolerance)), parameters)
    np.testing.assert_array_less(np.abs(coarse - exact).max(2), tolerance * exact.max(2))
    assert np.abs(coarse - exact).max() > 1e-12, "nothing was coarser"


@pytest.mark.parametrize("tolerance", [1e-2, 1e-3, 1e-4])
@pytest.mark.parametrize("settings", [{}, {"order": 1}, {"order": 1, "samples": (16, 3, 3)}, {"layers": 3}], ids=str)
def test_a_boundary_with_one_short_period_stays_within_the_tolerance(settings, tolerance):
    """Wide wavelets leave functions of one coordinate in the plane, and the cusps of their moduli are few."""
    cell, shape = np.array([30.0, 2.5, 25.2]), (60, 6, 50)
    positions = np.random.default_rng(3).uniform(0, 1, (64, 3)) * [10.0, *cell[1:]] + [10, 0, 0]
    density = gaussian_density(positions, cell, shape, 0.5)
    parameters = changed(
        SMALL, largest_width_angstrom=4.0, n_scales=4, n_polar=3, n_azimuthal=4, window_angstrom=24.0, **settings
    )
    exact = by_direction(scatter(density, cell, parameters), parameters)
    coarse = by_direction(scatter(density, cell, changed(parameters, tolerance=tolerance)), parameters)
    np.testing.assert_array_less(np.abs(coarse - exact).max(2), tolerance * exact.max(2))


@pytest.mark.parametrize("settings", [{}, {"component": 1}, {"layers": 3}, {"samples": (3, 2, 1)}, {"tolerance": 1e-2}])
def test_gradients_are_those_of_finite_differences(settings):
    parameters = changed(
        SMALL, order=2, n_scales=2, n_polar=1, n_azimuthal=2, window_angstrom=2.0, **{"samples": (3, 1, 1)} | settings
    )
    cell = (2.0, 2.5, 3.0)
    density = torch.from_numpy(cloud(cell=np.array(cell), shape=(4, 5, 6))).requires_grad_()
    assert torch.autograd.gradcheck(lambda rho: scatter(rho, cell, parameters), (density,), atol=1e-6, rtol=1e-4)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 99), repeat=st.tuples(st.integers(1, 2), st.integers(1, 3)), shift=st.floats(-30, 30))
def test_permutation_repetition_and_translation_do_not_matter(seed, repeat, shift):
    """Translation along the normal by any length: the cell moves with the atoms. In the plane and by repetition the grid shows."""
    atoms = slab()
    mask = near_boundary(atoms)
    expected = by_direction(boundary_scattering(atoms, mask, SMALL), SMALL)
    other = atoms.repeat((1, *repeat))
    other.positions += [shift, 0.0, 0.0]
    order = np.random.default_rng(seed).permutation(len(other))
    features = boundary_scattering(other[order], np.tile(mask, repeat[0] * repeat[1])[order], SMALL)
    difference = np.abs(by_direction(features, SMALL) - expected).max(2) / expected.max(2)
    assert difference.max() < (1e-9 if repeat == (1, 1) else 1e-2)


def test_translation_in_the_plane_is_exact_by_grid_points():
    atoms = slab()
    mask = near_boundary(atoms)
    expected = boundary_scattering(atoms, mask, SMALL)
    periods = atoms.cell.lengths()[1:]
    steps = periods / grid_shape(atoms.cell.lengths(), SMALL.spacing_angstrom)[1:]
    atoms.positions += [1.23, *(steps * [3, -2])]
    np.testing.assert_allclose(boundary_scattering(atoms, mask, SMALL), expected, rtol=1e-8, atol=1e-12)


def test_a_rotated_boundary_differs():
    atoms = slab()
    mask = near_boundary(atoms)
    expected = by_direction(boundary_scattering(atoms, mask, SMALL), SMALL)
    turned = atoms.copy()
    turned.positions[:, 1:] = atoms.positions[:, [2, 1]] * [-1, 1]
    turned.set_cell(atoms.cell.lengths()[[0, 2, 1]], scale_atoms=False)
    features = by_direction(boundary_scattering(turned, mask, SMALL), SMALL)
    np.testing.assert_allclose(features[:, 0], expected[:, 0], rtol=1e-6)  # the density's own profile
    assert np.abs(features[:, 1:] / expected[:, 1:] - 1).max() > 1e-2


@pytest.mark.parametrize("layers", [2, 3])
def test_images_along_x_are_out_of_reach(layers):
    atoms = slab()
    mask = near_boundary(atoms)
    parameters = changed(SMALL, layers=layers)
    x = atoms.positions[mask, 0] - atoms.positions[mask, 0].mean()
    least = 2 * round(oriented_cell_length_angstrom(x, parameters) / 0.5 / 2) * 0.5
    features = []
    for length in (least, 2 * least):  # the middle of the cell is a grid point in both, so that the grid does not show
        cell = np.array([length, *atoms.cell.lengths()[1:]])
        positions = np.column_stack([x + length / 2, atoms.positions[mask, 1:]])
        shape = (round(length / 0.5), *grid_shape(cell, 0.5)[1:])
        features.append(
            by_direction(scatter(gaussian_density(positions, cell, shape, 0.5), cell, parameters), parameters)
        )
    assert (np.abs(features[0] - features[1]).max(2) / features[1].max(2)).max() < 1e-3


@pytest.mark.parametrize("points", [10, 11])
def test_sampling_matrices_blur_and_sample(points):
    parameters = changed(SMALL, samples=(7, 3, 1), window_angstrom=5.0, blur_angstrom=0.6)
    along_x, along_y, along_z = sampling_matrices((points, points, points), (5.0, 4.0, 3.0), parameters)
    np.testing.assert_allclose(along_z, np.full((1, points), 1 / points))
    for matrix, length, where in (
        (along_x, 5.0, (np.arange(7) + 0.5) / 7 * 5.0),
        (along_y, 4.0, np.arange(3) * 4.0 / 3),
    ):
        wave = 2 * np.pi / length
        grid = np.arange(points) * length / points
        for n in range(5):
            expected = np.cos(n * wave * where - 0.4) * np.exp(-0.5 * (n * wave * 0.6) ** 2)
            np.testing.assert_allclose(matrix @ np.cos(n * wave * grid - 0.4), expected, atol=1e-12)


def test_zonal_wavelets_have_the_same_norm_as_the_others():
    for component in range(5):
        coefficients = wavelet_coefficients(changed(SMALL, component=component))
        np.testing.assert_allclose((coefficients**2).sum((1, 2)), 1, rtol=1e-12)


def test_as_a_representation_swept_and_named():
    raw = {"kind": "oriented_scattering", **SMALL.model_dump(exclude={"kind", "sweep"})}
    raw |= {"sweep": {"order": [2, 4], "blur_angstrom": [0.5]}}
    members = expand(Features.model_validate({"representations": {"snet": raw}}).representations)
    assert list(members) == ["snet~order=2~blur_angstrom=0.5", "snet~order=4~blur_angstrom=0.5"]
    atoms = slab()
    for member in members.values():
        assert isinstance(member, OrientedScattering)
        vector = featurize(atoms, near_boundary(atoms), member)
        assert len(names_of(member)) == len(vector) == (1 + 6 * 3) * 16
        assert np.isfinite(vector).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"component": 5}, "component=5 must be at most the order, 4"),
        ({"smallest_width_angstrom": 3.0}, "smallest_width_angstrom=3 must be smaller than largest_width_angstrom=2"),
        ({"spacing_angstrom": 0.6}, "too coarse for atom_width_angstrom"),
        ({"layers": 4}, "less than or equal to 3"),
        ({"samples": (0, 1, 1)}, "greater than or equal to 1"),
    ],
)
def test_impossible_settings_are_refused(wrong, message):
    with pytest.raises(ValidationError, match=message):
        changed(SMALL, **wrong)


def test_only_the_torch_engine_has_it():
    with pytest.raises(ValueError, match="engine 'torch' alone, not 'kymatio'"):
        scatter(cloud(), CELL, SMALL, engine="kymatio")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("layers", [2, 3])
def test_a_cuda_device_gives_what_the_cpu_gives(layers):
    density = torch.from_numpy(cloud())
    parameters = changed(SMALL, layers=layers)
    on_device = scatter(density.cuda(), CELL, parameters)
    assert on_device.is_cuda
    torch.testing.assert_close(on_device.cpu(), scatter(density, CELL, parameters), rtol=1e-10, atol=1e-14)


def test_paths_by_direction():
    density = torch.from_numpy(cloud())[None]
    family = GaussianSolidHarmonics(widths_angstrom(SMALL))
    zeroth, moduli = oriented_samples(density, CELL.tolist(), family, SMALL)
    assert zeroth.shape == (1, 16, 1, 1)
    assert moduli.shape == (1, 6, 3, 16, 1, 1)
    features = scatter(density[0].numpy(), CELL, SMALL)
    np.testing.assert_array_equal(np.concatenate([zeroth.flatten(), moduli.flatten()]), features)
