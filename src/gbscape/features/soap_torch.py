"""SOAP by torch, for CUDA devices: neighbours, expansion, power spectrum and projection all stay on the device.

Conventions are those of `gbscape.features.soap`. Distances and directions are computed in float64 whatever the dtype of
the rest, so that float32 loses nothing to large coordinates.
"""

import logging
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import reduce
from typing import NamedTuple

import numpy as np
import torch
from ase import Atoms
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.nn.functional import embedding_bag, pad

from gbscape.config.soap import SoapParameters
from gbscape.features.checks import COINCIDENCE_ANGSTROM, neighbour_channels, neighbour_species, periodic_cell
from gbscape.features.radial_basis import central_coefficients, hermite_table
from gbscape.features.torch_device import default_device
from gbscape.structure.cell_list_torch import CellList, build_cell_list, candidate_counts, find_neighbours

_TABLE_TOLERANCE = {torch.float64: 3e-11, torch.float32: 1e-7}
_BATCH_BYTES = {"cuda": 2**30, "cpu": 2**25}
"""Intermediate results of one batch. Small on a CPU, whose caches they should fit."""
_PADDING = 8
"""Numbers of neighbours are rounded up to multiples of this, so that atoms of nearly equal numbers share a product."""


@torch.no_grad()
def power_spectrum_torch(
    atoms: Atoms,
    parameters: SoapParameters,
    centres: ArrayLike,
    projection: ArrayLike | None = None,
    *,
    device: str | torch.device | None = None,
    dtype: torch.dtype = torch.float64,
    batch_atoms: int | None = None,
) -> NDArray[np.floating]:
    """SOAP vectors of the atoms with these indices, in their order.

    Args:
        atoms: any structure; periodic in any directions, of any shape of cell, however small.
        parameters: the descriptor's settings.
        centres: (n_centres,) indices.
        projection: (n_features, k); each vector is multiplied by it on the device.
        device: None takes a CUDA device where there is one, otherwise the CPU, and says so in the log.
        dtype: of the expansion and of the result: float64, right to 1e-10, or float32, right to 1e-5.
        batch_atoms: centres at a time; None takes as many as make intermediate results of about 1 GiB on a CUDA device,
            32 MiB on the CPU.

    Returns:
        In the dtype, (n_centres, n_features) or, projected, (n_centres, k); averaged over the centres (n_features,) or
        (k,). An atom without neighbours, and of no weight itself, has a vector of zeros, normalised or not.

    Raises:
        ValueError: more than one species where none is named, a periodic direction without a cell vector, an atom on
            top of a centre, no centres or centres out of range, a projection of another shape, another dtype,
            batch_atoms below 1; a radial basis that is numerically linearly dependent (see
            `gbscape.features.radial_basis`).
    """
    if dtype not in _TABLE_TOLERANCE:
        raise ValueError(f"dtype must be torch.float64 or torch.float32, got {dtype}")
    if batch_atoms is not None and batch_atoms < 1:
        raise ValueError(f"batch_atoms must be at least 1, got {batch_atoms}")
    target = _device(device)
    indices = _centres(centres, len(atoms)).to(target)
    species = neighbour_species(atoms, parameters)
    cells = build_cell_list(atoms.positions, periodic_cell(atoms), atoms.pbc, parameters.cutoff_angstrom, target)
    channel_of_atom = torch.tensor(neighbour_channels(atoms, species), dtype=torch.int64, device=target)
    expansion = _expansion(parameters, len(species), target, dtype)
    projector = _projector(projection, expansion, dtype)

    with _full_float32_precision():
        batches = _batches(cells, indices, expansion, batch_atoms)
        portions = (_coefficients(cells, batch, channel_of_atom, expansion) for batch in batches)
        if parameters.averaging == "none":
            return _rows(portions, len(indices), expansion, projector)
        if parameters.averaging == "spectra":
            (total,) = _totals([_spectra(portion, parameters.normalise)] for portion in portions)
            mean = total / len(indices)
        else:
            mean = _spectra([total / len(indices) for total in _totals(portions)], parameters.normalise)
        mean = mean.to(dtype)
        return (mean if projector is None else mean @ projector)[0].cpu().numpy()


