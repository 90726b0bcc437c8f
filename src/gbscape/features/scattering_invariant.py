"""Rotation-invariant scattering by PyTorch, and by fused passes on a CPU.

What it saves against transforming complex fields with all filters on the full grid: real FFTs, one real field for each m
in place of a complex one for each, filters that are made when they are needed, and coarser grids for wide wavelets.

How coarse follows from the tolerance. A wavelet of scale j and order l keeps the wave numbers below its band limit, beyond
which it has the tolerance of its L2 norm (to the power 1 / q for a power q < 1 of the modulus, which makes that much of a
small field). That does for the field, but not for its modulus, which has a cusp where the field vanishes.

- In a bulk it does so at points in space, if l > 0: the Fourier transform of its root then falls like k^-3.5, so that the
  sum over a grid of spacing h is off by (k h)^3.5, k a mean wave number of the wavelet, times a constant that was
  measured (`CUSP_CONSTANT`). Orders above 1 have more components to vanish at once and do better than that.
- To a wide wavelet a boundary is a layer across x, and the field vanishes on planes: the error falls only like h^2. So x
  stays as fine as it was, with all its frequencies: beside the layer is vacuum, where the ringing of a cut, however
  faint, would count to a power q < 1.

Measured: random, crystalline (displaced by 0.1 to 0.4 Angstrom) and isolated atoms, slabs and white noise stay within
tolerances of 1e-3 and 1e-4. What a wavelet leaves of a perfect crystal beyond its band limit is lost, however little else
there is.
"""

from collections.abc import Sequence
from math import inf, pi

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from gbscape.features import spectra
from gbscape.features.spectra import Band
from gbscape.features.wavelets import WaveletFamily

CUSP_POWER = 3.5
CUSP_CONSTANT = 0.2
"""Error of the integrals over (k h / pi)^3.5, where the wavelet of order 1 has half of its norm below k."""
FEWEST_POINTS = 4.0
"""Least points along y and z over (constant / tolerance)^(1 / 3.5): to a wavelet as wide as the cell there are few cusps,
whose errors do not average."""


def invariant_integrals(
    density: Tensor,
    cell: Sequence[float],
    family: WaveletFamily,
    n_scales: int,
    l_max: int,
    powers: Sequence[float],
    tolerance: float,
) -> Tensor:
    """First- and second-order integrals over the cell.

    Args:
        density: (n, n_x, n_y, n_z) of the precision in which to compute.
        cell: edge lengths in Angstrom.
        family: the wavelets.
        n_scales: number of their scales.
        l_max: their highest order.
        powers: to which moduli are raised.
        tolerance: largest relative error that coarser grids may make; 0 takes the full grid for every scale.

    Returns:
        (n, n_paths, l_max + 1, n_powers) in double precision, paths j1 and then pairs j1 < j2.
    """
    full = spectra.full_band(density.shape[1:], cell, density.device)
    fused = not density.is_cuda and not (density.requires_grad and torch.is_grad_enabled())
    of_density = spectra.spectrum(density)
    by_order = []
    for order in range(l_max + 1):
        bands = scale_bands(full, family, n_scales, order, powers[0], tolerance)
        if fused:
            by_order.append(_fused(of_density, full, bands, family, order, powers))
        else:
            by_order.append(_differentiable(of_density, full, bands, family, order, powers))
    return torch.stack(by_order, dim=2)


def scale_bands(
    full: Band, family: WaveletFamily, n_scales: int, order: int, smallest_power: float, tolerance: float
) -> list[Band]:
    if tolerance == 0:
        return [full] * n_scales
    bands: list[Band] = []
    limit = resolved = 0.0
    for scale in reversed(range(n_scales)):  # each grid must hold those of wider scales
        limit = max(limit, family.band_limit(scale, order, tolerance ** max(1.0, 1 / smallest_power)))
        if order > 0:
            finer = (CUSP_CONSTANT / tolerance) ** (1 / CUSP_POWER)
            resolved = max(resolved, finer * family.band_limit(scale, 1, 0.5))
            fewest = FEWEST_POINTS * finer
        else:
            fewest = 0.0
        along_y, along_z = (max(resolved, pi * fewest / length) for length in full.cell_angstrom[1:])
        bands.insert(0, spectra.narrower_band(full, limit, (inf, along_y, along_z)))
    return bands


def _radial(band: Band, family: WaveletFamily, scale: int, order: int, dtype: torch.dtype) -> Tensor:
    return family.radial(scale, order, band.squared_wave_numbers(dtype))


def _fused(
    of_density: Tensor, full: Band, bands: Sequence[Band], family: WaveletFamily, order: int, powers: Sequence[float]
) -> Tensor:
    dtype = of_density.real.dtype
    scales = range(len(bands))
    radial = [_radial(bands[scale], family, scale, order, dtype) for scale in scales]

    def modulus(coefficients: Tensor, source: Band, scale: int) -> tuple[Tensor, Tensor]:
        band = bands[scale]
        total = spectra.fused_square_sum(coefficients, source.shape, band, radial[scale], order)
        return total, spectra.modulus_and_sums(total, powers) * _voxel(band)

    results = []
    for coefficients in of_density.contiguous():
        first, second = [], []
        for j1 in scales:
            total, sums = modulus(coefficients, full, j1)
            first.append(sums)
            if j1 < len(bands) - 1:
                of_modulus = spectra.spectrum(total)
                second += [modulus(of_modulus, bands[j1], j2)[1] for j2 in scales[j1 + 1 :]]
        results.append(torch.stack(first + second))
    return torch.stack(results)


def _differentiable(
    of_density: Tensor, full: Band, bands: Sequence[Band], family: WaveletFamily, order: int, powers: Sequence[float]
) -> Tensor:
    dtype = of_density.real.dtype
    scales = range(len(bands))

    def modulus(coefficients: Tensor, source: Band, scale: int) -> tuple[Tensor, Tensor]:
        band = bands[scale]
        filters = _radial(band, family, scale, order, dtype) * band.harmonics(order, dtype)
        fields = spectra.convolve(coefficients, source.shape, band, filters, order)
        # A root has no derivative at zero; where there is nothing, nothing pulls.
        squared = fields.square().sum(-4).clamp_min(torch.finfo(dtype).tiny)
        sums = [squared.pow(power / 2).sum((-3, -2, -1), dtype=torch.float64) for power in powers]
        return squared.sqrt(), torch.stack(sums, dim=-1) * _voxel(band)

    def paths_from(coefficients: Tensor, j1: int) -> Tensor:
        total, sums = modulus(coefficients, full, j1)
        paths = [sums]
        if j1 < len(bands) - 1:
            of_modulus = spectra.spectrum(total)
            paths += [modulus(of_modulus, bands[j1], j2)[1] for j2 in scales[j1 + 1 :]]
        return torch.stack(paths, dim=-2)

    # Fields are made again for the gradient: kept, they would take many times the memory of the density.
    paths = [checkpoint(paths_from, of_density, j1, use_reentrant=False) for j1 in scales]
    return torch.cat([path[:, :1] for path in paths] + [path[:, 1:] for path in paths], dim=1)


def _voxel(band: Band) -> float:
    volume = 1.0
    for length, points in zip(band.cell_angstrom, band.shape, strict=True):
        volume *= length / points
    return volume
