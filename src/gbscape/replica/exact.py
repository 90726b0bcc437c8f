"""Energies of all atoms of a model by the potential that relaxed it: exact where that is also what computes the cells."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gbscape.replica.points import reference_atoms
from gbscape.simulate.potentials import ReadyPotential
from gbscape.store.arrays import read_arrays


def exact_energies(model_h5: str | Path, potential_json: str | Path, points_csv: str | Path) -> NDArray[np.float64]:
    """Energies (n,) in eV of all atoms over that of an atom of the crystal: the mean over the reference atoms, in the model,
    or the perfect crystal where there are none."""
    energies = np.asarray(read_arrays(model_h5, ["energies_ev"])["energies_ev"])
    reference = reference_atoms(points_csv)
    zero = energies[reference].mean() if len(reference) else ReadyPotential.read(potential_json).cohesive_energy_ev
    return np.asarray(energies - zero)
