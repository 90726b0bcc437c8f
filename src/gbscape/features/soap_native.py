"""SOAP by the compiled kernel `soap_native.cpp`: any structure, threads over its atoms, memory for a chunk at a time."""

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from gbscape.config.soap import SoapParameters
from gbscape.features.checks import neighbour_channels, neighbour_species, periodic_cell
from gbscape.features.radial_basis import central_coefficients, hermite_table
from gbscape.native import load

_TOLERANCE = 1e-10
"""Error of the interpolated radial functions, relative to the largest."""
_COINCIDENT = 2

_Address = ctypes.c_void_p
_Long = ctypes.c_int64


class _Structure(ctypes.Structure):
    _fields_ = [
        ("positions", _Address),
        ("channels", _Address),
        ("n", _Long),
        ("cell", _Address),
        ("periodic", _Address),
        ("scale", ctypes.c_double),
    ]


class _Plan(ctypes.Structure):
    _fields_ = [
        ("n_max", ctypes.c_int32),
        ("l_max", ctypes.c_int32),
        ("n_channels", ctypes.c_int32),
        ("normalise", ctypes.c_int32),
        ("cutoff", ctypes.c_double),
        ("transition_width", ctypes.c_double),
        ("table", _Address),
        ("inverse_step", ctypes.c_double),
        ("n_points", ctypes.c_int32),
        ("central", _Address),
    ]


def power_spectrum_native(
    atoms: Atoms,
    parameters: SoapParameters,
    centres: NDArray[np.int_],
    projection: NDArray[np.float64] | None = None,
    threads: int = 1,
) -> NDArray[np.float64]:
    """SOAP vectors of the atoms with these indices, in their order.

    Returns:
        (n_centres, n_features), or (n_centres, k) with a projection (n_features, k); without the first axis if averaged.

    Raises:
        ValueError: a periodic axis without a period, several species where none is named, an atom that coincides with a
            centre.
    """
    species = neighbour_species(atoms, parameters)
    n_features = parameters.n_features
    plan = _plan(parameters, len(species))
    with _opened(atoms, species, centres, parameters.cutoff_angstrom) as (library, soap):
        if parameters.averaging != "none":
            mean = np.empty(n_features)
            spectra = parameters.averaging == "spectra"
            _check(library, library.soap_mean(soap, ctypes.byref(plan), spectra, threads, _address(mean)))
            return mean if projection is None else mean @ projection
        vectors = np.empty((len(centres), n_features if projection is None else projection.shape[1]))
        _spectra(library, soap, plan, 0, len(centres), True, projection, threads, vectors)
        return vectors


def power_spectrum_chunks_native(
    atoms: Atoms,
    parameters: SoapParameters,
    centres: NDArray[np.int_],
    chunk_size: int,
    projection: NDArray[np.float64] | None = None,
    threads: int = 1,
) -> Iterator[tuple[NDArray[np.int_], NDArray[np.float64]]]:
    """Yield (which of the centres (m,), their vectors (m, n_features or k)), neighbouring atoms together, m up to
    `chunk_size`.

    Raises:
        ValueError: as `power_spectrum_native`.
    """
    species = neighbour_species(atoms, parameters)
    width = parameters.n_features if projection is None else projection.shape[1]
    plan = _plan(parameters, len(species))
    with _opened(atoms, species, centres, parameters.cutoff_angstrom) as (library, soap):
        order = np.empty(len(centres), dtype=np.int64)
        library.soap_order(soap, _address(order))
        for first in range(0, len(centres), chunk_size):
            rows = order[first : first + chunk_size]
            vectors = np.empty((len(rows), width))
            _spectra(library, soap, plan, first, first + len(rows), False, projection, threads, vectors)
            yield rows, vectors


