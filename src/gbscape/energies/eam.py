"""Energies of atoms by a classical potential in LAMMPS: exact for every atom, and cheap."""

import numpy as np
from ase import Atoms

from gbscape.energies.atomic_energy import AtomicEnergy
from gbscape.simulate.bulk import minimise
from gbscape.simulate.potentials import ReadyPotential


def atomic_energy(cell: Atoms, target: int, potential: ReadyPotential) -> AtomicEnergy:
    """Energy of the atom number `target` of a periodic orthogonal cell, as it is.

    Raises:
        LammpsError: LAMMPS refused the cell, or an energy is not finite.
    """
    found = minimise(cell.positions, np.diag(cell.cell.array), potential, 0, 1.0, relax_cell=False)
    return AtomicEnergy(
        float(found.energies_ev[target]),
        float(found.energies_ev.sum()),
        provenance={"code": "LAMMPS", "pair_style": potential.pair_style, "potential": potential.file.name,
                    "potential_sha256": potential.file_sha256, "n_atoms": len(cell)},
    )  # fmt: skip


def reference_energy(potential: ReadyPotential) -> float:
    """Energy in eV of an atom of the perfect crystal."""
    return potential.cohesive_energy_ev