class _Expansion(NamedTuple):
    parameters: SoapParameters
    n_channels: int
    """Densities, one for each species of neighbours."""
    dtype: torch.dtype
    step: float
    """Between points of the table, Angstrom."""
    tables: list[Tensor]
    """By l: (2 n_points, n_max) value and derivative times the step at each point, in turn."""
    central: Tensor
    """(n_max,) what the centre's own Gaussian adds to c[l=0]."""


def _rows(
    portions: Iterable[list[Tensor]], n_centres: int, expansion: _Expansion, projector: Tensor | None
) -> NDArray[np.floating]:
    """Spectra, or their projections, of one portion of coefficients after the other."""
    width = expansion.parameters.n_features if projector is None else projector.shape[1]
    rows = torch.empty(n_centres, width, dtype=expansion.dtype)
    done = 0
    for portion in portions:
        spectra = _spectra(portion, expansion.parameters.normalise)
        rows[done : done + len(spectra)] = spectra if projector is None else spectra @ projector
        done += len(spectra)
    return rows.numpy()


def _totals(portions: Iterable[list[Tensor]]) -> list[Tensor]:
    """Sums over the centres, the first dimension (kept, of length 1), in float64."""
    sums = ([part.sum(dim=0, keepdim=True, dtype=torch.float64) for part in portion] for portion in portions)
    return reduce(lambda total, more: [a + b for a, b in zip(total, more, strict=True)], sums)


def _expansion(parameters: SoapParameters, n_channels: int, device: torch.device, dtype: torch.dtype) -> _Expansion:
    table = hermite_table(parameters, _TABLE_TOLERANCE[dtype])
    central = parameters.central_weight * central_coefficients(
        parameters.n_max, parameters.cutoff_angstrom, parameters.sigma_angstrom
    )
    return _Expansion(
        parameters=parameters,
        n_channels=n_channels,
        dtype=dtype,
        step=table.step_angstrom,
        tables=[
            torch.tensor(table.values[:, :, order], dtype=dtype, device=device).flatten(0, 1)
            for order in range(parameters.l_max + 1)
        ],
        central=torch.tensor(central, dtype=dtype, device=device),
    )


