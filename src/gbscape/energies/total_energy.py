"""Energy, forces and stress of a whole periodic cell, by one of the backends."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.stress import full_3x3_to_voigt_6_stress
from numpy.typing import NDArray

from gbscape.config.dft import TotalEnergyDft
from gbscape.energies.gpaw_cycle import check_cell, converge, digest, scf_input
from gbscape.energies.gpaw_version import require_gpaw

Array = NDArray[np.float64]
KpointGrid = tuple[int, int, int]


@dataclass(frozen=True)
class TotalEnergy:
    """What a backend says of a cell."""

    energy_ev: float
    """On the backend's own zero, extrapolated to zero width of the occupations."""
    forces_ev_angstrom: Array
    """(n, 3), like the stress derivatives of the free energy at the settings' width."""
    stress_ev_angstrom3: Array | None
    """(3, 3), positive under tension, if it was asked for."""
    provenance: dict[str, Any]
    """Code, version and settings that made it."""


def total_energy(
    cell: Atoms,
    settings: TotalEnergyDft,
    workdir: str | Path,
    kpoint_grid: KpointGrid | None = None,
    stress: bool = False,
) -> TotalEnergy:
    """Energy, forces and stress of a periodic cell by PBE and plane waves (GPAW).

    Args:
        cell: of up to some hundred atoms, periodic along all three vectors, of any shape.
        settings: of the cycle.
        workdir: where the cycle leaves its files; one directory a cell. A cycle that is finished, with the same settings and
            cell, is not repeated.
        kpoint_grid: points along each vector; None takes `kpoint_grid_of` the cell.
        stress: it is wanted, too; it takes several times as long as the forces.

    Raises:
        BackendMissing: no GPAW, or not the version whose internals are read.
        ValueError: a cell that is not periodic or has no volume, atoms closer than 1.2 Angstrom, a species without a dataset.
        EnergyRejected: the cycle does not converge.
        RuntimeError: the process failed for another reason; its last words are in the message.
    """
    version = require_gpaw()
    check_cell(cell)
    grid = kpoint_grid_of(cell, settings) if kpoint_grid is None else kpoint_grid
    kpoints = {"size": list(grid)}
    found = converge(
        scf_input(
            cell,
            settings,
            kpoints,
            version,
            symmetric=True,
            derivatives=("forces", "stress") if stress else ("forces",),
            davidson_steps=settings.davidson_steps,
        ),
        settings,
        Path(workdir),
    )
    return TotalEnergy(
        energy_ev=found["total_ev"],
        forces_ev_angstrom=np.array(found["forces_ev_angstrom"]),
        stress_ev_angstrom3=np.array(found["stress_ev_angstrom3"]) if stress else None,
        provenance={
            "code": f"gpaw {version}",
            "settings": settings.model_dump_json(),
            "kpoints": json.dumps(kpoints),
            "iterations": found["iterations"],
            "seconds": found["seconds"],
            "ranks": found["ranks"],
        },
    )


class DftCalculator(Calculator):  # type: ignore[misc]
    """`total_energy` as a calculator of ASE, for relaxations and paths. Each cell that it is asked for is kept, so that a job that is
    killed goes through the finished ones again in no time."""

    implemented_properties = ["energy", "forces", "stress"]

    def __init__(self, settings: TotalEnergyDft, workdir: str | Path, kpoint_grid: KpointGrid | None = None) -> None:
        """Take the arguments of `total_energy`; the directory is for all cells."""
        super().__init__()
        self._settings, self._workdir, self._kpoint_grid = settings, Path(workdir), kpoint_grid

    def calculate(
        self, atoms: Atoms | None = None, properties: Any = ("energy",), system_changes: Any = all_changes
    ) -> None:
        """Compute energy and forces of a cell, and its stress if that is among the properties."""
        super().calculate(atoms, properties, system_changes)
        cell = self.atoms
        own = digest([cell.numbers.tolist(), cell.positions.tolist(), cell.cell.tolist()])
        found = total_energy(cell, self._settings, self._workdir / own, self._kpoint_grid, "stress" in properties)
        self.results = {"energy": found.energy_ev, "forces": found.forces_ev_angstrom}
        if found.stress_ev_angstrom3 is not None:
            self.results["stress"] = full_3x3_to_voigt_6_stress(found.stress_ev_angstrom3)


def kpoint_grid_of(cell: Atoms, settings: TotalEnergyDft) -> KpointGrid:
    """Points along each reciprocal vector, no farther apart than the settings say (in Angstrom^-1, 2 pi included)."""
    lengths = 2 * np.pi * np.linalg.norm(cell.cell.reciprocal(), axis=1)
    a, b, c = (max(1, math.ceil(length / settings.kpoint_spacing_per_angstrom - 1e-9)) for length in lengths)
    return a, b, c
