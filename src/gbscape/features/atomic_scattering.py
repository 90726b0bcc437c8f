"""Wavelet scattering of a whole periodic model, seen from each of its atoms.

The moduli of invariant scattering (see `gbscape.features.scattering`),

    U_jl = sqrt(sum_m |rho * psi_jlm|^2)   and   U_j1j2l = sqrt(sum_m |U_j1l * psi_j2lm|^2), j2 > j1,

are fields: their values at an atom's position describe its surroundings as wide as the wavelets, and do not change when the
model is translated or rotated. All atoms are described at once, at the cost of the Fourier transforms of the model's grid.
"""

from collections.abc import Iterator

import numpy as np
import torch
from ase import Atoms
from numba import njit, prange
from numpy.typing import NDArray

from gbscape.config.atomic_scattering import AtomicScattering
from gbscape.features import spectra
from gbscape.features.scattering import grid_shape
from gbscape.features.scattering_torch import DTYPES
from gbscape.features.wavelets import GaussianSolidHarmonics
from gbscape.native.threads import numba_threads
from gbscape.structure.orthogonal_cell import orthogonal_edges, wrapped

Array = NDArray[np.float64]

_REACH_WIDTHS = 5.5  # beyond so many widths a Gaussian has 3e-7 of its peak


def atomic_scattering(atoms: Atoms, parameters: AtomicScattering, threads: int = 1) -> Array:
    """Moduli of the scattering transform at each atom.

    Args:
        atoms: in an orthogonal periodic cell; all species count alike.
        parameters: the transform's settings.
        threads: for all steps.

    Returns:
        (n, n_features) in Angstrom^-3: the density, U_jl by l and j, and U_j1j2l by l, j1 and j2.

    Raises:
        ValueError: a cell that is not orthogonal and periodic.
    """
    edges = orthogonal_edges(atoms)
    positions = wrapped(atoms.positions, edges)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        features = np.empty((len(atoms), parameters.n_features))
        with numba_threads(threads):
            for number, field in enumerate(_fields(positions, edges, parameters)):
                _sample(field, positions / edges, features[:, number])
    finally:
        torch.set_num_threads(before)
    # Cubic interpolation may undershoot where a field vanishes.
    return np.sqrt(np.maximum(features, 0.0))


def _fields(positions: Array, edges: Array, parameters: AtomicScattering) -> Iterator[NDArray[np.floating]]:
    """Squares of the density and of all moduli, each on a grid of its own over the cell."""
    dtype = DTYPES[parameters.precision]
    shape = grid_shape(edges, parameters.spacing_angstrom)
    density = np.zeros(shape, dtype=np.float32 if dtype == torch.float32 else np.float64)
    deposit_gaussians(density, positions, edges, parameters.atom_width_angstrom)
    yield density**2
    widths = [parameters.sigma_0_angstrom * 2.0**j for j in range(parameters.j_max + 1)]
    family = GaussianSolidHarmonics(tuple(widths))
    full = spectra.full_band(shape, edges.tolist(), torch.device("cpu"))
    of_density = spectra.spectrum(torch.from_numpy(density))
    del density
    for order in range(parameters.l_max + 1):
        bands = [_band(full, family, scale, order) for scale in range(len(widths))]
        radial = [
            family.radial(scale, order, band.squared_wave_numbers(dtype)).contiguous()
            for scale, band in enumerate(bands)
        ]
        for j1, band in enumerate(bands):
            total = spectra.fused_square_sum(of_density, shape, band, radial[j1], order)
            yield total.numpy()
            if not parameters.second_order or j1 == parameters.j_max:
                continue
            of_modulus = spectra.spectrum(total.sqrt_())
            for j2 in range(j1 + 1, len(bands)):
                yield spectra.fused_square_sum(of_modulus, band.shape, bands[j2], radial[j2], order).numpy()


def _band(full: spectra.Band, family: GaussianSolidHarmonics, scale: int, order: int) -> spectra.Band:
    """Grid that resolves a wavelet, and the square of what it leaves, to 1e-3."""
    limit = max(family.band_limit(wider, order, 1e-3) for wider in range(scale, len(family.widths_angstrom)))
    return spectra.narrower_band(full, limit, (2 * limit,) * 3)


def deposit_gaussians(density: NDArray[np.floating], positions: Array, edges: Array, width_angstrom: float) -> None:
    """Add normalised Gaussians on atoms to a density on a periodic grid, in Angstrom^-3.

    Args:
        density: (n_x, n_y, n_z), at i L / n of each axis.
        positions: (n, 3) in Angstrom, inside the cell.
        edges: (3,) of the cell in Angstrom.
        width_angstrom: standard deviation.
    """
    spacing = edges / density.shape
    reach = np.ceil(_REACH_WIDTHS * width_angstrom / spacing).astype(np.int64)
    _deposit(density, positions / spacing, spacing, reach, width_angstrom)


@njit(cache=True)
def _deposit(density, places, spacing, reach, width):  # type: ignore[no-untyped-def]
    nx, ny, nz = density.shape
    norm = 1 / (np.sqrt(2 * np.pi) * width)
    along = np.empty((3, 2 * reach.max() + 1))
    index = np.empty((3, 2 * reach.max() + 1), np.int64)
    shape = (nx, ny, nz)
    for place in places:
        for axis in range(3):
            first = int(np.floor(place[axis])) - reach[axis] + 1
            for k in range(2 * reach[axis]):
                separation = (first + k - place[axis]) * spacing[axis] / width
                along[axis, k] = norm * np.exp(-0.5 * separation * separation)
                index[axis, k] = (first + k) % shape[axis]
        for i in range(2 * reach[0]):
            for j in range(2 * reach[1]):
                xy = along[0, i] * along[1, j]
                for k in range(2 * reach[2]):
                    density[index[0, i], index[1, j], index[2, k]] += xy * along[2, k]


@njit(cache=True, parallel=True)
def _sample(field, fractions, out):  # type: ignore[no-untyped-def]
    """Cubic (Lagrange) interpolation of a periodic field at fractions (n, 3) of the cell."""
    shape = field.shape
    for n in prange(len(fractions)):
        weights = np.empty((3, 4))
        index = np.empty((3, 4), np.int64)
        for axis in range(3):
            place = fractions[n, axis] * shape[axis]
            base = int(np.floor(place))
            t = place - base
            weights[axis, 0] = -t * (t - 1) * (t - 2) / 6
            weights[axis, 1] = (t + 1) * (t - 1) * (t - 2) / 2
            weights[axis, 2] = -(t + 1) * t * (t - 2) / 2
            weights[axis, 3] = (t + 1) * t * (t - 1) / 6
            for k in range(4):
                index[axis, k] = (base - 1 + k) % shape[axis]
        total = 0.0
        for i in range(4):
            for j in range(4):
                row = 0.0
                for k in range(4):
                    row += weights[2, k] * field[index[0, i], index[1, j], index[2, k]]
                total += weights[0, i] * weights[1, j] * row
        out[n] = total
