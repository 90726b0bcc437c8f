"""Atomic energies by density-functional theory: GPAW for the cell, its energy density for the atom.

The self-consistent cycle and the partition are processes of their own: the former may run under MPI, and neither shares a
process with LAMMPS, whose MPI may be another. What they have finished stays in the working directory and is used again:
`scf.json` and `scf.gpw` (the latter is removed after the partition unless it is to be kept), `partition.json`, GPAW's log
`scf.txt`.
"""

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
from ase import Atoms
from ase.build import bulk

from gbscape.config.dft import DftSettings
from gbscape.energies.atomic_energy import AtomicEnergy, EnergyRejected
from gbscape.energies.energy_density import Partition, extrapolated
from gbscape.energies.gpaw_cycle import check_cell, converge, digest, finished, run_process, scf_input
from gbscape.energies.gpaw_version import require_gpaw
from gbscape.store.atomic import atomic_path
from gbscape.store.code import modules_hash

_ATOMS_OF_CUBE = {"sc": 1, "bcc": 2, "fcc": 4}
_BALDERESCHI = {"kpts": [[0.25, 0.25, 0.25]]}


def atomic_energy(cell: Atoms, target: int, settings: DftSettings, workdir: str | Path) -> AtomicEnergy:
    """Energy of one atom of a periodic cell by PBE, plane waves and the energy density of Yu, Trinkle and Martin (2011).

    Args:
        cell: of tens of atoms, periodic along all three vectors, of any shape; its own moments are ignored.
        target: number of the atom.
        settings: of the cycle, the partition and what is rejected.
        workdir: where the steps leave their files; one directory a cell. Finished steps with the same settings and cell are
            not repeated.

    Returns:
        the energy on the zero of GPAW's datasets (see `reference_energy`). Like the energy, the gauge errors are those
        extrapolated to an infinitely fine grid where there are two; `provenance` has what that changed.

    Raises:
        BackendMissing: no GPAW, or not the version whose internals are read.
        ValueError: a cell that is not periodic or has no volume, atoms closer than 1.2 Angstrom, a target that is not in
            it, a species without a dataset.
        EnergyRejected: the cycle does not converge, moments or errors are outside the limits of the settings.
        RuntimeError: a step failed for another reason; its last words are in the message.
    """
    version = require_gpaw()
    check_cell(cell)
    if not 0 <= target < len(cell):
        raise ValueError(f"the target must be an atom from 0 to {len(cell) - 1}, got {target}")
    workdir = Path(workdir)
    kpoints = _BALDERESCHI if settings.kpoint_grid is None else {"size": list(settings.kpoint_grid)}
    given = scf_input(cell, settings, kpoints, version, symmetric=False)
    parts = [settings.partition, *map(str, settings.refinements)]
    key = digest([given["key"], modules_hash("gbscape.energies.gpaw_partition"), *parts])
    shared = finished(workdir / "partition.json", key)
    scf = finished(workdir / "scf.json", given["key"])
    if shared is None or scf is None:
        scf = converge(given, settings, workdir)
        with atomic_path(workdir / "partition.json") as out:
            run_process("gbscape.energies.gpaw_partition", [str(workdir / "scf.gpw"), str(out), key, *parts], ranks=1)
        shared = finished(workdir / "partition.json", key)
        assert shared is not None
    if not settings.keep_wave_functions:
        (workdir / "scf.gpw").unlink(missing_ok=True)
    partitions = [_partition(its) for its in shared["partitions"]]
    finest = partitions[-1]
    result = extrapolated(partitions[0], finest) if len(partitions) == 2 else finest
    magnetic = np.array(given["initial_moments_bohr"]) != 0
    if magnetic.any():
        _check_moment("mean", float(result.moments_bohr[magnetic].mean()), settings.mean_moment_range_bohr)
    if magnetic[target]:
        _check_moment("target", float(result.moments_bohr[target]), settings.target_moment_range_bohr)
    energy = AtomicEnergy(
        energy_ev=float(result.energies_ev[target]),
        total_ev=scf["total_ev"],
        sum_rule_error_ev=float(result.energies_ev.sum()) - scf["total_ev"],
        gauge_errors_ev={
            "kinetic": float(result.kinetic_gauge_ev[target]),
            "electrostatic": float(result.electrostatic_gauge_ev[target]),
        },
        charge_e=-float(result.electrons[target]),
        volume_angstrom3=float(result.volumes_angstrom3[target]),
        magnetic_moment_bohr=float(result.moments_bohr[target]),
        provenance={
            "code": f"gpaw {version}",
            "settings": settings.model_dump_json(),
            "kpoints": json.dumps(kpoints),
            "n_atoms": len(cell),
            "iterations": scf["iterations"],
            "scf_seconds": scf["seconds"],
            "scf_ranks": scf["ranks"],
            "partition_seconds": shared["seconds"],
            "grid_correction_ev": float(result.energies_ev[target] - finest.energies_ev[target]),
            "electrons_of_electrostatic_volume": float(finest.electrostatic_electrons[target]),
        },
    )
    _check_errors(energy, settings, len(cell))
    return energy


