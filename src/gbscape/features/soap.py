"""SOAP: the smooth overlap of atomic positions, as a power spectrum for each atom.

Conventions are quippy's (QUIP's `soap` descriptor), whichever engine computes. Gaussians of peak 1 on the centre and its
neighbours, these faded out by a cosine inside the cut-off, make up the density. Its radial basis is n_max Gaussians of
the same width at equispaced radii a (cutoff + sigma sqrt(20 ln 10)) / n_max, a = 0 ... n_max - 1, orthonormalised by a
Cholesky factor. The power spectrum is p[a, b, l] = sum_m c[a, l, m] c*[b, l, m] / sqrt(2 l + 1) for a >= b, times
sqrt(2) for a > b, with l running fastest, and one last component that is always 0; it is divided by its norm. With
several species of neighbours a and b run through the radial functions of the first species, then those of the second,
and so on. The central atom adds itself to the density of its own species or, where a single species is seen, to that.
Bartok, Kondor and Csanyi, Phys. Rev. B 87, 184115 (2013).
"""

from collections.abc import Iterator, Sequence

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from gbscape.config.soap import SoapEngine, SoapParameters
from gbscape.features import soap_native


def power_spectrum(
    atoms: Atoms,
    parameters: SoapParameters,
    centres: ArrayLike | None = None,
    engine: SoapEngine = "native",
    *,
    projection: ArrayLike | None = None,
    threads: int = 1,
) -> NDArray[np.float64]:
    """SOAP vectors of atoms, or their average.

    Args:
        atoms: any structure: periodic in any directions, of any shape of cell, shorter than the cut-off too; a direction
            that is not periodic needs no cell vector.
        parameters: the descriptor's settings.
        centres: the atoms to describe, by a mask (n,) or by indices (n_centres,); None takes all. Atoms of any species,
            also of one that does not count as neighbour.
        engine: code that computes: the compiled kernel, PyTorch (on a CUDA device where there is one) or quippy.
        projection: (n_features, k), e.g. of a principal-component analysis: each vector is multiplied to it as soon as it
            is there, so that the full vectors of all atoms never exist (the native and the torch engine).
        threads: of the native engine; the result does not depend on their number.

    Returns:
        (n_centres, n_features) with `parameters.n_features`, or (n_centres, k); centres in the order of the atoms (mask) or
        as given (indices). Without the first axis if the parameters ask for an average. A vector without any neighbour
        or central weight is zero.

    Raises:
        ValueError: centres that are out of range or repeated, a projection of another shape, several species where the
            parameters name none, a periodic direction without a cell vector, an atom on top of a centre; with quippy,
            settings or atoms for which it is inaccurate (see `gbscape.config.quippy_range`).
    """
    indices, matrix = _indices(centres, len(atoms)), _projection(projection, parameters)
    _check_threads(threads)
    if engine == "native":
        return soap_native.power_spectrum_native(atoms, parameters, indices, matrix, threads)
    if engine == "torch":
        from gbscape.features.soap_torch import power_spectrum_torch

        return np.asarray(power_spectrum_torch(atoms, parameters, indices, matrix), dtype=np.float64)
    if engine == "quippy":
        from gbscape.features.soap_quippy import power_spectrum_quippy

        vectors = power_spectrum_quippy(atoms, parameters, indices)
        return vectors if matrix is None else vectors @ matrix
    raise ValueError(f"unknown SOAP engine {engine!r}; allowed: 'native', 'torch', 'quippy'")


