"""Barriers of atoms that move from one site of a crystal to another: paths by the climbing nudged elastic band on DFT.

Henkelman, Uberuaga and Jonsson, J. Chem. Phys. 113, 9901 (2000), as ASE has it.
"""

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixCom
from ase.geometry import find_mic
from ase.mep import NEB
from ase.optimize import FIRE
from numpy.typing import NDArray

from gbscape.alloy.crystals import read_crystals
from gbscape.config.alloy import Migration, MigrationPath
from gbscape.config.dft import TotalEnergyDft
from gbscape.energies.gpaw_version import require_gpaw
from gbscape.energies.total_energy import DftCalculator, kpoint_grid_of
from gbscape.store.atomic import atomic_path
from gbscape.store.progress import progress

Array = NDArray[np.float64]
_SAME_SITE_ANGSTROM = 0.3


class _Band(NEB):  # type: ignore[misc]
    """A band some of whose images are computed at once. ASE's own way to do so goes on with zeros where one fails."""

    def __init__(self, images: list[Atoms], at_once: int) -> None:
        super().__init__(images, climb=False, method="improvedtangent")
        self._at_once = at_once

    def get_forces(self) -> Array:
        """Forces on the images between the ends, which keep what was computed for them."""
        with ThreadPoolExecutor(self._at_once) as pool:
            list(pool.map(Atoms.get_forces, self.images[1:-1]))
        return np.asarray(super().get_forces())


class MigrationError(RuntimeError):
    """A path that cannot be built or does not converge; the message says why."""


def compute_path(
    table_csv: str | Path,
    name: str,
    out_xyz: str | Path,
    settings: Migration,
    dft: TotalEnergyDft,
    workdir: str | Path,
    at_once: int = 1,
) -> None:
    """Relax a path by DFT, all its cells with the same points in k-space, and write its images (`save_images`).

    Args:
        table_csv: of crystals.
        name: of the path.
        out_xyz: images as extended XYZ, `relative_energy_ev` over the first.
        settings: of all paths.
        dft: of the energies.
        workdir: for files of the backend, from which a job that is killed goes on.
        at_once: images that are computed at the same time.

    Raises:
        MigrationError: a crystal that is not in the table; as `ends_of_path` and `relaxed_path`.
    """
    path, crystals = settings.paths[name], read_crystals(table_csv)
    if path is None:
        raise MigrationError(f"the path {name} was taken away: it is null")
    if path.crystal not in crystals:
        raise MigrationError(f"{table_csv} has no crystal {path.crystal}; it has {', '.join(crystals)}")
    ends = ends_of_path(crystals[path.crystal], path)
    grid = kpoint_grid_of(ends[0], dft)
    images, energies = relaxed_path(ends, lambda: DftCalculator(dft, workdir, grid), settings, at_once)
    save_images(name, images, energies, out_xyz, {"kpoints": str(list(grid)), "code": f"gpaw {require_gpaw()}"})


def ends_of_path(crystal: Atoms, path: MigrationPath) -> tuple[Atoms, Atoms]:
    """Supercells with the moving atom, the last one, at either end of its path, not relaxed.

    An atom that lies at the start moves, or one is put there (an interstitial); an atom at the end is taken away (a vacancy).

    Args:
        crystal: primitive cell.
        path: start and end in fractions of its vectors, the moving species, the repetition.

    Raises:
        MigrationError: start and end are the same site, or an atom of another species lies at the start.
    """
    supercell = crystal.repeat(path.repeat)
    start, end = (np.asarray(site) @ crystal.cell.array for site in (path.start, path.end))
    if _distance(supercell, start, end) < _SAME_SITE_ANGSTROM:
        raise MigrationError(f"start {path.start} and end {path.end} are the same site")
    at_start, at_end = (_atom_at(supercell, site) for site in (start, end))
    if at_start is not None and supercell[at_start].symbol != path.species:
        raise MigrationError(f"there is {supercell[at_start].symbol} at the start {path.start}, not {path.species}")
    gone = [atom for atom in (at_start, at_end) if atom is not None]
    host = supercell[[atom for atom in range(len(supercell)) if atom not in gone]]
    return tuple(host + Atoms(path.species, [site]) for site in (start, end))  # type: ignore[return-value]


