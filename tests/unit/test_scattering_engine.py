"""The torch engine of invariant scattering: against direct sums, against itself by another path, and its gradients."""

import itertools

import numpy as np
import pytest
import torch
from scipy.special import sph_harm_y

from gbscape import native
from gbscape.config.scattering import OrientedScattering, Scattering
from gbscape.features import scattering_invariant, spectra
from gbscape.features.names import scattering_names
from gbscape.features.scattering import gaussian_density, grid_shape, scatter, vacuum_angstrom, widths_angstrom
from gbscape.features.scattering_invariant import invariant_integrals
from gbscape.features.wavelets import GaussianSolidHarmonics

EXACT = Scattering(j_max=2, l_max=3, tolerance=0)
CELL = np.array([7.5, 9.0, 5.5])
SHAPE = (15, 20, 12)


def random_density(seed=0, atoms=10, cell=CELL, shape=SHAPE, width=0.5):
    positions = np.random.default_rng(seed).uniform(0, 1, (atoms, 3)) * cell
    return gaussian_density(positions, cell, shape, width)


def test_agrees_with_complex_filters_on_an_anisotropic_cell():
    """Odd numbers of points, so that no frequency is its own negative."""
    shape = (15, 19, 13)
    density = random_density(shape=shape)
    waves = [2 * np.pi * np.fft.fftfreq(n, length / n) for n, length in zip(shape, CELL, strict=True)]
    kx, ky, kz = np.meshgrid(*waves, indexing="ij")
    k = np.sqrt(kx**2 + ky**2 + kz**2)
    theta, phi = np.arctan2(np.hypot(kx, ky), kz), np.arctan2(ky, kx)
    voxel = CELL.prod() / density.size

    def modulus(values, order, sigma):
        double_factorial = np.prod(np.arange(order + 1, 0, -2, dtype=float))
        norm = (
            (2 * np.sqrt(np.pi) if order % 2 == 0 else np.sqrt(2) * np.pi) / np.sqrt(2 * order + 1) / double_factorial
        )
        radial = norm * (k * sigma) ** order * np.exp(-0.5 * (k * sigma) ** 2)
        fields = [
            np.fft.ifftn(np.fft.fftn(values) * radial * sph_harm_y(order, m, theta, phi))
            for m in range(-order, order + 1)
        ]
        return np.sqrt(sum(np.abs(field) ** 2 for field in fields))

    expected = {}
    powers = EXACT.integral_powers
    for q in powers:
        expected[f"S0[q={q:g}]"] = (density**q).sum() * voxel
    widths = [0.8, 1.6, 3.2]
    for order in range(4):
        first = [modulus(density, order, sigma) for sigma in widths]
        for j, q in itertools.product(range(3), powers):
            expected[f"S1[j={j},l={order},q={q:g}]"] = (first[j] ** q).sum() * voxel
        for j1, j2 in itertools.combinations(range(3), 2):
            second = modulus(first[j1], order, widths[j2])
            for q in powers:
                expected[f"S2[j={j1},{j2},l={order},q={q:g}]"] = (second**q).sum() * voxel
    features = dict(zip(scattering_names(EXACT), scatter(density, CELL, EXACT), strict=True))
    assert features.keys() == expected.keys()
    for name, value in features.items():
        assert value == pytest.approx(expected[name], rel=1e-11), name


@pytest.mark.parametrize("precision", ["double", "single"])
@pytest.mark.parametrize("tolerance", [0, 1e-3])
@pytest.mark.parametrize("powers", [(0.5, 1.0, 2.0), (0.7, 1.0, 3.0)])
def test_fused_passes_equal_torch_operations(precision, tolerance, powers):
    parameters = Scattering(j_max=2, l_max=4, precision=precision, tolerance=tolerance, integral_powers=powers)
    cell, shape = (20.0, 13.0, 17.0), (40, 26, 33)
    density = torch.from_numpy(random_density(atoms=40, cell=np.array(cell), shape=shape))
    fused = scatter(density, cell, parameters)
    plain = scatter(density.clone().requires_grad_(), cell, parameters)
    assert plain.requires_grad
    assert not fused.requires_grad
    torch.testing.assert_close(fused, plain.detach(), rtol=1e-11 if precision == "double" else 1e-5, atol=0)


def test_threads_change_nothing():
    parameters = Scattering(j_max=1, l_max=2)
    one = scatter(random_density(), CELL, parameters)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        three = scatter(random_density(), CELL, parameters)
    finally:
        torch.set_num_threads(before)
    np.testing.assert_allclose(three, one, rtol=1e-13)


