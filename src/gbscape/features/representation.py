"""One vector per boundary, whatever the representation."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from gbscape.config.features import Concatenate, Representation
from gbscape.config.scattering import OrientedScattering, Scattering
from gbscape.config.soap import MultiScaleSoap, Soap
from gbscape.features import scattering, soap
from gbscape.features.checks import check_mask, check_slab, check_surroundings


def featurize(atoms: Atoms, mask: NDArray[np.bool_], representation: Representation) -> NDArray[np.float64]:
    """Describe a boundary by one vector.

    Args:
        atoms: slab (n atoms) of one species, periodic in y and z.
        mask: (n,) true for the atoms of the boundary.
        representation: settings without a sweep (see `gbscape.config.features.expand`).

    Returns:
        (n_features,) as named by `feature_names`.

    Raises:
        ValueError: a slab or a selection that cannot be described, a sweep that is not expanded, or a concatenation,
            which is put together from its parts by `concatenate`.
    """
    if isinstance(representation, Concatenate):
        raise ValueError(f"a concatenation is made from the vectors of its parts, {', '.join(representation.of)}")
    if representation.sweep:
        raise ValueError(f"the sweep over {', '.join(representation.sweep)} must be expanded first")
    check_mask(atoms, mask)
    match representation:
        case Soap():
            return _boundary_soap(atoms, mask, representation)
        case MultiScaleSoap():
            return concatenate([_boundary_soap(atoms, mask, scale) for scale in representation.single_scales()])
        case Scattering() | OrientedScattering():
            return scattering.boundary_scattering(atoms, mask, representation)


def _boundary_soap(atoms: Atoms, mask: NDArray[np.bool_], settings: Soap) -> NDArray[np.float64]:
    check_slab(atoms)
    check_surroundings(atoms, np.flatnonzero(mask), settings.cutoff_angstrom)
    return soap.power_spectrum(atoms, settings.parameters(), mask, settings.engine)


def concatenate(parts: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Join vectors (n_features,), or tables (n_boundaries, n_features) with boundaries in the same order, by features.

    Raises:
        ValueError: no parts, or tables of different numbers of boundaries.
    """
    if not parts:
        raise ValueError("nothing to concatenate")
    if len({part.shape[:-1] for part in parts}) > 1:
        raise ValueError(f"the parts hold different numbers of boundaries: shapes {[part.shape for part in parts]}")
    return np.concatenate(parts, axis=-1)


def feature_names(representation: Representation) -> list[str]:
    """Names (n_features,) of the components of a representation without a sweep.

    A scale of a multi-scale SOAP is put before its names as `rc=5/`.

    Raises:
        ValueError: a concatenation, whose names are those of its parts.
    """
    match representation:
        case Soap():
            return soap.feature_names(representation.parameters())
        case MultiScaleSoap():
            return [
                f"rc={scale.cutoff_angstrom:g}/{name}"
                for scale in representation.single_scales()
                for name in soap.feature_names(scale.parameters())
            ]
        case Scattering() | OrientedScattering():
            return scattering.feature_names(representation)
        case Concatenate():
            raise ValueError(f"a concatenation has the names of its parts, {', '.join(representation.of)}")