def reference_energy(
    species: str,
    lattice: Literal["sc", "bcc", "fcc"],
    lattice_constant_angstrom: float,
    settings: DftSettings,
    workdir: str | Path,
) -> float:
    """Energy in eV of an atom of the perfect crystal, with the same settings but for the k-points.

    All its atoms are alike, so it is that of the cubic cell over their number; nothing is shared out.

    Args:
        species: by symbol.
        lattice: of the crystal.
        lattice_constant_angstrom: its edge.
        settings: of the cycle; the k-points are `reference_kpoint_grid`.
        workdir: where the step leaves its files; not that of another cell.

    Raises:
        BackendMissing, EnergyRejected, RuntimeError, ValueError: as `atomic_energy`; a lattice that is not known.
    """
    version = require_gpaw()
    if lattice not in _ATOMS_OF_CUBE:
        raise ValueError(f"the lattice must be one of {', '.join(_ATOMS_OF_CUBE)}, got {lattice!r}")
    cell = bulk(species, lattice, a=lattice_constant_angstrom, cubic=True)
    check_cell(cell)
    given = scf_input(cell, settings, {"size": list(settings.reference_kpoint_grid)}, version, symmetric=True)
    workdir = Path(workdir)
    scf = finished(workdir / "scf.json", given["key"]) or converge(given, settings, workdir)
    if not settings.keep_wave_functions:
        (workdir / "scf.gpw").unlink(missing_ok=True)
    if any(given["initial_moments_bohr"]):
        _check_moment("mean", scf["moment_bohr"] / len(cell), settings.mean_moment_range_bohr)
    return float(scf["total_ev"]) / len(cell)


def _check_moment(what: Literal["mean", "target"], moment_bohr: float, limits: tuple[float, float] | None) -> None:
    if limits is not None and not limits[0] <= moment_bohr <= limits[1]:
        raise EnergyRejected(
            f"the {what} magnetic moment, {moment_bohr:.2f} Bohr magnetons, is outside {limits}: start from other "
            f"initial_moments_bohr, or change {what}_moment_range_bohr if it is right"
        )


def _check_errors(energy: AtomicEnergy, settings: DftSettings, n_atoms: int) -> None:
    # Electrostatics over Bader volumes depend on the gauge; who asks for them knows.
    checked = ("kinetic", "electrostatic") if settings.partition == "charge_neutral" else ("kinetic",)
    for name in checked:
        error = energy.gauge_errors_ev[name]
        if abs(error) > settings.max_gauge_error_ev:
            raise EnergyRejected(
                f"the {name} gauge error, {error:.4f} eV, is above max_gauge_error_ev = {settings.max_gauge_error_ev:g}: "
                "take a finer grid (more refinements, or a higher cutoff_ev)"
            )
    correction = energy.provenance["grid_correction_ev"]
    if abs(correction) > settings.max_grid_correction_ev:
        raise EnergyRejected(
            f"extrapolation changes the energy by {correction:.4f} eV, more than max_grid_correction_ev = "
            f"{settings.max_grid_correction_ev:g}: take a finer grid (a higher cutoff_ev)"
        )
    per_atom = energy.sum_rule_error_ev / n_atoms
    if abs(per_atom) > settings.max_sum_rule_error_ev_per_atom:
        raise EnergyRejected(
            f"the atoms' energies miss the cell's by {per_atom:.5f} eV an atom, more than "
            f"max_sum_rule_error_ev_per_atom = {settings.max_sum_rule_error_ev_per_atom:g}: converge the cycle further "
            "(density_change_per_electron, residual_ev2_per_electron)"
        )


def _partition(stored: dict[str, Any]) -> Partition:
    return Partition(**stored | {name: np.array(its) for name, its in stored.items() if isinstance(its, list)})
