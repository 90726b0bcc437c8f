"""The self-consistent cycle of a cell by GPAW, as a process of its own: what it is given, and how it is run once.

It may run under MPI, and does not share a process with LAMMPS, whose MPI may be another. What it has finished stays in its
working directory and is used again: `scf.json`, for some `scf.gpw`, and GPAW's log `scf.txt`.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal

from ase import Atoms
from ase.neighborlist import neighbor_list

from gbscape.config.dft import PlaneWaves
from gbscape.energies.atomic_energy import EnergyRejected
from gbscape.store.atomic import atomic_path
from gbscape.store.code import modules_hash

Derivative = Literal["forces", "stress"]
_CLOSEST_ANGSTROM = 1.2


def scf_input(
    cell: Atoms,
    settings: PlaneWaves,
    kpoints: dict[str, Any],
    version: str,
    symmetric: bool,
    derivatives: Sequence[Derivative] = (),
    davidson_steps: int | None = None,
) -> dict[str, Any]:
    """All that determines the self-consistent cycle, and its digest `key`, for JSON.

    Args:
        cell: the atoms.
        settings: of the cycle.
        kpoints: as GPAW takes them.
        version: of GPAW.
        symmetric: use the point group.
        derivatives: of the cell's energy that are wanted, and not its wave functions.
        davidson_steps: of the eigensolver between two densities; None leaves it to GPAW.
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
        "derivatives": list(derivatives),
    }
    if davidson_steps is not None:
        given["parameters"]["eigensolver"] = {"name": "davidson", "niter": davidson_steps}
    return given | {"key": digest([version, modules_hash("gbscape.energies.gpaw_scf"), given])}


def converge(given: dict[str, Any], settings: PlaneWaves, workdir: Path) -> dict[str, Any]:
    """Summary of the cycle, and `scf.gpw` beside it unless derivatives were wanted; it is run unless it was.

    Raises:
        EnergyRejected: it does not converge.
        RuntimeError: the process failed; its last words are in the message.
        ValueError: a species without a dataset.
    """
    summary, waves, log = workdir / "scf.json", workdir / "scf.gpw", workdir / "scf.txt"
    keeps_waves = not given["derivatives"]
    done = finished(summary, given["key"])
    if done is not None and (waves.exists() or not keeps_waves):
        return done
    summary.unlink(missing_ok=True)  # the two files belong together
    workdir.mkdir(parents=True, exist_ok=True)
    (workdir / "scf_input.json").write_text(json.dumps(given), encoding="utf-8")
    with atomic_path(summary) as new_summary, atomic_path(waves) if keeps_waves else nullcontext(waves) as new_waves:
        files = [str(path) for path in (workdir / "scf_input.json", new_summary, new_waves, log)]
        run_process("gbscape.energies.gpaw_scf", files, settings.ranks)
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


def run_process(module: str, arguments: list[str], ranks: int) -> None:
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


def check_cell(cell: Atoms) -> None:
    """Refuse cells that no cycle can be run of: not periodic, no volume, no atoms, atoms closer than 1.2 Angstrom."""
    if not cell.pbc.all():
        raise ValueError(f"the cell must be periodic along all three vectors, its periodicity is {cell.pbc.tolist()}")
    if len(cell) == 0 or (cell.numbers < 1).any():
        raise ValueError("the cell needs atoms, all of a known species")
    if cell.cell.rank < 3:
        raise ValueError(f"the cell has no volume: its vectors are {cell.cell.array.tolist()}")
    first, second, distances = neighbor_list("ijd", cell, _CLOSEST_ANGSTROM)
    if len(distances):
        pair = int(distances.argmin())
        raise ValueError(
            f"the atoms {first[pair]} and {second[pair]} of the cell are {distances[pair]:.2f} Angstrom apart, less than "
            f"{_CLOSEST_ANGSTROM}: remove one of them"
        )


def finished(path: Path, key: str) -> dict[str, Any] | None:
    """What a step left, if it was the same step."""
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found if found["key"] == key else None


def digest(content: Any) -> str:
    """Checksum of what JSON can hold."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
