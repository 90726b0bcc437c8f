"""SOAP: the smooth overlap of atomic positions, as a power spectrum for each atom.

Conventions are quippy's (QUIP's `soap` descriptor), whichever engine computes. Gaussians of peak 1 on the centre and its
neighbours, these faded out by a cosine inside the cut-off, make up the density. Its radial basis is n_max Gaussians of
the same width at equispaced radii a (cutoff + sigma sqrt(20 ln 10)) / n_max, a = 0 ... n_max - 1, orthonormalised by a
Cholesky factor. The power spectrum is p[a, b, l] = sum_m c[a, l, m] c*[b, l, m] / sqrt(2 l + 1) for a >= b, times
sqrt(2) for a > b, with l running fastest, and one last component that is always 0; it is divided by its norm.
Bartok, Kondor and Csanyi, Phys. Rev. B 87, 184115 (2013).
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from gbscape.config.soap import Soap
from gbscape.features.checks import check_slab, check_surroundings

Engine = Literal["quippy"]


def power_spectrum(
    atoms: Atoms, parameters: Soap, centres: ArrayLike | None = None, engine: Engine | None = None
) -> NDArray[np.float64]:
    """SOAP vectors of atoms of a slab.

    All atoms of the slab count as neighbours, those beyond the selection too, and all their images in y and z, however
    short the periods.

    Args:
        atoms: slab of one species, periodic in y and z.
        parameters: the descriptor's settings.
        centres: the atoms to describe, by a mask (n,) or by indices (n_centres,); None takes all, which a slab with free
            surfaces does not allow.
        engine: code that computes; None takes the one in the settings.

    Returns:
        (n_centres, n_features), n_features = n_max (n_max + 1) / 2 (l_max + 1) + 1; centres in the order of the atoms
        (mask) or as given (indices).

    Raises:
        ValueError: a slab that cannot be described (see `gbscape.features.checks`), centres that are out of range or
            repeated, a neighbourhood that reaches a free surface, atoms too close for quippy's accuracy.
    """
    compute = _engine(engine or parameters.engine)
    check_slab(atoms)
    indices = _indices(centres, len(atoms))
    check_surroundings(atoms, indices, parameters.cutoff_angstrom)
    return compute(atoms, parameters, indices)


def feature_names(parameters: Soap) -> list[str]:
    """Names (n_features,) of the components, e.g. `p[3,1,l=4]` for the third with the first radial function, l = 4."""
    names = [
        f"p[{a},{b},l={order}]"
        for a in range(1, parameters.n_max + 1)
        for b in range(1, a + 1)
        for order in range(parameters.l_max + 1)
    ]
    return [*names, "zero"]


def _engine(name: Engine) -> Callable[[Atoms, Soap, NDArray[np.int_]], NDArray[np.float64]]:
    if name == "quippy":
        from gbscape.features.soap_quippy import power_spectrum_quippy

        return power_spectrum_quippy
    raise ValueError(f"unknown SOAP engine {name!r}; allowed: 'quippy'")


def _indices(centres: ArrayLike | None, n_atoms: int) -> NDArray[np.int_]:
    given = np.arange(n_atoms) if centres is None else np.asarray(centres)
    if given.dtype == np.bool_:
        if given.shape != (n_atoms,):
            raise ValueError(f"a mask of centres must have shape ({n_atoms},), got {given.shape}")
        given = np.flatnonzero(given)
    if given.ndim != 1 or not np.issubdtype(given.dtype, np.integer) or len(given) == 0:
        raise ValueError(f"centres must be a mask or at least one index, got {given.dtype} of shape {given.shape}")
    if given.min() < 0 or given.max() >= n_atoms or len(np.unique(given)) < len(given):
        raise ValueError(f"indices of centres must be distinct and from 0 to {n_atoms - 1}")
    return given