def bulk(noise, seed=1):
    """An fcc crystal of 6 x 6 x 6 cells with displaced atoms."""
    cells = np.stack(np.meshgrid(*[np.arange(6)] * 3, indexing="ij"), -1).reshape(-1, 3)
    sites = np.concatenate([cells + o for o in ([0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5])]) * 3.6
    return sites + noise * np.random.default_rng(seed).normal(size=sites.shape)


def densities():
    crystal = bulk(0.1)
    cube = np.full(3, 21.6)
    yield "crystal", gaussian_density(crystal, cube, (48,) * 3, 0.5), cube
    yield "liquid", gaussian_density(bulk(0.4), cube, (48,) * 3, 0.5), cube
    long = np.array([70.0, 21.6, 21.6])
    yield "slab", gaussian_density(crystal[np.abs(crystal[:, 0] - 10) < 5], long, (140, 48, 48), 0.5), long
    thin = np.array([70.0, 3.6, 7.2])
    few = crystal[(np.abs(crystal[:, 0] - 10) < 5) & (crystal[:, 1] < 3.5) & (crystal[:, 2] < 7)]
    yield "thin slab", gaussian_density(few, thin, (140, 8, 16), 0.5), thin
    box = np.array([30.0, 24.0, 27.0])
    yield "random", random_density(atoms=1500, cell=box, shape=(60, 48, 54)), box
    yield "white noise", np.random.default_rng(2).random((48,) * 3), np.full(3, 24.0)


DENSITIES = list(densities())


@pytest.mark.parametrize("tolerance", [1e-2, 1e-3, 1e-4])
@pytest.mark.parametrize(
    "settings", [{"j_max": 5}, {"sigma_0_angstrom": 3.0}, {"integral_powers": (0.25, 4.0)}], ids=str
)
def test_a_long_vacuum_stays_within_the_tolerance(settings, tolerance):
    """What rings there, however faint, counts to a small power: the fewest atoms, a narrow wavelet, the longest cell."""
    parameters = Scattering(l_max=3, tolerance=tolerance, **settings)
    sites = [[x + 0.05 * y, y, z] for x in range(0, 12, 2) for y, z in ((0.3, 0.9), (1.6, 3.1))]
    cell = np.array([12 + vacuum_angstrom(parameters), 2.5, 4.3])
    density = gaussian_density(np.array(sites), cell, grid_shape(cell, 0.5), 0.5)
    exact = scatter(density, cell, parameters.model_copy(update={"tolerance": 0}))
    np.testing.assert_allclose(scatter(density, cell, parameters), exact, rtol=tolerance)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-4])
@pytest.mark.parametrize(("name", "density", "cell"), DENSITIES, ids=[name for name, *_ in DENSITIES])
def test_coarser_grids_stay_within_the_tolerance(name, density, cell, tolerance):
    parameters = Scattering(j_max=3, l_max=2, tolerance=tolerance)
    exact = scatter(density, cell, parameters.model_copy(update={"tolerance": 0}))
    features = scatter(density, cell, parameters)
    np.testing.assert_allclose(features, exact, rtol=tolerance)
    family = GaussianSolidHarmonics(widths_angstrom(parameters))
    full = spectra.full_band(density.shape, cell.tolist(), torch.device("cpu"))
    coarsest = scattering_invariant.scale_bands(full, family, 4, 2, 0.5, tolerance)[-1]
    assert np.prod(coarsest.spectrum_shape) < 0.5 * np.prod(full.spectrum_shape), "nothing was left out"


def test_tolerance_is_a_trade():
    """Half of the names' point: without coarser grids there would be nothing for the test above to find."""
    density, cell = random_density(atoms=1500, cell=np.array([30.0, 24, 27]), shape=(60, 48, 54)), (30.0, 24.0, 27.0)
    exact, loose, tight = (
        scatter(density, cell, Scattering(j_max=3, l_max=1, tolerance=tolerance)) for tolerance in (0, 1e-2, 1e-5)
    )
    assert np.abs(tight / exact - 1).max() < 0.1 * np.abs(loose / exact - 1).max()


def test_single_precision_is_near_double():
    density = random_density(atoms=30)
    single = scatter(density, CELL, EXACT.model_copy(update={"precision": "single"}))
    np.testing.assert_allclose(single, scatter(density, CELL, EXACT), rtol=5e-6)


