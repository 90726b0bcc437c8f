"""Atomic energies by density-functional theory: GPAW for the cell, its energy density for the atom.

The self-consistent cycle and the partition are processes of their own: the former may run under MPI, and neither shares a
process with LAMMPS, whose MPI may be another. What they have finished stays in the working directory and is used again:
`scf.json` and `scf.gpw` (the latter is removed after the partition unless it is to be kept), `partition.json`, GPAW's log
`scf.txt`.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import numpy as np
from ase import Atoms
from ase.build import bulk

from gbscape.config.dft import DftSettings
from gbscape.energies.atomic_energy import AtomicEnergy, EnergyRejected
from gbscape.energies.energy_density import Partition, extrapolated
from gbscape.energies.gpaw_version import require_gpaw
from gbscape.store.atomic import atomic_path
from gbscape.store.code import modules_hash
from gbscape.structure.nearest_neighbours import nearest_neighbour_distances

_CLOSEST_ANGSTROM = 1.2
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
    _check_cell(cell)
    if not 0 <= target < len(cell):
        raise ValueError(f"the target must be an atom from 0 to {len(cell) - 1}, got {target}")
    workdir = Path(workdir)
    kpoints = _BALDERESCHI if settings.kpoint_grid is None else {"size": list(settings.kpoint_grid)}
    given = scf_input(cell, settings, kpoints, version, symmetric=False)
    parts = [settings.partition, *map(str, settings.refinements)]
    key = _digest([given["key"], modules_hash("gbscape.energies.gpaw_partition"), *parts])
    shared = _finished(workdir / "partition.json", key)
    scf = _finished(workdir / "scf.json", given["key"])
    if shared is None or scf is None:
        scf = _converge(given, settings, workdir)
        with atomic_path(workdir / "partition.json") as out:
            _run("gbscape.energies.gpaw_partition", [str(workdir / "scf.gpw"), str(out), key, *parts], ranks=1)
        shared = _finished(workdir / "partition.json", key)
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
    _check_cell(cell)
    given = scf_input(cell, settings, {"size": list(settings.reference_kpoint_grid)}, version, symmetric=True)
    workdir = Path(workdir)
    scf = _finished(workdir / "scf.json", given["key"]) or _converge(given, settings, workdir)
    if not settings.keep_wave_functions:
        (workdir / "scf.gpw").unlink(missing_ok=True)
    if any(given["initial_moments_bohr"]):
        _check_moment("mean", scf["moment_bohr"] / len(cell), settings.mean_moment_range_bohr)
    return float(scf["total_ev"]) / len(cell)


def scf_input(
    cell: Atoms, settings: DftSettings, kpoints: dict[str, Any], version: str, symmetric: bool
) -> dict[str, Any]:
    """All that determines the self-consistent cycle, and its digest `key`, for JSON.

    Args:
        cell: the atoms.
        settings: of the cycle.
        kpoints: as GPAW takes them.
        version: of GPAW.
        symmetric: use the point group.
    """
    given: dict[str, Any] = {
        "numbers": cell.numbers.tolist(),
        "positions": cell.positions.tolist(),
        "cell": cell.cell.array.tolist(),
        "initial_moments_bohr": [
            settings.initial_moments_bohr.get(species, 0.0) for species in cell.get_chemical_symbols()
        ],
        "parameters": {
            "mode": {"name": "pw", "ecut": settings.cutoff_ev},
            "xc": settings.xc,
            "kpts": kpoints,
            "symmetry": {"point_group": symmetric},
            "occupations": {"name": "fermi-dirac", "width": settings.smearing_ev},
            "nbands": f"{settings.bands_percent:g}%",
            "convergence": {
                "energy": settings.energy_change_ev_per_electron,
                "density": settings.density_change_per_electron,
                "eigenstates": settings.residual_ev2_per_electron,
            },
            "maxiter": settings.max_iterations,
        },
    }
    return given | {"key": _digest([version, modules_hash("gbscape.energies.gpaw_scf"), given])}


def _converge(given: dict[str, Any], settings: DftSettings, workdir: Path) -> dict[str, Any]:
    """Summary of the cycle, of which `scf.gpw` is there; it is run unless it was."""
    summary, waves, log = workdir / "scf.json", workdir / "scf.gpw", workdir / "scf.txt"
    done = _finished(summary, given["key"])
    if done is not None and waves.exists():
        return done
    summary.unlink(missing_ok=True)  # the two files belong together
    workdir.mkdir(parents=True, exist_ok=True)
    (workdir / "scf_input.json").write_text(json.dumps(given), encoding="utf-8")
    with atomic_path(summary) as new_summary, atomic_path(waves) as new_waves:
        files = [str(path) for path in (workdir / "scf_input.json", new_summary, new_waves, log)]
        _run("gbscape.energies.gpaw_scf", files, settings.ranks)
        result: dict[str, Any] = json.loads(new_summary.read_text(encoding="utf-8"))
        if result["outcome"] == "no dataset":
            raise ValueError(
                f"GPAW has no PAW dataset {result['species']}.{settings.xc}: install one (gpaw install-data) or take "
                "another species"
            )
        if result["outcome"] == "unconverged":
            raise EnergyRejected(
                f"the self-consistent cycle did not converge in {settings.max_iterations} iterations ({log}): raise "
                "max_iterations or smearing_ev, or start from other initial_moments_bohr"
            )
    return result


def _run(module: str, arguments: list[str], ranks: int) -> None:
    """Run a module of this package in a process of its own, or in several under MPI."""
    # A launcher's variables of this process would make the new one believe that it is one of its ranks.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PMI_", "PMIX_", "OMPI_", "HYD"))
    }
    environment.setdefault("OMP_NUM_THREADS", "1")
    environment["GPAW_MPI_BACKEND"] = "serial" if ranks == 1 else "cgpaw"
    command = [sys.executable, "-P", "-m", module, *arguments]
    if ranks > 1:
        beside = Path(sys.executable).with_name("mpiexec")
        launcher = str(beside) if beside.exists() else shutil.which("mpiexec")
        if launcher is None:
            raise RuntimeError(f"{ranks} ranks need mpiexec, which is not there: pip install mpich, or set ranks to 1")
        # Hydra would otherwise start the ranks through Slurm where it finds it.
        command = [launcher, "-launcher", "fork", "-n", str(ranks), *command]
    ended = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if ended.returncode:
        hint = (
            "; set ranks to 1, or build GPAW with MPI (make setup-dft)" if "compiled with MPI" in ended.stderr else ""
        )
        raise RuntimeError(
            f"{module} failed with code {ended.returncode}{hint}. Its last words:\n{ended.stderr[-2000:].strip()}"
        )


def _check_cell(cell: Atoms) -> None:
    if not cell.pbc.all():
        raise ValueError(f"the cell must be periodic along all three vectors, its periodicity is {cell.pbc.tolist()}")
    if len(cell) == 0 or (cell.numbers < 1).any():
        raise ValueError("the cell needs atoms, all of a known species")
    closest = float(nearest_neighbour_distances(cell).min())
    if closest < _CLOSEST_ANGSTROM:
        raise ValueError(
            f"two atoms of the cell are {closest:.2f} Angstrom apart, less than {_CLOSEST_ANGSTROM}: remove one of them"
        )


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


def _finished(path: Path, key: str) -> dict[str, Any] | None:
    """What a step left, if it was the same step."""
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found if found["key"] == key else None


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
