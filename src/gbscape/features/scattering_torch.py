"""Scattering by PyTorch: whole feature vectors of a batch of densities."""

import logging
from math import prod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gbscape.config.scattering import OrientedScattering, Scattering
from gbscape.features.scattering import NOT_A_DENSITY, Density, widths_angstrom
from gbscape.features.scattering_invariant import invariant_integrals
from gbscape.features.scattering_oriented import oriented_samples
from gbscape.features.torch_device import default_device
from gbscape.features.wavelets import GaussianSolidHarmonics

Array = NDArray[np.float64]
DTYPES = {"single": torch.float32, "double": torch.float64}


def transform(batch: Density, lengths: Array, parameters: Scattering | OrientedScattering) -> Density:
    """Features (n, n_features) of densities (n, n_x, n_y, n_z), as `gbscape.features.scattering.scatter` has them.

    Raises:
        ValueError: a density that is negative or not finite.
    """
    if isinstance(batch, Tensor):
        return _features(batch, lengths, parameters)
    # torch takes the machine's byte order, and warns of what is read-only
    own = np.require(batch, np.float64, ["C", "W"])
    device = default_device("scattering runs", logging.INFO)
    return _features(torch.from_numpy(own).to(device), lengths, parameters).cpu().numpy()


def _features(batch: Tensor, lengths: Array, parameters: Scattering | OrientedScattering) -> Tensor:
    if not torch.isfinite(batch).all() or batch.min() < 0:
        raise ValueError(NOT_A_DENSITY)
    own = batch.to(DTYPES[parameters.precision])
    family = GaussianSolidHarmonics(widths_angstrom(parameters))
    cell = lengths.tolist()
    if isinstance(parameters, OrientedScattering):
        zeroth, moduli = oriented_samples(own, cell, family, parameters)
        return torch.cat([zeroth.flatten(1), moduli.flatten(1)], dim=1)
    powers = parameters.integral_powers
    paths = invariant_integrals(own, cell, family, parameters.j_max + 1, parameters.l_max, powers, parameters.tolerance)
    wide = batch.double()
    positive = wide.clamp_min(torch.finfo(torch.float64).tiny)  # a root has no derivative at zero
    voxel = prod(cell) / prod(batch.shape[1:])
    zeroth = torch.stack([(positive if q < 1 else wide).pow(q).sum((1, 2, 3)) * voxel for q in powers], dim=1)
    return torch.cat([zeroth, paths.flatten(1)], dim=1)
