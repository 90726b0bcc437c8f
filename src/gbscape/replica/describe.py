"""Vectors of all atoms of a model: SOAP, in one pass for its principal components and in another projected to them.

The unprojected vectors exist a chunk at a time.
"""

from pathlib import Path

import numpy as np

from gbscape.config.replica import Descriptors
from gbscape.features.soap import power_spectrum_chunks
from gbscape.learn.principal_components import principal_components
from gbscape.replica.model import model_atoms
from gbscape.store.arrays import write_arrays
from gbscape.store.progress import progress
from gbscape.store.provenance import Provenance

_CHUNK = 4096


def describe_model(model_h5: str | Path, out: str | Path, settings: Descriptors, code: str, threads: int = 1) -> None:
    """Write `vectors` (n, k + 1) of all atoms, their principal components and a last column of ones, with `variances` (d,)
    along all directions, `mean` (d,) and `directions` (d, k).

    The column of ones is the regression's intercept: principal components have no mean, but energies do.
    """
    atoms = model_atoms(model_h5)
    n_chunks = -(-len(atoms) // _CHUNK)
    chunks = power_spectrum_chunks(atoms, settings.soap, chunk_size=_CHUNK, threads=threads)
    found = principal_components(
        (vectors for _, vectors in progress(chunks, n_chunks, "chunks for the principal components")),
        settings.kept_variance,
        settings.n_components,
    )
    projected = np.ones((len(atoms), found.directions.shape[1] + 1))
    offset = found.mean @ found.directions
    again = power_spectrum_chunks(atoms, settings.soap, chunk_size=_CHUNK, projection=found.directions, threads=threads)
    for rows, vectors in progress(again, n_chunks, "chunks projected"):
        projected[rows, :-1] = vectors - offset
    arrays = {
        "vectors": projected,
        "variances": found.variances,
        "mean": found.mean,
        "directions": found.directions,
    }
    write_arrays(out, arrays, Provenance.of(settings.model_dump(mode="json"), code, {"model": model_h5}))