def averaged_power_spectra_native(
    structures: Sequence[Atoms | ArrayLike],
    parameters: SoapParameters,
    scales: NDArray[np.float64],
    centre_species: str | None = None,
    threads: int = 1,
) -> NDArray[np.float64]:
    """The averaged vector of each of many small structures; see `gbscape.features.soap.averaged_power_spectra`."""
    species = parameters.neighbour_species
    offsets = np.zeros(len(structures) + 1, dtype=np.int64)
    positions, channels, is_centre = [], [], []
    cells = np.tile(np.eye(3), (len(structures), 1, 1))
    periodic = np.zeros((len(structures), 3), dtype=np.uint8)
    for i, structure in enumerate(structures):
        if isinstance(structure, Atoms):
            positions.append(structure.positions)
            channels.append(neighbour_channels(structure, neighbour_species(structure, parameters)))
            symbols = np.array(structure.get_chemical_symbols())
            is_centre.append(np.ones(len(symbols), bool) if centre_species is None else symbols == centre_species)
            cells[i], periodic[i] = periodic_cell(structure), structure.pbc
        else:
            if species is not None or centre_species is not None:
                raise ValueError(f"structure {i} is given by positions alone, which have no species to choose")
            positions.append(np.asarray(structure, dtype=np.float64))
            if positions[-1].shape != (len(positions[-1]), 3):
                raise ValueError(f"positions of structure {i} must have shape (n, 3), got {positions[-1].shape}")
            channels.append(np.zeros(len(positions[-1]), dtype=np.int8))
            is_centre.append(np.ones(len(positions[-1]), dtype=bool))
        offsets[i + 1] = offsets[i] + len(positions[-1])
        if not is_centre[-1].any():
            raise ValueError(f"structure {i} has no {'atom' if centre_species is None else centre_species}")
    n_channels = 1 if species is None else len(species)
    vectors = np.empty((len(structures), parameters.n_features))
    if not structures:
        return vectors
    arrays = [np.ascontiguousarray(np.concatenate(parts)) for parts in (positions, channels, is_centre)]
    _require_finite(arrays[0])
    library, plan = _library(), _plan(parameters, n_channels)
    code = library.soap_means(
        len(structures),
        *(_address(array) for array in (offsets, *arrays, cells, periodic, scales)),
        ctypes.byref(plan),
        parameters.averaging == "spectra",
        threads,
        _address(vectors),
    )
    _check(library, code, "of structure {0} ")
    return vectors


def _library() -> ctypes.CDLL:
    library = load("gbscape.features.soap_native")
    library.soap_message.restype = ctypes.c_char_p
    library.soap_open.argtypes = [_Address, _Address, _Long, ctypes.c_double, _Address]
    library.soap_close.argtypes = [_Address]
    library.soap_close.restype = None
    library.soap_order.argtypes = [_Address, _Address]
    library.soap_order.restype = None
    integer = ctypes.c_int
    library.soap_spectra.argtypes = [_Address, _Address, _Long, _Long, integer, _Address, integer, integer, _Address]
    library.soap_mean.argtypes = [_Address, _Address, integer, integer, _Address]
    library.soap_means.argtypes = [_Long, *[_Address] * 8, integer, integer, _Address]
    return library


def _address(array: NDArray[np.generic]) -> int:
    return array.ctypes.data


def _check(library: ctypes.CDLL, code: int, where: str = "") -> None:
    if code == 0:
        return
    message = library.soap_message().decode()
    if code == _COINCIDENT:
        structure, atom = message.split()
        raise ValueError(
            f"atom {atom} {where.format(structure)}is less than 0.001 from another in the parameters' unit of length: one "
            "atom stored twice, or on top of a periodic image"
        )
    raise RuntimeError(f"the SOAP kernel failed: {message}")


