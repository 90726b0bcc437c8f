"""The backends behind one call: which code computes the energy of an atom in a cell, and of one in the perfect crystal."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ase import Atoms

from gbscape.config.dft import DftSettings
from gbscape.config.replica import Backend
from gbscape.energies import eam
from gbscape.energies.atomic_energy import AtomicEnergy
from gbscape.simulate.potentials import ReadyPotential


@dataclass(frozen=True)
class Calculator:
    """A backend with its settings."""

    run: Callable[[Atoms, int, Path], AtomicEnergy]
    """Energy of the atom with this number in a cell; the folder is for the backend's own files."""
    reference: Callable[[Path], float]
    """Energy in eV of an atom of the perfect crystal."""
    settings: dict[str, object]
    """What determines the energies, for the provenance."""


def calculator(backend: Backend, potential: ReadyPotential, dft: DftSettings) -> Calculator:
    """The backend of this name.

    Args:
        backend: which.
        potential: of the backend `eam`; the others take its species and crystal.
        dft: of the backend `gpaw`.
    """
    if backend == "eam":
        return Calculator(
            run=lambda cell, target, _: eam.atomic_energy(cell, target, potential),
            reference=lambda _: eam.reference_energy(potential),
            settings={"potential_sha256": potential.file_sha256},
        )
    if backend == "gpaw":
        from gbscape.energies import gpaw_backend

        return Calculator(
            run=lambda cell, target, folder: gpaw_backend.atomic_energy(cell, target, dft, folder),
            reference=lambda folder: gpaw_backend.reference_energy(
                potential.species, potential.lattice, potential.lattice_constant_angstrom, dft, folder
            ),
            settings=dft.model_dump(mode="json"),
        )
    from gbscape.energies import tight_binding

    return Calculator(
        run=lambda cell, target, _: tight_binding.atomic_energy(cell, target),
        reference=lambda _: tight_binding.reference_energy(
            potential.species, potential.lattice, potential.lattice_constant_angstrom
        ),
        settings={"method": tight_binding.METHOD},
    )
