"""Scattering by oriented wavelets of one order, sampled along the boundary normal (Homer et al. 2019).

The published description passes rotated copies of the density through wavelets of one direction. A rotated density is the
same as wavelets turned the other way, and a turned Y_lm is a sum of the 2 l + 1 that are not (Wigner matrices): the
2 l + 1 fields of a scale are made once, and combined for every direction. What is kept of a combination is linear in its
modulus, averages over the plane and a blur along the normal, and is taken of it at once: no field of a direction is
stored.

The result holds what is distinct: opposite directions have equal moduli, so that one of each pair is given, and the
blurred density (layer 0), which is the same for all directions, is given once. The vector of the paper is longer: one
part for each of the n_polar n_azimuthal directions, layer 0 first. It follows from this one: with `position` of
`distinct_directions`, the part of direction d is layer 0 and then the moduli of direction position[d].

The paper gives no more of its blur and subsampling than the length of its vectors: (1 + n_scales) 128 for each direction,
which would be 128 samples along the normal. Blurred by 1 Angstrom a profile has frequencies above pi / Angstrom to less
than 1 % of their amplitude (exp(-pi^2 / 2)), so that the default window of 32 Angstrom takes 32 samples; 128 are these
four times over.
"""

from collections.abc import Callable, Sequence
from itertools import combinations
from math import inf, pi, sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from gbscape.config.scattering import OrientedScattering
from gbscape.features import spectra
from gbscape.features.directions import direction_angles, distinct_directions
from gbscape.features.spectra import Band
from gbscape.features.wavelets import WaveletFamily
from gbscape.features.wigner import real_wigner, rotation_matrix, zonal_coefficients

Array = NDArray[np.float64]

CUSP_CONSTANT = 0.2
"""Error of a plane's average over a grid of spacing h, of the profile's largest value, over (k h / pi)^2, where the
wavelet has half of its norm below k: measured on bulks, slabs, layers with atoms off their sites and boundaries of one
long and one short period, where wide wavelets leave fields of one coordinate, whose cusps do not average. One real field
vanishes on surfaces, where its modulus has a cusp. Along x nothing is averaged, and x stays as fine as it was."""
SAMPLED_CUSP_CONSTANT = 1.0
"""The same for blurred samples in the plane, which average over less than the plane."""
FEWEST_POINTS = 4.0
"""Least points along y and z over the root of constant / tolerance: to a wavelet as wide as the cell there are few cusps,
whose errors do not average."""
CHUNK_VALUES = 2**20
"""Moduli that are held at a time where the compiled pass is not used."""


def directions(parameters: OrientedScattering) -> Array:
    """Unit vectors (n_polar * n_azimuthal, 3) of the directions, polar angle slowest."""
    polar, azimuthal = direction_angles(parameters)
    return rotation_matrix(azimuthal, polar, 0.0)[:, :, 2]


def wavelet_coefficients(parameters: OrientedScattering) -> Array:
    """The wavelet of each direction as a sum of the real Y_lm: (n_directions, 1, 2 l + 1) for m = 0, otherwise
    (n_directions, 2, 2 l + 1) for the real and imaginary part of a complex Y_lm about the direction.

    A complex Y_lm has a modulus that does not depend on a turn about its direction, so that two angles say all.
    """
    order, m = parameters.order, parameters.component
    if m == 0:
        return zonal_coefficients(order, directions(parameters))[:, None]
    polar, azimuthal = direction_angles(parameters)
    back = np.swapaxes(rotation_matrix(azimuthal, polar, 0.0), -1, -2)
    return real_wigner(order, back)[:, [order + m, order - m]] / sqrt(2)