def _atom_at(atoms: Atoms, site: Array) -> int | None:
    distances = find_mic(atoms.positions - site, atoms.cell, atoms.pbc)[1]
    nearest = int(distances.argmin())
    return nearest if distances[nearest] < _SAME_SITE_ANGSTROM else None


def _distance(atoms: Atoms, a: Array, b: Array) -> float:
    return float(find_mic([a - b], atoms.cell, atoms.pbc)[1][0])


def relaxed_path(
    ends: tuple[Atoms, Atoms], calculator: Callable[[], Calculator], settings: Migration, at_once: int = 1
) -> tuple[list[Atoms], Array]:
    """Images of the lowest path between two states, ends included, and their energies in eV.

    Args:
        ends: the same atoms in the same order, in one cell, not relaxed.
        calculator: makes one for an image.
        settings: number of images, forces, steps.
        at_once: images that are computed at the same time, in threads.

    Raises:
        MigrationError: an end or the path does not converge in the steps that are allowed.
    """
    first, last = (atoms.copy() for atoms in ends)
    for number, atoms in enumerate((first, last)):
        atoms.calc = calculator()
        atoms.set_constraint(FixCom())
        _converge(FIRE(atoms, logfile=None), settings, f"the {('start', 'end')[number]} of the path")
        atoms.set_constraint()
    images = [first, *(first.copy() for _ in range(settings.images)), last]
    for image in images[1:-1]:
        image.calc = calculator()
    band = _Band(images, at_once)
    band.interpolate(method="idpp", mic=True)
    _converge(FIRE(band, logfile=None), settings, "the path", factor=4.0)
    band.climb = True
    _converge(FIRE(band, logfile=None), settings, "the path")
    return images, np.array([image.get_potential_energy() for image in images])


def _converge(optimizer: FIRE, settings: Migration, what: str, factor: float = 1.0) -> None:
    steps = range(settings.most_steps)
    wanted = factor * settings.force_tolerance_ev_angstrom
    for _ in progress(steps, len(steps), f"steps of {what}"):
        if optimizer.run(fmax=wanted, steps=1):
            return
    raise MigrationError(
        f"{what} did not converge to {wanted:g} eV/Angstrom in {settings.most_steps} steps: raise most_steps"
    )


def save_images(
    name: str, images: list[Atoms], energies_ev: Array, path: str | Path, provenance: dict[str, str] | None = None
) -> None:
    """Write a path as extended XYZ, frames `NAME:0`, `NAME:1`, ... with their energies in eV, in `relative_energy_ev` over the first,
    forces in eV/Angstrom (those of DFT, so that those between the ends have what pulls them along the path), and how they were computed."""
    frames = []
    for number, (image, energy) in enumerate(zip(images, energies_ev, strict=True)):
        frame = Atoms(image.numbers, image.positions, cell=image.cell, pbc=True)
        relative = float(energy - energies_ev[0])
        frame.info = {"name": f"{name}:{number}", "relative_energy_ev": relative, **(provenance or {})}
        frame.calc = SinglePointCalculator(frame, energy=float(energy), forces=image.get_forces())
        frames.append(frame)
    with atomic_path(path) as temporary:
        ase.io.write(temporary, frames, format="extxyz")


def distances_along(images: Sequence[Atoms]) -> Array:
    """(n,) lengths of the path from its first image to each, in Angstrom: of the vector of all atoms' displacements."""
    steps = [
        float(np.linalg.norm(find_mic(after.positions - before.positions, before.cell, before.pbc)[0]))
        for before, after in itertools.pairwise(images)
    ]
    return np.concatenate([[0.0], np.cumsum(steps)])
