"""SOAP by quippy, the Python interface of QUIP: the reference that the other engines agree with."""

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray
from quippy.descriptors import Descriptor

from gbscape.config.quippy_range import CLOSEST_APPROACH_ANGSTROM, LARGEST_ERROR, quippy_error
from gbscape.config.soap import SoapParameters
from gbscape.features.checks import COINCIDENCE_ANGSTROM, neighbour_species, periodic_cell


def power_spectrum_quippy(atoms: Atoms, parameters: SoapParameters, centres: NDArray[np.int_]) -> NDArray[np.float64]:
    """SOAP vectors of the atoms with these indices, in their order: (n_centres, n_features), or (n_features,) if averaged.

    Raises:
        ValueError: settings, or atoms so close, that quippy's rounding errors would show (see
            `gbscape.config.quippy_range`); atoms that coincide; mean coefficients of a part of a species' atoms.
    """
    numbers = np.unique(atoms.numbers[centres])
    if parameters.averaging == "coefficients" and np.isin(atoms.numbers, numbers).sum() > len(centres):
        # with a mask its average=T writes beyond its own arrays
        raise ValueError("quippy averages coefficients over all atoms of a species only; choose another engine")
    species = [atomic_numbers[symbol] for symbol in neighbour_species(atoms, parameters)]
    part, order = _for_quippy(atoms, centres, parameters.cutoff_angstrom)
    _check_accuracy(part, parameters)
    descriptor = _descriptor(parameters, numbers, species)
    if parameters.averaging == "coefficients":
        vector = np.array(descriptor.calc(part)["data"][0])
        return vector if parameters.normalise else vector / len(centres) ** 2  # quippy takes the sum for the mean
    vectors = np.ascontiguousarray(descriptor.calc(part, args_str="atom_mask_name=chosen")["data"])
    return vectors.mean(axis=0) if parameters.averaging == "spectra" else vectors[order]


def _descriptor(parameters: SoapParameters, centre_numbers: NDArray[np.int_], species: list[int]) -> Descriptor:
    p = parameters
    return Descriptor(
        f"soap n_max={p.n_max} l_max={p.l_max} cutoff={p.cutoff_angstrom!r} "
        f"cutoff_transition_width={p.cutoff_transition_width_angstrom!r} atom_sigma={p.sigma_angstrom!r} "
        f"central_weight={p.central_weight!r} normalise={'T' if p.normalise else 'F'} "
        f"average={'T' if p.averaging == 'coefficients' else 'F'} "
        f"n_Z={len(centre_numbers)} Z={{{' '.join(map(str, centre_numbers))}}} "
        f"n_species={len(species)} species_Z={{{' '.join(map(str, species))}}}"
    )


def _check_accuracy(atoms: Atoms, parameters: SoapParameters) -> None:
    distances = neighbor_list("d", atoms, CLOSEST_APPROACH_ANGSTROM)
    closest = float(distances.min(initial=CLOSEST_APPROACH_ANGSTROM))
    if closest < COINCIDENCE_ANGSTROM:
        raise ValueError(f"two atoms are only {closest:.2g} Angstrom apart: one atom stored twice")
    error = quippy_error(
        parameters.n_max, parameters.l_max, parameters.cutoff_angstrom, parameters.sigma_angstrom, closest
    )
    if not error <= LARGEST_ERROR:
        raise ValueError(
            f"quippy's power spectrum would be wrong by about {error:.0e} with these settings for an atom {closest:.2f} "
            f"Angstrom from another (at most {LARGEST_ERROR:.0e} is allowed); choose another engine or a smaller "
            "sigma_angstrom, l_max or n_max, or check the structure"
        )


def _for_quippy(atoms: Atoms, centres: NDArray[np.int_], cutoff_angstrom: float) -> tuple[Atoms, NDArray[np.int_]]:
    """The part of the structure that matters, with the mask `chosen`, in a cell with vacuum about it where it is not
    periodic; and the place of each centre among quippy's vectors, which come in the order of the atoms.

    quippy bins atoms by the cell even where that is not periodic, so the cell must hold them.
    """
    chosen = np.zeros(len(atoms), dtype=bool)
    chosen[centres] = True
    reach = cutoff_angstrom + 0.1
    cell = periodic_cell(atoms)
    near = np.ones(len(atoms), dtype=bool)
    for axis in np.flatnonzero(~atoms.pbc):
        along = atoms.positions @ cell[axis]  # a unit vector perpendicular to the periods
        near &= (along >= along[centres].min() - reach) & (along <= along[centres].max() + reach)
    positions = atoms.positions[near]
    for axis in np.flatnonzero(~atoms.pbc):
        along = positions @ cell[axis]
        positions -= (along.min() - reach) * cell[axis]
        cell[axis] *= along.max() - along.min() + 2 * reach
    part = Atoms(numbers=atoms.numbers[near], positions=positions, cell=cell, pbc=atoms.pbc)
    part.set_array("chosen", chosen[near])
    return part, np.argsort(np.argsort(centres))