def oriented_samples(
    density: Tensor, cell: Sequence[float], family: WaveletFamily, parameters: OrientedScattering
) -> tuple[Tensor, Tensor]:
    """Blurred and sampled layers of densities.

    Args:
        density: (n, n_x, n_y, n_z) of the precision in which to compute.
        cell: edge lengths in Angstrom.
        family: the wavelets; their scales are the settings' n_scales.
        parameters: the settings, without a sweep.

    Returns:
        In double precision, the density's (n, samples_x, samples_y, samples_z) and the moduli's (n, n_distinct, n_paths,
        samples_x, samples_y, samples_z), of the directions and scales that `gbscape.features.names` lists; no paths if
        the layers are 1.
    """
    kept, _ = distinct_directions(parameters)
    coefficients = torch.from_numpy(wavelet_coefficients(parameters)[kept]).to(density)
    full = spectra.full_band(density.shape[1:], cell, density.device)
    bands = _bands(full, family, parameters)
    of_density = spectra.spectrum(density)
    fused = (
        not density.is_cuda
        and not (density.requires_grad and torch.is_grad_enabled())
        and parameters.samples[1:] == (1, 1)
    )
    zeroth = _samples(density, _sampling(full, parameters))
    if parameters.layers == 1:
        return zeroth, zeroth.new_empty((len(density), len(kept), 0, *parameters.samples))
    paths = []
    scales = range(parameters.n_scales)
    pairs: dict[tuple[int, int], Tensor] = {}
    for j in scales:
        sampling = _sampling(bands[j], parameters)
        radial = family.radial(j, parameters.order, bands[j].squared_wave_numbers(density.dtype))
        deeper = parameters.layers > 2 and j < parameters.n_scales - 1
        if fused and not deeper:
            paths.append(_fused_first_layer(of_density, full, bands[j], radial, coefficients, sampling, parameters))
            continue
        filters = radial * bands[j].harmonics(parameters.order, density.dtype)
        fields = spectra.convolve(of_density, full.shape, bands[j], filters, parameters.order)
        paths.append(_first_layer(fields, coefficients, sampling))
        if deeper:
            pairs |= _second_layer(fields, j, bands, coefficients, family, parameters)
    paths += [pairs[pair] for pair in combinations(scales, 2) if parameters.layers > 2]
    return zeroth, torch.stack(paths, dim=2)


def _bands(full: Band, family: WaveletFamily, parameters: OrientedScattering) -> list[Band]:
    """One band for each scale; each grid holds those of wider scales."""
    if parameters.tolerance == 0:
        return [full] * parameters.n_scales
    bands: list[Band] = []
    limit = resolved = 0.0
    averaged = parameters.samples[1:] == (1, 1)
    finer = sqrt((CUSP_CONSTANT if averaged else SAMPLED_CUSP_CONSTANT) / parameters.tolerance)
    for scale in reversed(range(parameters.n_scales)):
        limit = max(limit, family.band_limit(scale, parameters.order, parameters.tolerance))
        resolved = max(resolved, finer * family.band_limit(scale, parameters.order, 0.5))
        along_y, along_z = (max(resolved, pi * FEWEST_POINTS * finer / length) for length in full.cell_angstrom[1:])
        bands.insert(0, spectra.narrower_band(full, limit, (inf, along_y, along_z)))
    return bands


def _sampling(band: Band, parameters: OrientedScattering) -> list[Tensor]:
    """Matrices (samples, points), one an axis, that blur and sample a function on the band's grid."""
    return [
        torch.from_numpy(matrix).to(band.device)
        for matrix in sampling_matrices(band.shape, band.cell_angstrom, parameters)
    ]


