"""What the columns of each representation are: names from the settings alone, without the engines that compute them."""

import itertools

import numpy as np

from gbscape.config.features import Concatenate, Representation
from gbscape.config.scattering import OrientedScattering, Scattering
from gbscape.config.soap import LocalEnvironments, MultiScaleSoap, PooledSoap, Soap, SoapParameters
from gbscape.features.directions import distinct_directions


def feature_names(representation: Representation) -> list[str]:
    """Names (n_features,) of the components of a representation without a sweep.

    A scale of a multi-scale SOAP is put before its names as `rc=5/`, a statistic of a pooled SOAP as `mean/`.

    Raises:
        ValueError: a concatenation, whose names are those of its parts, or local environments, whose number the survey
            decides (see `environment_names`).
    """
    match representation:
        case Soap():
            return soap_names(representation.parameters())
        case MultiScaleSoap():
            return [
                f"rc={scale.cutoff_angstrom:g}/{name}"
                for scale in representation.single_scales()
                for name in soap_names(scale.parameters())
            ]
        case PooledSoap():
            names = soap_names(representation.parameters())
            return [f"{statistic}/{name}" for statistic in representation.statistics for name in names]
        case Scattering() | OrientedScattering():
            return scattering_names(representation)
        case LocalEnvironments():
            raise ValueError("how many local environments there are is known when the survey was searched for them")
        case Concatenate():
            raise ValueError(f"a concatenation has the names of its parts, {', '.join(representation.of)}")


def environment_names(n_environments: int) -> list[str]:
    """Names (n_environments,) of the fractions of atoms in each unique environment: `environment 0` and so on."""
    return [f"environment {number}" for number in range(n_environments)]


def soap_names(parameters: SoapParameters) -> list[str]:
    """Names (n_features,) of the components, e.g. `p[3,1,l=4]` for the third with the first radial function, l = 4; with
    neighbour species `p[Fe3,Ni1,l=4]`."""
    functions = [
        f"{species}{a}" for species in parameters.neighbour_species or ("",) for a in range(1, parameters.n_max + 1)
    ]
    names = [
        f"p[{first},{second},l={order}]"
        for i, first in enumerate(functions)
        for second in functions[: i + 1]
        for order in range(parameters.l_max + 1)
    ]
    return [*names, "zero"]


def scattering_names(parameters: Scattering | OrientedScattering) -> list[str]:
    """Names (n_features,).

    Invariant: `S0[q]`, then `S1[j,l,q]` and `S2[j1,j2,l,q]`, l fastest but for the power. There are
    (1 + (J + 1)(J + 2) / 2 (l_max + 1)) powers of them, J = j_max.

    Oriented: the samples of the density, `S0[x=7]`, then for one direction of each opposite pair (see
    `gbscape.features.directions`), polar index slowest, `S1[j]` and `S2[j1,j2]`, each with its samples, z fastest; e.g.
    `S1[polar=3,azimuthal=0,j=7,x=16]`. There are (1 + directions times paths) times samples of them.
    """
    if isinstance(parameters, OrientedScattering):
        return _oriented_names(parameters)
    widths, orders = range(parameters.j_max + 1), range(parameters.l_max + 1)
    paths = ["S0[{q}]"]
    paths += [f"S1[j={j},l={order},{{q}}]" for j in widths for order in orders]
    paths += [f"S2[j={j},{k},l={order},{{q}}]" for j in widths for k in widths if k > j for order in orders]
    return [path.format(q=f"q={power:g}") for path in paths for power in parameters.integral_powers]


def _oriented_names(parameters: OrientedScattering) -> list[str]:
    paths = []
    if parameters.layers > 1:
        paths += [("S1", f"j={j},") for j in range(parameters.n_scales)]
    if parameters.layers > 2:
        paths += [("S2", f"j={j},{k},") for j, k in itertools.combinations(range(parameters.n_scales), 2)]
    axes = [axis for axis in range(3) if axis == 0 or parameters.samples[axis] > 1]
    samples = [",".join(f"{'xyz'[axis]}={index[axis]}" for axis in axes) for index in np.ndindex(*parameters.samples)]
    directions = [divmod(int(index), parameters.n_azimuthal) for index in distinct_directions(parameters)[0]]
    return [f"S0[{sample}]" for sample in samples] + [
        f"{layer}[polar={polar},azimuthal={azimuthal},{scales}{sample}]"
        for polar, azimuthal in directions
        for layer, scales in paths
        for sample in samples
    ]
