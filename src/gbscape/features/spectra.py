"""Convolutions of real fields on periodic grids with wavelets, by half spectra.

A field on a periodic cell is known by its Fourier coefficients, of which a real FFT keeps half. A wavelet of
a wide scale leaves few of them, and the convolution is then known on a coarser grid, its `Band`.

Every step comes twice: as torch operations, which run on any device, in cells of any angles, and can be differentiated, and
as fused passes of compiled code (`spectra.cpp`) for orthorhombic cells on a CPU when no gradient is asked for. Both give the same up to rounding. The passes have an
inverse FFT of their own (`fft.hpp`), as a library's would write out what the next pass reads: PyTorch's inverse transforms
alone take 1.4 to 2.2 times as long as all the passes (one core, grids of 64^3 to 128^3 and of thin cells).

At the highest frequency of an even grid the coefficient stands for both signs of the frequency, so that a filter that is
odd along this axis counts as zero there, like the derivative of a trigonometric interpolation.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, isinf, pi
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from torch import Tensor

from gbscape.features.solid_harmonics import polar_coefficients, real_solid_harmonics
from gbscape.native import load

COMPLEX = {torch.float32: torch.complex64, torch.float64: torch.complex128}
_SUFFIX = {torch.float32: "float", torch.float64: "double"}


@dataclass(frozen=True)
class Band:
    """Frequencies -limit ... limit along each axis, and a grid for fields that are made of them."""

    shape: tuple[int, int, int]
    """Points of the grid."""
    limits: tuple[int, int, int]
    """Highest frequency kept along each axis, in periods of the cell."""
    cell_angstrom: tuple[float, float, float]
    """Edge lengths of the cell."""
    device: torch.device
    reciprocal: tuple[tuple[float, float, float], ...] | None = None
    """Wave vectors, in Angstrom^-1, of one period along each axis of a cell without right angles; None: orthorhombic."""

    @property
    def spectrum_shape(self) -> tuple[int, int, int]:
        """Rows along x and y as the FFT orders them, those above the limit included, and 0 ... limit along z."""
        return self.shape[0], self.shape[1], self.limits[2] + 1

    @cached_property
    def frequencies(self) -> tuple[Tensor, Tensor, Tensor]:
        """Integer frequencies of the rows of a spectrum, one tensor an axis."""
        nx, ny, nz = self.spectrum_shape
        return _signed(nx).to(self.device), _signed(ny).to(self.device), torch.arange(nz, device=self.device)

    @cached_property
    def wave_vectors(self) -> tuple[Tensor, Tensor, Tensor]:
        """Wave vectors of the rows of an orthorhombic cell in Angstrom^-1, one tensor of double precision an axis."""
        fx, fy, fz = (
            frequency * (2 * pi / length) for frequency, length in zip(self._doubles, self.cell_angstrom, strict=True)
        )
        return fx, fy, fz

    @property
    def _doubles(self) -> list[Tensor]:
        return [frequency.double() for frequency in self.frequencies]

    @cached_property
    def ambiguous(self) -> tuple[Tensor, Tensor, Tensor]:
        """Where a row is the highest frequency of an even grid, one tensor of truth values an axis."""
        x, y, z = (2 * f.abs() == n for f, n in zip(self.frequencies, self.shape, strict=True))
        return x, y, z

    @cached_property
    def kept(self) -> Tensor:
        """(spectrum_shape) truth values: the frequency is not above the limits."""
        x, y, z = (f.abs() <= limit for f, limit in zip(self.frequencies, self.limits, strict=True))
        return x[:, None, None] & y[:, None] & z

    def rows_of(self, source_shape: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Which rows of a spectrum on a grid of `source_shape` are this spectrum's rows along x and y; -1: none."""
        x, y = (
            torch.where(f.abs() <= limit, f % points, -1)
            for f, limit, points in zip(self.frequencies[:2], self.limits[:2], source_shape[:2], strict=True)
        )
        return x, y

    def components(self, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
        """x, y and z of the wave vectors in Angstrom^-1, of shapes that broadcast to `spectrum_shape`."""
        if self.reciprocal is None:
            x, y, z = (k.to(dtype) for k in self.wave_vectors)
            return x[:, None, None], y[:, None], z
        fx, fy, fz = (f.to(dtype) for f in self._doubles)
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = self.reciprocal
        along_a, along_b = fx[:, None, None], fy[:, None]
        return (
            along_a * ax + along_b * bx + fz * cx,
            along_a * ay + along_b * by + fz * cy,
            along_a * az + along_b * bz + fz * cz,
        )

    def squared_wave_numbers(self, dtype: torch.dtype) -> Tensor:
        """(spectrum_shape) in Angstrom^-2."""
        x, y, z = self.components(dtype)
        return x.square() + y.square() + z.square()

    def harmonics(self, order: int, dtype: torch.dtype) -> Tensor:
        """(2 l + 1, spectrum_shape) real solid harmonics of the wave vectors, zero where they are ambiguous.

        In a cell without right angles that is the whole of the highest frequency of an even grid, whose two signs belong to
        different wave numbers.
        """
        x, y, z = self.components(dtype)
        values = torch.stack([value.expand(self.spectrum_shape) for value in real_solid_harmonics(order, x, y, z)])
        if self.reciprocal is not None:
            for axis, ambiguous in enumerate(self.ambiguous, 1):
                values.movedim(axis, 0)[ambiguous] = 0
            return values
        for m in range(-order, order + 1):
            for axis, odd in enumerate(parities(order, m)):
                if odd:
                    values[order + m].movedim(axis, 0)[self.ambiguous[axis]] = 0
        return values


def parities(order: int, m: int) -> tuple[bool, bool, bool]:
    """Whether the real harmonic of order l changes sign with x, y and z."""
    return (m % 2 == 1) if m >= 0 else (m % 2 == 0), m < 0, (order - m) % 2 == 1


def _signed(points: int) -> Tensor:
    return torch.from_numpy(np.fft.fftfreq(points, 1 / points).round().astype(np.int64))


def full_band(shape: Sequence[int], cell_angstrom: Sequence[float], device: torch.device) -> Band:
    """All frequencies of a grid."""
    nx, ny, nz = shape
    lx, ly, lz = cell_angstrom
    return Band((nx, ny, nz), (nx // 2, ny // 2, nz // 2), (lx, ly, lz), device)


def band_of_any_cell(shape: Sequence[int], cell: NDArray[np.float64], device: torch.device) -> Band:
    """All frequencies of a grid over a cell (3, 3) in Angstrom, a row a vector, whatever its angles."""
    nx, ny, nz = shape
    a, b, c = np.linalg.norm(cell, axis=1).tolist()
    reciprocal = 2 * pi * np.linalg.inv(cell).T
    return Band(
        (nx, ny, nz),
        (nx // 2, ny // 2, nz // 2),
        (a, b, c),
        device,
        tuple((float(x), float(y), float(z)) for x, y, z in reciprocal),
    )


def narrower_band(full: Band, limit: float, resolved: Sequence[float]) -> Band:
    """The part of a grid's frequencies that a wide wavelet leaves, on a grid that suits a fast Fourier transform.

    Args:
        full: the whole grid's, which is given back along an axis that is not finer than what is asked for.
        limit: wave number in Angstrom^-1 up to which frequencies are kept along each axis.
        resolved: wave number that the coarser grid must resolve along each axis, where it is above the limit. Infinity
            leaves an axis as it is, with all frequencies: a cut would ring through whatever is empty along it.
    """
    shape, limits = [], []
    for points, length, wanted in zip(full.shape, full.cell_angstrom, resolved, strict=True):
        if isinf(wanted):
            shape.append(points)
            limits.append(points // 2)
            continue
        highest = min(limit * length / (2 * pi), points / 2)
        half = max(1, ceil(min(max(limit, wanted) * length / (2 * pi), points) + 1))
        fewer = 2 * next_fast_len(half, real=True)
        if fewer >= points:
            shape.append(points)
            limits.append(min(ceil(highest), points // 2))
        else:
            shape.append(fewer)
            limits.append(min(ceil(highest), fewer // 2 - 1))
    return Band((shape[0], shape[1], shape[2]), (limits[0], limits[1], limits[2]), full.cell_angstrom, full.device)


def spectrum(field: Tensor) -> Tensor:
    """Fourier coefficients (..., n_x, n_y, n_z // 2 + 1) of real fields (..., n_x, n_y, n_z)."""
    return torch.fft.rfftn(field, dim=(-3, -2, -1), norm="forward")


def convolve(coefficients: Tensor, source_shape: Sequence[int], band: Band, filters: Tensor, order: int) -> Tensor:
    """Convolutions with filters of one order.

    Args:
        coefficients: (..., spectrum of a grid) from `spectrum`.
        source_shape: points of that grid, which must hold the band.
        band: frequencies to keep and grid of the results.
        filters: (n_filters, band.spectrum_shape) real Fourier transforms without the phase (-i)^l.
        order: l of the filters, for that phase.

    Returns:
        (..., n_filters, band.shape) real fields.
    """
    rows_x, rows_y = band.rows_of(source_shape)
    part = coefficients[..., : band.spectrum_shape[2]].index_select(-3, rows_x.clamp_min(0))
    part = part.index_select(-2, rows_y.clamp_min(0)) * (band.kept * _phase(order))
    return torch.fft.irfftn(part.unsqueeze(-4) * filters, s=band.shape, dim=(-3, -2, -1), norm="forward")


def _phase(order: int) -> complex:
    # A sign does not matter to a modulus, so that i^l is 1 or -i.
    return -1j if order % 2 else 1


def fused_fields(
    coefficients: Tensor, source_shape: Sequence[int], band: Band, radial: Tensor, order: int
) -> list[Tensor]:
    """Convolutions (band.shape) with radial(k) |k|^l Y_lm for m = -l ... l, by compiled passes.

    Args:
        coefficients: (spectrum of a grid) on the CPU, contiguous; no gradient is kept.
        source_shape: points of that grid, which must hold the band.
        band: frequencies to keep and grid of the results.
        radial: (band.spectrum_shape), contiguous, of the coefficients' precision.
        order: l.
    """
    fields = [torch.empty(band.shape, dtype=radial.dtype) for _ in range(2 * order + 1)]
    _convolve(coefficients, source_shape, band, radial, order, fields, False)
    return fields


def fused_square_sum(
    coefficients: Tensor, source_shape: Sequence[int], band: Band, radial: Tensor, order: int
) -> Tensor:
    """The sum over m of the squares of `fused_fields`, which are not stored."""
    total = torch.empty(band.shape, dtype=radial.dtype)
    _convolve(coefficients, source_shape, band, radial, order, [total], True)
    return total


def _convolve(
    coefficients: Tensor,
    source_shape: Sequence[int],
    band: Band,
    radial: Tensor,
    order: int,
    out: list[Tensor],
    sum_squares: bool,
) -> None:
    if radial.shape != band.spectrum_shape or not radial.is_contiguous():
        raise ValueError(f"the radial factor must be contiguous of shape {band.spectrum_shape}, got {radial.shape}")
    if coefficients.dtype != COMPLEX[radial.dtype] or not coefficients.is_contiguous() or coefficients.is_cuda:
        raise ValueError(f"the coefficients must be contiguous {COMPLEX[radial.dtype]} on the CPU")
    if coefficients.shape != (source_shape[0], source_shape[1], source_shape[2] // 2 + 1):
        raise ValueError(f"{tuple(coefficients.shape)} are not the coefficients of a grid {tuple(source_shape)}")
    ambiguous_x, ambiguous_y, ambiguous_z = band.ambiguous
    polar = torch.zeros(2 * order + 1, order // 2 + 1, dtype=torch.float64)
    for m in range(-order, order + 1):
        row = torch.tensor(polar_coefficients(order, m), dtype=torch.float64)
        polar[order + m, : len(row)] = row
    call(
        __name__, "convolve", radial.dtype, coefficients, *coefficients.shape[1:], *band.rows_of(source_shape), *band.shape,
        band.spectrum_shape[2], *band.wave_vectors, ambiguous_x, ambiguous_y, int(ambiguous_z[-1]), radial, order, polar,
        int(sum_squares), out, torch.get_num_threads(),
    )  # fmt: skip


def modulus_and_sums(total: Tensor, powers: Sequence[float]) -> Tensor:
    """Replace a contiguous tensor on the CPU by its square root, and sum the root's powers in double precision (n_powers,)."""
    exponents = torch.tensor(powers, dtype=torch.float64)
    sums = torch.empty_like(exponents)
    call(
        __name__, "modulus_and_sums", total.dtype, total, total.numel(), exponents, len(powers), sums, torch.get_num_threads()
    )  # fmt: skip
    return sums


def call(module: str, function: str, dtype: torch.dtype, *arguments: Tensor | Sequence[Tensor] | int) -> int:
    """Call a function of a compiled library for a precision: tensors as pointers, several tensors as an array of them,
    whole numbers with 64 bits."""
    own: list[Any] = []
    for argument in arguments:
        if isinstance(argument, Tensor):
            own.append(ctypes.c_void_p(argument.data_ptr()))
        elif isinstance(argument, int):
            own.append(ctypes.c_int64(argument))
        else:
            own.append((ctypes.c_void_p * len(argument))(*(tensor.data_ptr() for tensor in argument)))
    return int(getattr(load(module), f"{function}_{_SUFFIX[dtype]}")(*own))