def sampling_matrices(
    shape: Sequence[int], cell: Sequence[float], parameters: OrientedScattering
) -> tuple[Array, Array, Array]:
    """Matrices (samples, points), one an axis: trigonometric interpolation, blurred by a Gaussian.

    Along x the samples are in the middle of equal parts of the window about the middle of the cell; along y and z they
    are at i L / n, and a single one is the average over the period.
    """
    matrices = []
    for axis, (points, length, count) in enumerate(zip(shape, cell, parameters.samples, strict=True)):
        if axis == 0:
            where = length / 2 + parameters.window_angstrom * ((np.arange(count) + 0.5) / count - 0.5)
        else:
            where = np.arange(count) * length / count
        frequency = np.arange(points // 2 + 1)
        wave = 2 * pi / length * frequency
        weight = np.where(frequency == 0, 1.0, 2.0) * np.exp(-0.5 * (wave * parameters.blur_angstrom) ** 2) / points
        if points % 2 == 0:
            weight[-1] /= 2
        if axis > 0 and count == 1:
            weight[1:] = 0
        phase = np.exp(1j * np.outer(where, wave)) * weight
        matrices.append((phase @ np.exp(-1j * np.outer(wave, np.arange(points) * length / points))).real)
    return matrices[0], matrices[1], matrices[2]


def _samples(values: Tensor, sampling: Sequence[Tensor]) -> Tensor:
    """(..., n_x, n_y, n_z) to (..., samples_x, samples_y, samples_z) in double precision."""
    return _along_x(_in_plane(values, sampling), sampling)


def _in_plane(values: Tensor, sampling: Sequence[Tensor]) -> Tensor:
    """(..., n_x, n_y, n_z) to (..., n_x, samples_y, samples_z) in double precision."""
    _, along_y, along_z = sampling
    if len(along_y) == len(along_z) == 1:  # averages
        return values.mean((-2, -1), dtype=torch.float64)[..., None, None]
    return along_y @ (values @ along_z.T.to(values.dtype)).double()


def _along_x(planes: Tensor, sampling: Sequence[Tensor]) -> Tensor:
    return torch.einsum("sx,...xyz->...syz", sampling[0], planes)


def combined_moduli(fields: Tensor, coefficients: Tensor) -> Tensor:
    """(..., 2 l + 1, n_x, n_y, n_z) fields to (..., n_directions, n_x, n_y, n_z) moduli."""
    parts = torch.einsum("dpm,...mxyz->...pdxyz", coefficients, fields)
    if coefficients.shape[1] == 1:
        return parts.squeeze(-5).abs()
    # A root has no derivative at zero; where there is nothing, nothing pulls.
    return parts.square().sum(-5).clamp_min(torch.finfo(fields.dtype).tiny).sqrt()


def _first_layer(fields: Tensor, coefficients: Tensor, sampling: Sequence[Tensor]) -> Tensor:
    """(n, n_directions, samples) of the fields (n, 2 l + 1, n_x, n_y, n_z), some planes at a time."""

    def planes(part: Tensor) -> Tensor:
        return _in_plane(combined_moduli(part, coefficients), sampling)

    a_plane = fields.shape[0] * coefficients.shape[0] * coefficients.shape[1] * fields.shape[-2] * fields.shape[-1]
    parts = fields.split(max(1, CHUNK_VALUES // a_plane), dim=-3)
    return _along_x(torch.cat([_remade(planes, part) for part in parts], dim=-3), sampling)


def _fused_first_layer(
    of_density: Tensor,
    full: Band,
    band: Band,
    radial: Tensor,
    coefficients: Tensor,
    sampling: Sequence[Tensor],
    parameters: OrientedScattering,
) -> Tensor:
    """The same for averages over the plane, from the spectra (n, ...), by the compiled pass."""
    profiles = [
        plane_means(spectra.fused_fields(one, full.shape, band, radial, parameters.order), coefficients)
        for one in of_density.contiguous()
    ]
    return _along_x(torch.stack(profiles)[..., None, None], sampling)


def plane_means(fields: Sequence[Tensor], coefficients: Tensor) -> Tensor:
    """Averages over y and z of the moduli of combined fields.

    Args:
        fields: 2 l + 1 contiguous tensors (n_x, n_y, n_z) on the CPU.
        coefficients: (n_directions, 1 or 2, 2 l + 1) of the fields' precision.

    Returns:
        (n_directions, n_x) in double precision.
    """
    n_x, n_y, n_z = fields[0].shape
    n_directions, parts, components = coefficients.shape
    if len(fields) != components or any(
        field.shape != (n_x, n_y, n_z) or field.dtype != coefficients.dtype or not field.is_contiguous()
        for field in fields
    ):
        raise ValueError(f"{components} contiguous fields of one shape and of {coefficients.dtype} are needed")
    own = coefficients.contiguous()
    means = torch.empty(n_directions, n_x, dtype=torch.float64)
    failed = spectra.call(
        __name__, "plane_means", own.dtype, fields, components, n_x, n_y * n_z, own, n_directions, parts, means,
        torch.get_num_threads(),
    )  # fmt: skip
    if failed:
        raise ValueError(f"the compiled pass has no code for {components} components")
    return means


def _second_layer(
    fields: Tensor,
    j1: int,
    bands: Sequence[Band],
    coefficients: Tensor,
    family: WaveletFamily,
    parameters: OrientedScattering,
) -> dict[tuple[int, int], Tensor]:
    """(n, n_directions, samples) of each pair j1 < j2, from the fields (n, 2 l + 1, ...) of j1, one direction at a time."""
    wider = range(j1 + 1, parameters.n_scales)
    filters = {
        j2: family.radial(j2, parameters.order, bands[j2].squared_wave_numbers(fields.dtype))
        * bands[j2].harmonics(parameters.order, fields.dtype)
        for j2 in wider
    }
    samplings = {j2: _sampling(bands[j2], parameters) for j2 in wider}

    def of_direction(all_fields: Tensor, direction: Tensor) -> Tensor:
        of_modulus = spectra.spectrum(combined_moduli(all_fields, direction[None])[:, 0])
        samples = []
        for j2 in wider:
            turned = torch.einsum("pm,mxyz->pxyz", direction, filters[j2])
            parts = spectra.convolve(of_modulus, bands[j1].shape, bands[j2], turned, parameters.order)
            identity = torch.eye(len(direction)).to(direction)[None]
            samples.append(_samples(combined_moduli(parts, identity)[:, 0], samplings[j2]))
        return torch.stack(samples, dim=1)

    results = torch.stack([_remade(of_direction, fields, direction) for direction in coefficients], dim=2)
    return {(j1, j2): results[:, i] for i, j2 in enumerate(wider)}


def _remade(function: Callable[..., Tensor], *arguments: Tensor) -> Tensor:
    """Call a function whose intermediate results are made again for the gradient instead of kept."""
    return checkpoint(function, *arguments, use_reentrant=False)  # type: ignore[no-any-return]
