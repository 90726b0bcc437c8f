"""One vector per boundary, whatever the representation."""

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from gbscape.config.features import Concatenate, Representation
from gbscape.config.scattering import OrientedScattering, Scattering
from gbscape.config.soap import LocalEnvironments, MultiScaleSoap, PooledSoap, Soap
from gbscape.features import scattering, soap
from gbscape.features.checks import check_mask, check_slab, check_surroundings
from gbscape.features.pooled_soap import pooled_soap


def featurize(atoms: Atoms, mask: NDArray[np.bool_], representation: Representation) -> NDArray[np.float64]:
    """Describe a boundary by one vector.

    Args:
        atoms: slab (n atoms) of one species, periodic in y and z.
        mask: (n,) true for the atoms of the boundary.
        representation: settings without a sweep (see `gbscape.config.features.expand`).

    Returns:
        (n_features,) as named by `gbscape.features.names`.

    Raises:
        ValueError: a slab or a selection that cannot be described, a sweep that is not expanded, a concatenation, which
            is put together from the vectors of its parts, or local environments, which are those of a whole survey.
    """
    if isinstance(representation, Concatenate):
        raise ValueError(f"a concatenation is made from the vectors of its parts, {', '.join(representation.of)}")
    if isinstance(representation, LocalEnvironments):
        raise ValueError(
            "local environments are found over a whole survey, see gbscape.survey.local_environment_shards"
        )
    if representation.sweep:
        raise ValueError(f"the sweep over {', '.join(representation.sweep)} must be expanded first")
    check_mask(atoms, mask)
    match representation:
        case Soap():
            return _boundary_soap(atoms, mask, representation)
        case MultiScaleSoap():
            return np.concatenate([_boundary_soap(atoms, mask, scale) for scale in representation.single_scales()])
        case PooledSoap():
            return pooled_soap(atoms, mask, representation)
        case Scattering() | OrientedScattering():
            return scattering.boundary_scattering(atoms, mask, representation)


def _boundary_soap(atoms: Atoms, mask: NDArray[np.bool_], settings: Soap) -> NDArray[np.float64]:
    check_slab(atoms)
    check_surroundings(atoms, np.flatnonzero(mask), settings.cutoff_angstrom)
    return soap.power_spectrum(atoms, settings.parameters(), mask, settings.engine)