def _plan(parameters: SoapParameters, n_species: int) -> _Plan:
    p, library = parameters, _library()
    table, step = _kernel_table(
        p.n_max, p.l_max, p.cutoff_angstrom, p.sigma_angstrom, library.soap_lanes(), library.soap_group()
    )
    central = p.central_weight * central_coefficients(p.n_max, p.cutoff_angstrom, p.sigma_angstrom)
    plan = _Plan(
        n_max=p.n_max,
        l_max=p.l_max,
        n_channels=n_species,
        normalise=p.normalise,
        cutoff=p.cutoff_angstrom,
        transition_width=p.cutoff_transition_width_angstrom,
        table=_address(table),
        inverse_step=1 / step,
        n_points=len(table),
        central=_address(central),
    )
    plan.arrays = (table, central)  # they must live as long as the plan
    return plan


@lru_cache(maxsize=8)
def _kernel_table(
    n_max: int, l_max: int, cutoff: float, sigma: float, lanes: int, group: int
) -> tuple[NDArray[np.float64], float]:
    """The Hermite table (n_points, 2, level) as the kernel reads it, and its step.

    The radial functions of `group` angular momenta stand one after the other and are filled up to whole vectors of `lanes`
    numbers; the table begins on a cache line.
    """
    parameters = SoapParameters(
        n_max=n_max,
        l_max=l_max,
        cutoff_angstrom=cutoff,
        sigma_angstrom=sigma,
        cutoff_transition_width_angstrom=0.01,  # any that is allowed: the table is without the cut-off function
    )
    values, step = hermite_table(parameters, _TOLERANCE)
    parts = []
    for first in range(0, l_max + 1, group):
        part = values[:, :, first : first + group].reshape(len(values), 2, -1)
        parts.append(np.pad(part, ((0, 0), (0, 0), (0, -part.shape[2] % lanes))))
    filled = np.concatenate(parts, axis=2)
    raw = np.zeros(filled.size + 16)  # the kernel reads a vector beyond what it uses
    start = -raw.ctypes.data // 8 % 8
    table = raw[start : start + filled.size].reshape(filled.shape)
    table[:] = filled
    return table, step


def _require_finite(positions: NDArray[np.float64]) -> None:
    if not np.isfinite(positions).all():
        raise ValueError(f"position {np.flatnonzero(~np.isfinite(positions).all(axis=1))[0]} is not finite")


@contextmanager
def _opened(
    atoms: Atoms, species: tuple[str, ...], centres: NDArray[np.int_], cutoff: float
) -> Iterator[tuple[ctypes.CDLL, ctypes.c_void_p]]:
    """The kernel and its cell list of the atoms."""
    library = _library()
    # a copy, as the kernel looks at it again between chunks, when the atoms may have been moved
    positions = np.array(atoms.positions, dtype=np.float64, order="C")
    _require_finite(positions)
    channels, cell = neighbour_channels(atoms, species), np.ascontiguousarray(periodic_cell(atoms))
    periodic, indices = atoms.pbc.astype(np.uint8), np.ascontiguousarray(centres, dtype=np.int64)
    structure = _Structure(
        positions=_address(positions),
        channels=_address(channels),
        n=len(positions),
        cell=_address(cell),
        periodic=_address(periodic),
        scale=1.0,
    )
    soap = _Address()
    _check(
        library,
        library.soap_open(ctypes.byref(structure), _address(indices), len(indices), cutoff, ctypes.byref(soap)),
    )
    try:
        yield library, soap
    finally:
        library.soap_close(soap)


def _spectra(
    library: ctypes.CDLL,
    soap: ctypes.c_void_p,
    plan: _Plan,
    first: int,
    last: int,
    by_centre: bool,
    projection: NDArray[np.float64] | None,
    threads: int,
    out: NDArray[np.float64],
) -> None:
    address, columns = None, 0
    if projection is not None:
        lanes, columns = library.soap_lanes(), projection.shape[1]
        padded = np.zeros((len(projection), -(-columns // lanes) * lanes))
        padded[:, :columns] = projection
        address = _address(padded)
    code = library.soap_spectra(
        soap, ctypes.byref(plan), first, last, by_centre, address, columns, threads, _address(out)
    )
    _check(library, code)