def power_spectrum_chunks(
    atoms: Atoms,
    parameters: SoapParameters,
    centres: ArrayLike | None = None,
    engine: SoapEngine = "native",
    *,
    chunk_size: int = 4096,
    projection: ArrayLike | None = None,
    threads: int = 1,
) -> Iterator[tuple[NDArray[np.int_], NDArray[np.float64]]]:
    """SOAP vectors of atoms a chunk at a time, for what needs the vectors of many atoms but not all at once.

    Args:
        atoms, parameters, centres, engine, projection, threads: as in `power_spectrum`; parameters without averaging.
        chunk_size: most vectors in a chunk. Engines other than the native one look for neighbours anew for each chunk.

    Yields:
        Indices (m,) of atoms, and their vectors (m, n_features) or (m, k). Every centre comes once; those of the native
        engine that are near one another in space together.

    Raises:
        ValueError: as `power_spectrum`; parameters that ask for an average; a chunk size below 1.
    """
    if parameters.averaging != "none":
        raise ValueError(f"chunks hold vectors of single atoms; averaging must be 'none', got {parameters.averaging!r}")
    if chunk_size < 1:
        raise ValueError(f"chunk_size must be at least 1, got {chunk_size}")
    indices, matrix = _indices(centres, len(atoms)), _projection(projection, parameters)
    _check_threads(threads)
    if engine != "native":
        parts = (indices[start : start + chunk_size] for start in range(0, len(indices), chunk_size))
        return (
            (part, power_spectrum(atoms, parameters, part, engine, projection=matrix, threads=threads))
            for part in parts
        )
    chunks = soap_native.power_spectrum_chunks_native(atoms, parameters, indices, chunk_size, matrix, threads)
    return ((indices[rows], vectors) for rows, vectors in chunks)


def averaged_power_spectra(
    structures: Sequence[Atoms | ArrayLike],
    parameters: SoapParameters,
    *,
    scale: ArrayLike = 1.0,
    centre_species: str | None = None,
    threads: int = 1,
) -> NDArray[np.float64]:
    """Averaged SOAP vector of each of many small structures, e.g. the boxes of a sample, in one go.

    Args:
        structures: each an `ase.Atoms`, or only positions (n, 3) of isolated atoms of one species.
        parameters: the descriptor's settings, with averaging; lengths in the unit that positions have after scaling.
        scale: a factor on all lengths of the structures, or one for each (n_structures,), e.g. one over the
            nearest-neighbour distance.
        centre_species: average over the atoms of this species; None: over all.
        threads: each structure is done by one thread.

    Returns:
        (n_structures, n_features).

    Raises:
        ValueError: as `power_spectrum`; parameters without averaging, a structure without centres, a scale that is not
            positive, positions without species where a species is asked for.
    """
    if parameters.averaging == "none":
        raise ValueError("the parameters must ask for an average: averaging 'spectra' or 'coefficients'")
    scales = np.asarray(scale, dtype=np.float64)
    if scales.shape not in ((), (len(structures),)) or not (np.isfinite(scales).all() and (scales > 0).all()):
        raise ValueError(f"scale must be one positive number or {len(structures)} of them, got shape {scales.shape}")
    _check_threads(threads)
    scales = np.ascontiguousarray(np.broadcast_to(scales, len(structures)))
    return soap_native.averaged_power_spectra_native(structures, parameters, scales, centre_species, threads)


def _check_threads(threads: int) -> None:
    if threads < 1:
        raise ValueError(f"threads must be at least 1, got {threads}")


def _projection(projection: ArrayLike | None, parameters: SoapParameters) -> NDArray[np.float64] | None:
    if projection is None:
        return None
    matrix = np.ascontiguousarray(projection, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != parameters.n_features or matrix.shape[1] == 0:
        raise ValueError(f"the projection must have shape ({parameters.n_features}, k), got {matrix.shape}")
    return matrix


def _indices(centres: ArrayLike | None, n_atoms: int) -> NDArray[np.int_]:
    given = np.arange(n_atoms) if centres is None else np.asarray(centres)
    if given.dtype == np.bool_:
        if given.shape != (n_atoms,):
            raise ValueError(f"a mask of centres must have shape ({n_atoms},), got {given.shape}")
        given = np.flatnonzero(given)
    if given.ndim != 1 or not np.issubdtype(given.dtype, np.integer) or len(given) == 0:
        raise ValueError(f"centres must be a mask or at least one index, got {given.dtype} of shape {given.shape}")
    if given.min() < 0 or given.max() >= n_atoms or np.bincount(given, minlength=n_atoms).max() > 1:
        raise ValueError(f"indices of centres must be distinct and from 0 to {n_atoms - 1}")
    return given
