"""What every point of space and every atom contributes to a predicted energy, through the scattering transform.

The energy is f(rho) = w . S(rho) + b: the scattering transform S of the density rho, and a linear model. S blurs and
convolves, both linear in rho, and takes moduli; so the oriented transform is positively homogeneous of degree one, and a
feature of the invariant one, an integral of U^q, of degree q.

Relevance from nothing. By Euler's theorem

    f(rho) - b = integral r dV,   r(x) = rho(x) sum_k (w_k / q_k) dS_k/drho(x),

where q_k is the degree of feature k: all of the prediction but the intercept b, the prediction for empty space, is
shared out. With q = 1 this is gradient x input. It is also layer-wise relevance propagation by the rule LRP-0 (LRP-epsilon
in the limit epsilon -> 0), as for any network of linear layers and rectifiers without biases (Bach et al., PLoS ONE 10,
e0130140 (2015); Ancona et al., ICLR (2018)): a modulus |u| = ReLU(u) + ReLU(-u) hands its relevance on to u, and linear
layers share theirs in proportion to what each input contributes; the bias of the linear model keeps b. Where a modulus
is a root of several squares, they share in proportion to the squares. It is as well the integrated gradient along the
straight path from empty space, exactly, without a quadrature.

Relevance from a reference. What a boundary has in common with every other structure, the presence of matter above all,
also gets its share of f(rho) - b. Relative to a density rho_0 of ones choice, integrated gradients (Sundararajan et al.,
ICML (2017)) are

    r(x) = (rho(x) - rho_0(x)) integral_0^1 df/drho(x; rho_0 + t (rho - rho_0)) dt,

by Gauss-Legendre quadrature, and add up to f(rho) - f(rho_0) as far as the quadrature is exact.

Atoms. The density is a sum of Gaussians rho_i, so that an atom has the share rho_i / rho of the relevance at each point,
R_i = integral (rho_i / rho) r dV: its own Gaussian in the place of rho. These add up to what r does, and the grid is seen
in them as little as in f. From a reference, an atom's Gaussian there is taken away from its Gaussian.

Averages over the plane make S, and so f, the same for a translated boundary; relevance moves with the atoms, and atoms
that a translation of a periodic structure brings into each other have the same. Any other structure in a map is broken by
thermal displacements, or is an error.
"""

import logging
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gbscape.config.scattering import OrientedScattering, Scattering
from gbscape.features.scattering import scatter
from gbscape.features.torch_device import default_device
from gbscape.relevance.density import BoundaryDensity
from gbscape.relevance.linear import LinearModel

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Attribution:
    """A prediction, shared out to the points of a grid and to the atoms. Energies in J/m^2."""

    prediction_j_m2: float
    reference_j_m2: float
    """What the model predicts for the reference."""
    of_points: Array
    """(n_x, n_y, n_z) relevance density r in J/m^2 per Angstrom^3; its integral is the prediction less the reference's."""
    of_atoms: Array
    """(n,) relevances R_i in J/m^2; their sum is the same."""

    @property
    def error_j_m2(self) -> float:
        """By how much the atoms' sum misses the prediction's deviation from the reference."""
        return float(self.of_atoms.sum() - (self.prediction_j_m2 - self.reference_j_m2))


def relevance_from_nothing(
    density: BoundaryDensity, parameters: Scattering | OrientedScattering, model: LinearModel
) -> Attribution:
    """Share out what a model predicts beyond its prediction for empty space.

    Raises:
        ValueError: the model is not one of these features.
    """
    weights = model.weights / feature_degrees(parameters, len(model.weights))
    features, gradient = _features_and_gradient(density, density.values, parameters, weights)
    return Attribution(
        prediction_j_m2=float(model.predict(features)),
        reference_j_m2=model.intercept_j_m2,
        of_points=density.values * gradient / density.voxel_angstrom3,
        of_atoms=_of_atoms(density, gradient, density.positions),
    )


def relevance_from_reference(
    density: BoundaryDensity,
    reference_positions: Array,
    parameters: Scattering | OrientedScattering,
    model: LinearModel,
    path_points: int,
) -> Attribution:
    """Share out what a model predicts beyond its prediction for the same atoms elsewhere.

    Args:
        density: the density that is explained.
        reference_positions: (n, 3) of the same atoms, in the same order and cell, in Angstrom.
        parameters: the transform's settings.
        model: the model.
        path_points: points of the quadrature along the path.

    Raises:
        ValueError: another number of atoms, or the model is not one of these features.
    """
    if reference_positions.shape != density.positions.shape:
        raise ValueError(f"{len(density.positions)} atoms have {len(reference_positions)} reference positions")
    start = density.of_atoms_at(reference_positions)
    deviation = density.values - start
    nodes, shares = np.polynomial.legendre.leggauss(path_points)
    gradient = np.zeros_like(start)
    for node, share in zip(nodes, shares, strict=True):
        between = start + (1 + node) / 2 * deviation
        gradient += share / 2 * _features_and_gradient(density, between, parameters, model.weights)[1]
    return Attribution(
        prediction_j_m2=float(model.predict(_features(density, density.values, parameters))),
        reference_j_m2=float(model.predict(_features(density, start, parameters))),
        of_points=deviation * gradient / density.voxel_angstrom3,
        of_atoms=_of_atoms(density, gradient, density.positions) - _of_atoms(density, gradient, reference_positions),
    )


def feature_degrees(parameters: Scattering | OrientedScattering, n_features: int) -> Array:
    """Degree (n_features,) of homogeneity of each feature in the density."""
    if isinstance(parameters, OrientedScattering):
        return np.ones(n_features)
    powers = parameters.integral_powers  # the power is the fastest index
    return np.tile(powers, n_features // len(powers))


def _features(density: BoundaryDensity, values: Array, parameters: Scattering | OrientedScattering) -> Array:
    return scatter(values, density.cell, parameters, "torch") * _scale(density, parameters)


def _features_and_gradient(
    density: BoundaryDensity, values: Array, parameters: Scattering | OrientedScattering, weights: Array
) -> tuple[Array, Array]:
    """Features (d,), and the derivative (n_x, n_y, n_z) of weights . features by the value at each grid point."""
    device = default_device("relevance runs", logging.INFO)
    rho = torch.tensor(values, device=device, requires_grad=True)
    features = scatter(rho, density.cell, parameters, "torch") * _scale(density, parameters)
    if features.shape != weights.shape:
        raise ValueError(
            f"the model has {len(weights)} weights, but these settings make {len(features)} features: train it on them"
        )
    (gradient,) = torch.autograd.grad(features @ torch.from_numpy(weights).to(device), rho)
    return features.detach().cpu().numpy(), gradient.cpu().numpy()


def _scale(density: BoundaryDensity, parameters: Scattering | OrientedScattering) -> float:
    """Invariant features are integrals over the boundary's area, oriented ones averages."""
    return 1.0 if isinstance(parameters, OrientedScattering) else 1 / density.area_angstrom2


def _of_atoms(density: BoundaryDensity, gradient: Array, positions: Array) -> Array:
    """Products (n,) of each atom's own Gaussian with the gradient, summed over the grid."""
    return np.array([(density.of_atoms_at(position[None]) * gradient).sum() for position in positions])
