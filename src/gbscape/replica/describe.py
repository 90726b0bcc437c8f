"""Vectors of all atoms of a model, projected to their principal components, with a column of ones."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gbscape.config.replica import ScatteringVectors, SoapVectors
from gbscape.features.atomic_scattering import atomic_scattering
from gbscape.features.soap import power_spectrum_chunks
from gbscape.learn.principal_components import PrincipalComponents, principal_components
from gbscape.replica.model import model_atoms
from gbscape.store.arrays import write_arrays
from gbscape.store.progress import progress
from gbscape.store.provenance import Provenance

Array = NDArray[np.float64]

_CHUNK = 4096
_CHUNK_OF_OTHER_ENGINES = 65536
"""They look for neighbours anew in each."""
_TOTAL_VARIANCE = 0.01
"""Of scattering vectors: about what SOAP vectors, of norm 1, have, so that one lambda does for both."""


def describe_model(
    model_h5: str | Path, out: str | Path, settings: SoapVectors | ScatteringVectors, code: str, threads: int = 1
) -> None:
    """Write `vectors` (n, k + 1) of all atoms, their principal components and a last column of ones, with `variances` (d,)
    along all directions, `mean` (d,) and `directions` (d, k) of what was projected.

    The column of ones is the regression's intercept: principal components have no mean, but energies do. Unprojected SOAP
    vectors, of which a million are gigabytes, exist a chunk at a time.
    """
    vectors, found = (
        _soap(model_h5, settings, threads)
        if isinstance(settings, SoapVectors)
        else _scattering(model_h5, settings, threads)
    )
    arrays = {
        "vectors": np.column_stack([vectors, np.ones(len(vectors))]),
        "variances": found.variances,
        "mean": found.mean,
        "directions": found.directions,
    }
    write_arrays(out, arrays, Provenance.of(settings.model_dump(mode="json"), code, {"model": model_h5}))


def _soap(model_h5: str | Path, settings: SoapVectors, threads: int) -> tuple[Array, PrincipalComponents]:
    """SOAP in one pass for its principal components, and in another projected to them."""
    atoms = model_atoms(model_h5)
    size = _CHUNK if settings.engine == "native" else _CHUNK_OF_OTHER_ENGINES
    n_chunks = -(-len(atoms) // size)

    def chunks(projection: Array | None = None) -> Iterator[tuple[NDArray[np.int_], Array]]:
        return power_spectrum_chunks(
            atoms, settings.soap, engine=settings.engine, chunk_size=size, projection=projection, threads=threads
        )

    found = principal_components(
        (vectors for _, vectors in progress(chunks(), n_chunks, "chunks for the principal components")),
        settings.kept_variance,
        settings.n_components,
    )
    projected = np.empty((len(atoms), found.directions.shape[1]))
    for rows, vectors in progress(chunks(found.directions), n_chunks, "chunks projected"):
        projected[rows] = vectors
    projected -= found.mean @ found.directions
    return projected, found


def _scattering(model_h5: str | Path, settings: ScatteringVectors, threads: int) -> tuple[Array, PrincipalComponents]:
    """Every modulus over its standard deviation, on a common scale; those that do not vary are 0."""
    moduli = atomic_scattering(model_atoms(model_h5), settings.scattering, threads)
    spread = moduli.std(axis=0)
    scale = np.where(spread > 0, np.sqrt(_TOTAL_VARIANCE / len(spread)) / np.where(spread > 0, spread, 1.0), 0.0)
    moduli *= scale
    parts = (moduli[start : start + _CHUNK] for start in range(0, len(moduli), _CHUNK))
    found = principal_components(parts, settings.kept_variance, settings.n_components)
    return (moduli - found.mean) @ found.directions, found
