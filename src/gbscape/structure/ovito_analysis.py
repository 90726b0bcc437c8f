"""OVITO's analyses of structures, without its graphical side: import `modifiers` from here, so that Qt is told first."""

import os

from ase import Atoms

# Qt must not look for a display.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OVITO_GUI_MODE", "0")

from ovito import modifiers
from ovito.data import Particles
from ovito.io.ase import ase_to_ovito
from ovito.pipeline import Modifier

__all__ = ["analysed", "modifiers"]


def analysed(atoms: Atoms, modifier: Modifier) -> Particles:
    """Particles in the order of the atoms, with the properties that a modifier of OVITO gives them."""
    # Only what an analysis needs is handed over: OVITO warns about arrays whose names or types it does not know.
    data = ase_to_ovito(Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc))
    data.apply(modifier)
    return data.particles
