"""Energies of atoms by tight binding (GFN1-xTB of tblite): to try the machinery of an electronic backend, not for results.

Its atomic energies hardly follow those of DFT in iron: the correlation is -0.3.
"""

from importlib.metadata import version

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.units import Bohr, Hartree

from gbscape.energies.atomic_energy import TBLITE_MISSING, AtomicEnergy, BackendMissing

METHOD = "GFN1-xTB"
_CRYSTAL_REPEATS = 3


def atomic_energy(cell: Atoms, target: int) -> AtomicEnergy:
    """Energy of the atom number `target` of a periodic cell.

    Raises:
        BackendMissing: tblite is not installed.
        RuntimeError: the self-consistent cycle does not converge.
    """
    try:
        from tblite.interface import Calculator
    except ImportError:
        raise BackendMissing(TBLITE_MISSING) from None
    calculator = Calculator(METHOD, cell.numbers, cell.positions / Bohr, 0.0, None, cell.cell.array / Bohr, cell.pbc)
    calculator.set("verbosity", 0)
    found = calculator.singlepoint()
    energies = np.asarray(found.get("energies")) * Hartree
    total = float(found.get("energy")) * Hartree
    return AtomicEnergy(
        float(energies[target]),
        total,
        sum_rule_error_ev=float(energies.sum() - total),
        charge_e=float(found.get("charges")[target]),
        provenance={"code": "tblite", "version": version("tblite"), "method": METHOD},
    )


def reference_energy(species: str, lattice: str, lattice_constant_angstrom: float) -> float:
    """Energy in eV of an atom of the perfect crystal, in a cube of 3 unit cells along each edge.

    Raises:
        BackendMissing: tblite is not installed.
    """
    crystal = bulk(species, lattice, a=lattice_constant_angstrom, cubic=True).repeat(_CRYSTAL_REPEATS)
    return atomic_energy(crystal, 0).energy_ev
