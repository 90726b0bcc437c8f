"""SOAP by quippy, the Python interface of QUIP."""

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from quippy.descriptors import Descriptor

from gbscape.config.quippy_range import CLOSEST_APPROACH_ANGSTROM, LARGEST_ERROR, quippy_error
from gbscape.config.soap import Soap
from gbscape.features.checks import closest_pair


def power_spectrum_quippy(atoms: Atoms, parameters: Soap, centres: NDArray[np.int_]) -> NDArray[np.float64]:
    """Power spectra (n_centres, n_features) of the atoms with these indices, in their order.

    Raises:
        ValueError: atoms so close that quippy's rounding errors would show (see `gbscape.config.quippy_range`).
    """
    closest = closest_pair(atoms)[0]
    if closest < CLOSEST_APPROACH_ANGSTROM:  # the settings were checked for atoms no nearer than this
        error = quippy_error(
            parameters.n_max, parameters.l_max, parameters.cutoff_angstrom, parameters.sigma_angstrom, closest
        )
        if not error <= LARGEST_ERROR:
            raise ValueError(
                f"two atoms are {closest:.2f} Angstrom apart, where quippy's power spectrum would be wrong by about "
                f"{error:.0e} with these settings (at most {LARGEST_ERROR:.0e} is allowed); choose a smaller "
                "sigma_angstrom, l_max or n_max, or check the structure"
            )
    number = int(atoms.numbers[0])
    descriptor = Descriptor(
        f"soap n_max={parameters.n_max} l_max={parameters.l_max} cutoff={parameters.cutoff_angstrom!r} "
        f"cutoff_transition_width={parameters.cutoff_transition_width_angstrom!r} "
        f"atom_sigma={parameters.sigma_angstrom!r} n_Z=1 Z={{{number}}} n_species=1 species_Z={{{number}}}"
    )
    slab = _for_quippy(atoms, centres, parameters.cutoff_angstrom)
    vectors = descriptor.calc(slab, args_str="atom_mask_name=chosen")["data"]
    # quippy returns the centres in the order of the atoms
    return np.ascontiguousarray(vectors[np.argsort(np.argsort(centres))])


def _for_quippy(atoms: Atoms, centres: NDArray[np.int_], cutoff_angstrom: float) -> Atoms:
    """The part of the slab that matters, with the mask `chosen`, in a box with vacuum about it.

    quippy bins atoms by the cell even where that is not periodic, so the box must hold them.
    """
    chosen = np.zeros(len(atoms), dtype=bool)
    chosen[centres] = True
    x = atoms.positions[:, 0]
    reach = cutoff_angstrom + 0.1
    near = (x >= x[centres].min() - reach) & (x <= x[centres].max() + reach)
    positions = atoms.positions[near]
    positions[:, 0] -= positions[:, 0].min() - reach
    cell = atoms.cell.lengths()
    cell[0] = positions[:, 0].max() + reach
    part = Atoms(numbers=atoms.numbers[near], positions=positions, cell=cell, pbc=atoms.pbc)
    part.set_array("chosen", chosen[near])
    return part