def test_a_batch_gives_what_its_members_give():
    parameters = Scattering(j_max=1, l_max=2)
    batch = np.stack([random_density(seed) for seed in range(3)])
    together = scatter(batch, CELL, parameters)
    assert together.shape == (3, len(scattering_names(parameters)))
    for one, features in zip(batch, together, strict=True):
        np.testing.assert_allclose(scatter(one, CELL, parameters), features, rtol=1e-13)
    tensor = torch.from_numpy(batch).requires_grad_()
    np.testing.assert_allclose(scatter(tensor, CELL, parameters).detach(), together, rtol=1e-11)


def test_a_tensor_gives_a_tensor():
    density = torch.from_numpy(random_density()).float()
    features = scatter(density, CELL, EXACT)
    assert isinstance(features, torch.Tensor)
    assert features.dtype == torch.float64
    np.testing.assert_array_equal(features, scatter(density.numpy(), CELL, EXACT))


@pytest.mark.filterwarnings("error")
def test_whatever_array_numpy_has():
    density = random_density()
    frozen = density.copy()
    frozen.flags.writeable = False
    expected = scatter(density, CELL, EXACT)
    for other in (frozen, density.astype(">f8"), np.asfortranarray(density), density[::-1].copy()[::-1]):
        np.testing.assert_array_equal(scatter(other, CELL, EXACT), expected)


@pytest.mark.parametrize("tolerance", [0, 1e-2])
def test_gradients_are_those_of_finite_differences(tolerance):
    cell = (2.0, 2.5, 3.0)
    density = torch.from_numpy(random_density(atoms=4, cell=np.array(cell), shape=(4, 5, 6))).requires_grad_()
    parameters = Scattering(j_max=1, l_max=2, tolerance=tolerance, integral_powers=(0.5, 1.0, 2.0))
    assert torch.autograd.gradcheck(lambda rho: scatter(rho, cell, parameters), (density,), atol=1e-6, rtol=1e-4)


def test_gradients_are_finite_where_there_is_nothing():
    density = torch.zeros(8, 8, 8, dtype=torch.float64)
    density[2, 3, 4] = 1.0
    density.requires_grad_()
    scatter(density, (4.0, 4.0, 4.0), Scattering(j_max=1, l_max=2)).sum().backward()
    assert torch.isfinite(density.grad).all()


def test_an_empty_point_counts_to_the_gradient_of_the_integral():
    density = torch.zeros(4, 4, 4, dtype=torch.float64).requires_grad_()
    features = scatter(density, (2.0, 2.0, 2.0), Scattering(j_max=0, l_max=0, integral_powers=(0.5, 1.0, 2.0)))
    of_integral = dict(zip(("S0[q=0.5]", "S0[q=1]", "S0[q=2]"), features, strict=False))
    (gradient,) = torch.autograd.grad(of_integral["S0[q=1]"], density)
    np.testing.assert_allclose(gradient, 0.5**3)


