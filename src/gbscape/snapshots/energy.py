"""Energy of a boundary in motion: of a fixed set of atoms, those that the descriptors see."""

import numpy as np
from numpy.typing import NDArray

from gbscape.structure.units import EV_PER_ANGSTROM2_IN_J_M2


def boundary_energy_j_m2(
    energies_ev: NDArray[np.float64], boundary: NDArray[np.bool_], cohesive_energy_ev: float, area_angstrom2: float
) -> float:
    """Potential energy of the boundary atoms above that of as many atoms of the perfect crystal at rest, per area.

    The paper (Homer et al. 2019) does not say which energy it takes. This one is of exactly the atoms that are described,
    and so of as many at every moment; thermal vibrations of the grains beyond them do not enter. In motion it lies above
    the energy of the relaxed boundary by the potential energy of the vibrations, about 3/2 kT an atom.

    Args:
        energies_ev: (n,) potential energies of all atoms.
        boundary: (n,) true for the boundary atoms.
    """
    excess = float((energies_ev[boundary] - cohesive_energy_ev).sum())
    return excess / area_angstrom2 * EV_PER_ANGSTROM2_IN_J_M2