def _coefficients(cells: CellList, centres: Tensor, channel_of_atom: Tensor, expansion: _Expansion) -> list[Tensor]:
    """Density coefficients, by l: (n_centres, 2 l + 1, n_channels * n_max), of real spherical harmonics."""
    parameters, n_channels = expansion.parameters, expansion.n_channels
    centre, atom, displacement = find_neighbours(cells, centres)
    channel = channel_of_atom[atom]
    seen = (channel >= 0).nonzero().squeeze(1)
    segment = (centre * n_channels + channel)[seen]
    if n_channels > 1:
        segment, order = torch.sort(segment)
        seen = seen[order]
    displacement = displacement[seen]
    coincident = torch.linalg.vector_norm(displacement, dim=1) < COINCIDENCE_ANGSTROM
    if coincident.any():
        first = int(centres[segment[coincident][0] // n_channels])
        raise ValueError(
            f"atom {first} is less than {COINCIDENCE_ANGSTROM:g} Angstrom from another: one atom stored twice, or on "
            "top of a periodic image"
        )
    # a segment is the neighbours of one centre in one channel
    n_segments = len(centres) * n_channels
    counts = torch.bincount(segment, minlength=n_segments)
    starts = torch.cumsum(counts, dim=0) - counts
    padded = (counts + _PADDING - 1) // _PADDING * _PADDING
    result = [
        torch.zeros(n_segments, 2 * order + 1, parameters.n_max, dtype=expansion.dtype, device=centres.device)
        for order in range(parameters.l_max + 1)
    ]
    for width in torch.unique(padded).tolist():
        if width == 0:
            continue
        members = (padded == width).nonzero().squeeze(1)
        slot = torch.arange(width, device=centres.device)
        real = slot < counts[members, None]
        pair = torch.where(real, starts[members, None] + slot, 0)
        for coefficients, part in zip(result, _sums(displacement[pair], real, expansion), strict=True):
            coefficients[members] = part
    # Where one species is seen, a centre of another adds itself to that all the same, as in quippy.
    own = channel_of_atom[centres] if n_channels > 1 else torch.zeros_like(centres)
    of_own = (own >= 0).nonzero().squeeze(1)
    result[0][of_own * n_channels + own[of_own], 0] += expansion.central
    return [
        part.view(len(centres), n_channels, -1, parameters.n_max)
        .transpose(1, 2)
        .reshape(len(centres), -1, n_channels * parameters.n_max)
        for part in result
    ]


def _sums(displacements: Tensor, real: Tensor, expansion: _Expansion) -> Iterator[Tensor]:
    """Sums over neighbours of radial times angular part, for l = 0, 1, ...: (n_segments, 2 l + 1, n_max).

    Args:
        displacements: (n_segments, width, 3), float64.
        real: (n_segments, width), false for padding.
    """
    parameters, dtype = expansion.parameters, expansion.dtype
    shape = displacements.shape[:2]
    flat = displacements.view(-1, 3)
    distance = torch.linalg.vector_norm(flat, dim=1)
    directions = (flat / distance[:, None]).to(dtype)
    width = parameters.cutoff_transition_width_angstrom
    phase = ((distance - (parameters.cutoff_angstrom - width)) / width).clamp(0, 1)
    faded = torch.where(real.view(-1), 0.5 * (1 + torch.cos(math.pi * phase)), 0)
    interval = torch.div(distance, expansion.step, rounding_mode="floor")
    u = distance / expansion.step - interval
    v = 1 - u
    weights = torch.stack([(1 + 2 * u) * v * v, u * v * v, u * u * (1 + 2 * v), -u * u * v], dim=1)
    weights = (faded[:, None] * weights).to(dtype)
    rows = (2 * interval.int())[:, None] + torch.arange(4, dtype=torch.int32, device=flat.device)
    for table, angular in zip(expansion.tables, _real_harmonics(directions, parameters.l_max), strict=True):
        # looks up and adds in one go, without a copy of the rows
        radial = embedding_bag(rows, table, per_sample_weights=weights, mode="sum")
        yield torch.bmm(angular.view(-1, *shape).transpose(0, 1), radial.view(*shape, -1))


def _real_harmonics(directions: Tensor, l_max: int) -> Iterator[Tensor]:
    """Real spherical harmonics for l = 0, 1, ...: (2 l + 1, n_directions), m = 0 ... l (cosine), then 1 ... l (sine).

    Upward recurrence in l of the normalised Legendre functions, from which sin^m is left out (Holmes and Featherstone,
    J. Geodesy 76, 279 (2002)); it goes with the powers of x + i y.
    """
    x, y, z = directions.unbind(dim=1)
    cosines, sines = [torch.ones_like(x)], [torch.zeros_like(x)]
    for _ in range(l_max):
        cosines.append(cosines[-1] * x - sines[-1] * y)
        sines.append(sines[-1] * x + cosines[-2] * y)
    cosine, sine = torch.stack(cosines), torch.stack(sines)
    diagonal = 1 / math.sqrt(4 * math.pi)
    before, current = cosine[:0], torch.full_like(x, diagonal)[None]
    for order in range(l_max + 1):
        if order:
            # sqrt(2) once, from m = 0 to m = 1, stands for the real harmonics' norm
            diagonal *= math.sqrt((2 * order + 1) / (2 * order) * (2 if order == 1 else 1))
            m = torch.arange(order, dtype=torch.float64, device=x.device)
            raising = torch.sqrt((4 * order**2 - 1) / (order**2 - m**2))
            lowering = torch.sqrt(((order - 1) ** 2 - m**2).clamp_min(0) / max(4 * (order - 1) ** 2 - 1, 1))
            following = raising.to(x.dtype)[:, None] * (
                z * current - lowering.to(x.dtype)[:, None] * pad(before, (0, 0, 0, order - len(before)))
            )
            before, current = current, torch.cat([following, torch.full_like(x, diagonal)[None]])
        yield torch.cat([current * cosine[: order + 1], current[1:] * sine[1 : order + 1]])


def _spectra(coefficients: list[Tensor], normalise: bool) -> Tensor:
    """Power spectra (n_centres, n_features)."""
    n_centres, _, functions = coefficients[0].shape
    device, dtype = coefficients[0].device, coefficients[0].dtype
    first, second = torch.tril_indices(functions, functions, device=device)
    factor = torch.where(first == second, 1, torch.tensor(2, dtype=dtype, device=device).sqrt())
    spectra = torch.zeros(n_centres, len(first) * len(coefficients) + 1, dtype=dtype, device=device)
    by_order = spectra[:, :-1].unflatten(1, (len(first), len(coefficients)))
    for order, part in enumerate(coefficients):
        products = torch.bmm(part.transpose(1, 2), part).flatten(1)
        by_order[:, :, order] = products[:, first * functions + second] * (factor / math.sqrt(2 * order + 1))
    if normalise:
        norm = torch.linalg.vector_norm(spectra, dim=1, keepdim=True)
        spectra /= torch.where(norm > 0, norm, 1)
    return spectra


def _batches(cells: CellList, centres: Tensor, expansion: _Expansion, batch_atoms: int | None) -> Iterator[Tensor]:
    """Centres in portions of `batch_atoms`, or whose intermediate results take about `_BATCH_BYTES`."""
    if batch_atoms is not None:
        yield from torch.split(centres, batch_atoms)
        return
    parameters = expansion.parameters
    n_orders, functions = parameters.l_max + 1, expansion.n_channels * parameters.n_max
    itemsize = expansion.dtype.itemsize
    # a quarter of the candidates are neighbours, the rest of the volume searched is outside the sphere
    bytes_per_candidate = 190 + itemsize * (8 * n_orders + 2 * parameters.n_max) / 4
    bytes_per_centre = itemsize * (2 * functions * n_orders**2 + functions**2 + 2 * parameters.n_features)
    needed = candidate_counts(cells, centres) * bytes_per_candidate + bytes_per_centre
    batch = (torch.cumsum(needed, dim=0) // _BATCH_BYTES[centres.device.type]).long()
    yield from torch.split(centres, torch.unique_consecutive(batch, return_counts=True)[1].tolist())


@contextmanager
def _full_float32_precision() -> Iterator[None]:
    """No TF32 or bfloat16 in products of float32, whatever the process has chosen: they would be wrong by 1e-3."""
    chosen = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(chosen)


def _device(device: str | torch.device | None) -> torch.device:
    chosen = default_device("SOAP by torch runs", logging.WARNING) if device is None else torch.device(device)
    if chosen.type not in _BATCH_BYTES:
        raise ValueError(f"device must be one of {', '.join(_BATCH_BYTES)}, got {chosen}")
    return chosen


def _centres(centres: ArrayLike, n_atoms: int) -> Tensor:
    indices = np.asarray(centres)
    if indices.ndim != 1 or not len(indices) or not np.issubdtype(indices.dtype, np.integer):
        raise ValueError(f"centres must be at least one index, got {indices.dtype} of shape {indices.shape}")
    if indices.min() < 0 or indices.max() >= n_atoms:
        raise ValueError(f"indices of centres must be from 0 to {n_atoms - 1}")
    return torch.tensor(indices, dtype=torch.int64)


def _projector(projection: ArrayLike | None, expansion: _Expansion, dtype: torch.dtype) -> Tensor | None:
    if projection is None:
        return None
    matrix = torch.tensor(np.asarray(projection), dtype=dtype, device=expansion.central.device)
    if matrix.ndim != 2 or len(matrix) != expansion.parameters.n_features:
        raise ValueError(
            f"projection must be of shape ({expansion.parameters.n_features}, k), got {tuple(matrix.shape)}"
        )
    return matrix