def test_gradients_go_through_to_positions():
    """The gradient of the features by a shift along x is zero on a grid fine enough, and by a stretch is not."""
    cell = torch.tensor([6.0, 5.0, 5.5], dtype=torch.float64)
    shape = (30, 25, 28)
    grid = [torch.arange(n, dtype=torch.float64) * length / n for n, length in zip(shape, cell, strict=True)]
    sites = torch.rand(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * cell

    def features(positions):
        gaussians = []
        for axis in range(3):
            apart = torch.remainder(grid[axis] - positions[:, axis : axis + 1] + cell[axis] / 2, cell[axis])
            gaussians.append(torch.exp(-0.5 * ((apart - cell[axis] / 2) / 0.5) ** 2))
        return scatter(torch.einsum("ax,ay,az->xyz", *gaussians), cell, Scattering(j_max=1, l_max=2, tolerance=0))

    shift, stretch = (torch.zeros((), dtype=torch.float64, requires_grad=True) for _ in range(2))
    total = features(sites + shift * torch.tensor([1.0, 0, 0]) + stretch * (sites - 3) * torch.tensor([1.0, 0, 0]))
    value = total.sum()
    value.backward()
    assert abs(shift.grad) < 1e-4 * value
    assert abs(stretch.grad) > 1e-2 * value


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("tolerance", [0, 1e-3])
def test_a_cuda_device_gives_what_the_cpu_gives(tolerance):
    density = torch.from_numpy(np.stack([random_density(seed) for seed in range(2)]))
    parameters = Scattering(j_max=2, l_max=4, tolerance=tolerance)
    on_device = scatter(density.cuda(), CELL, parameters)
    assert on_device.is_cuda
    torch.testing.assert_close(on_device.cpu(), scatter(density, CELL, parameters), rtol=1e-10, atol=0)


def test_wrong_arguments_of_the_compiled_passes_are_refused():
    full = spectra.full_band((8, 8, 8), (4.0, 4.0, 4.0), torch.device("cpu"))
    coefficients = spectra.spectrum(torch.rand(8, 8, 8))
    radial = torch.ones(full.spectrum_shape)
    with pytest.raises(ValueError, match="must be contiguous of shape"):
        spectra.fused_fields(coefficients, (8, 8, 8), full, radial[:4], 1)
    with pytest.raises(ValueError, match=r"contiguous .* on the CPU"):
        spectra.fused_fields(coefficients.to(torch.complex128), (8, 8, 8), full, radial, 1)
    with pytest.raises(ValueError, match="are not the coefficients of a grid"):
        spectra.fused_fields(coefficients, (8, 8, 10), full, radial, 1)


def test_tensors_are_not_for_kymatio():
    with pytest.raises(ValueError, match="takes arrays, not tensors"):
        scatter(torch.ones(4, 4, 4), (2.0, 2.0, 2.0), EXACT, engine="kymatio")


def test_order_of_the_integrals_is_that_of_the_names():
    density = torch.from_numpy(random_density())[None]
    family = GaussianSolidHarmonics(widths_angstrom(EXACT))
    paths = invariant_integrals(density, CELL.tolist(), family, 3, 3, EXACT.integral_powers, 0.0)
    assert paths.shape == (1, 6, 4, 3)
    np.testing.assert_array_equal(paths.flatten(), scatter(density[0].numpy(), CELL, EXACT)[3:])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "shape",
    [(8, 8, 8), (1, 1, 1), (2, 3, 2), (15, 36, 10), (19, 8, 14), (8, 49, 64), (4, 6, 77), (5, 130, 13)],
    ids=lambda shape: "x".join(map(str, shape)),
)
def test_compiled_transform_of_any_length(shape, dtype):
    """Even, odd, prime and composite lengths, shorter and longer than a vector register."""
    cell = [0.4 * points for points in shape]
    full = spectra.full_band(shape, cell, torch.device("cpu"))
    coefficients = spectra.spectrum(torch.rand(shape, dtype=dtype, generator=torch.Generator().manual_seed(0)))
    for band in (full, spectra.narrower_band(full, 2.0, (np.inf, 3.0, 4.0))):
        for order in (0, 1, 4):
            radial = GaussianSolidHarmonics((0.7,)).radial(0, order, band.squared_wave_numbers(dtype))
            expected = spectra.convolve(coefficients, shape, band, radial * band.harmonics(order, dtype), order)
            fields = torch.stack(spectra.fused_fields(coefficients, shape, band, radial, order))
            error = 1e-14 if dtype == torch.float64 else 5e-6
            torch.testing.assert_close(fields, expected, rtol=0, atol=error * max(1, float(expected.abs().max())))
            squares = spectra.fused_square_sum(coefficients, shape, band, radial, order)
            torch.testing.assert_close(squares, expected.square().sum(0), rtol=0, atol=10 * error)


@pytest.mark.parametrize("build", native.LEVELS.values())
@pytest.mark.parametrize("precision", ["double", "single"])
def test_every_build_gives_what_torch_operations_give(build, precision, monkeypatch):
    """Registers differ in width; the grids here are no multiple of any."""
    level = {name: level for level, name in native.LEVELS.items()}[build]
    if level > native.load("gbscape.native.cpu").gbscape_simd_level():
        pytest.skip(f"this processor does not run the build {build}")
    if not native._path(spectra.__name__, build).is_file():
        pytest.skip(f"there is no build {build} on this machine")
    monkeypatch.setattr(spectra, "load", lambda module: native._open(module, build))
    density = torch.from_numpy(random_density(atoms=30))
    oriented = OrientedScattering(spacing_angstrom=0.5, n_scales=2, n_polar=2, n_azimuthal=3, precision=precision)
    for parameters in (
        Scattering(j_max=1, l_max=4, precision=precision),
        oriented,
        oriented.model_copy(update={"component": 2}),
    ):
        fused = scatter(density, CELL, parameters)
        plain = scatter(density.clone().requires_grad_(), CELL, parameters).detach()
        rtol, atol = (1e-11, 1e-14) if precision == "double" else (1e-5, 1e-7)
        torch.testing.assert_close(fused, plain, rtol=rtol, atol=atol)
