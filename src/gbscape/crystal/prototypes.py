"""Classes of crystals as facts: what a crystallographer would write down of each, and the structures built from it.

A file of classes is YAML, `prototypes:` and a list of rows. A row is one of three things:

- a crystal: space group, independent lattice parameters, occupied sites (`Crystal`);
- a carbon nanotube: chirality and bond length (`Nanotube`);
- a structure file of a plain format that ASE reads (`CrystalFile`).

The 108 classes of ARISE (Leitherer, Ziletti and Ghiringhelli, Nat. Commun. 12, 6234 (2021)) are in `resources/prototypes`;
one more row in a file of one's own is one more class.
"""

import json
from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import gcd
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from ase import Atoms
from ase.build import make_supercell, nanotube
from ase.data import atomic_numbers
from ase.spacegroup import Spacegroup, crystal
from ase.spacegroup.spacegroup import SpacegroupError
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from gbscape.config.plain_yaml import PlainYamlError, read_plain_yaml
from gbscape.config.structure_formats import StructureFormat
from gbscape.structure.nearest_neighbours import nearest_neighbour_distances
from gbscape.structure.structure_file import read_structure

CLOSEST_ANGSTROM = 0.5
"""No two atoms of a class are nearer: such a pair is one site given twice, or sites that do not suit the space group."""
NANOTUBE_ATOMS = 100
"""A nanotube is made longer, period by period, until it has at least this many atoms."""

_ON_EDGE = 1e-6
"""Atoms nearer than this to the upper edge of the cell, in fractions of it, are put to the lower one."""

Array = NDArray[np.float64]
Axis = Literal["a", "b", "c"]
Category = Literal["elemental", "binary", "ternary", "quaternary", "2d", "nanotube", "user"]

_INDEPENDENT = {
    "triclinic": ("a", "b", "c", "alpha", "beta", "gamma"),
    "monoclinic": ("a", "b", "c", "beta"),
    "orthorhombic": ("a", "b", "c"),
    "tetragonal": ("a", "c"),
    "hexagonal": ("a", "c"),
    "cubic": ("a",),
}
_LAST_OF_SYSTEM = {
    "triclinic": 2,
    "monoclinic": 15,
    "orthorhombic": 74,
    "tetragonal": 142,
    "hexagonal": 194,
    "cubic": 230,
}


class PrototypeError(ValueError):
    """A file of classes, or a row of it, that no structure can be built from."""


def _known(symbol: str) -> str:
    if atomic_numbers.get(symbol, 0) == 0:
        raise ValueError(f"no element has the symbol {symbol!r}")
    return symbol


def _coordinate(value: Any) -> Any:
    """Numbers, and fractions such as 1/3 that no decimal number is."""
    if isinstance(value, str):
        try:
            return float(Fraction(value.replace(" ", "")))
        except (ValueError, ZeroDivisionError):
            raise ValueError(f"a coordinate is a number or a fraction such as 1/3, got {value!r}") from None
    return value


Species = Annotated[str, AfterValidator(_known)]
Coordinate = Annotated[float, BeforeValidator(_coordinate)]
Length = Annotated[float, Field(gt=0, le=1000)]
Angle = Annotated[float, Field(gt=0, lt=180)]


class _Facts(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class Lattice(_Facts):
    """The independent parameters of the conventional cell: lengths in Angstrom, angles in degrees."""

    a: Length
    b: Length | None = None
    c: Length | None = None
    alpha: Angle | None = None
    beta: Angle | None = None
    gamma: Angle | None = None


class Site(_Facts):
    """One occupied orbit of the space group."""

    species: Species
    position: tuple[Coordinate, Coordinate, Coordinate]
    """Fractional coordinates of one atom of the orbit."""
    wyckoff: str | None = Field(default=None, pattern="^[a-zA-Z]$")
    """Wyckoff letter."""


class _Class(_Facts):
    label: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$", max_length=64)
    """Name of the class in tables, maps and files: short, stable, unique."""
    name: str | None = None
    """The class in words."""
    number: int | None = Field(default=None, ge=1)
    """Number in tables 4.2 to 4.4 of Leitherer's thesis."""
    category: Category = "user"
    """Kind of material, as in those tables."""
    source: str | None = None
    """Where the facts are from."""


class Crystal(_Class):
    """A crystal, or a layer of one, by its symmetry."""

    space_group: int = Field(ge=1, le=230)
    """Number in the International Tables."""
    setting: Literal[1, 2] = 1
    """1: first origin, hexagonal axes, unique axis b; 2: second origin, rhombohedral axes, unique axis c."""
    lattice: Lattice
    """Those parameters that the crystal system leaves free."""
    sites: tuple[Site, ...] = Field(min_length=1)
    """Occupied sites."""
    periodic: tuple[Axis, ...] = ("a", "b", "c")
    """Axes along which the material repeats itself. A layer does not along one, where the cell holds it and vacuum."""
    unit_cell: Literal["primitive", "conventional"] | tuple[tuple[int, int, int], ...] = "primitive"
    """What is built, and replicated: the primitive cell, the conventional one, or the cell with these vectors (rows, in
    units of the conventional ones)."""
    corner: tuple[Coordinate, Coordinate, Coordinate] = (0.0, 0.0, 0.0)
    """Corner of the unit cell, in fractions of its own vectors. Which atoms share a cell depends on it, and on that the surfaces
    of finite pieces do."""

    @property
    def crystal_system(self) -> str:
        """Name of the crystal system; trigonal groups count as hexagonal, whose axes they take."""
        return next(system for system, last in _LAST_OF_SYSTEM.items() if self.space_group <= last)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        rhombohedral = self.setting == 2 and 143 <= self.space_group <= 167
        free = ("a", "alpha") if rhombohedral else _INDEPENDENT[self.crystal_system]
        if self.crystal_system == "monoclinic" and self.setting == 2:
            free = ("a", "b", "c", "gamma")
        given = tuple(self.lattice.model_dump(exclude_none=True))
        if set(given) != set(free):
            system = "rhombohedral" if rhombohedral else self.crystal_system
            raise ValueError(
                f"lattice: space group {self.space_group} is {system}, which leaves {', '.join(free)} free; "
                f"got {', '.join(given)}"
            )
        if len(set(self.periodic)) != len(self.periodic):
            raise ValueError(f"periodic: each axis may be named once, got {', '.join(self.periodic)}")
        if not isinstance(self.unit_cell, str) and (
            len(self.unit_cell) != 3 or round(abs(np.linalg.det(self.unit_cell))) == 0
        ):
            raise ValueError("unit_cell: three linearly independent vectors of whole numbers are needed")
        return self


class Nanotube(_Class):
    """A single-walled nanotube."""

    chirality: tuple[int, int]
    """Chiral numbers (n, m) with n >= m >= 0."""
    bond_angstrom: float = Field(default=1.42, gt=0, le=5)
    """Bond length."""
    species: Species = "C"
    """Chemical symbol of its atoms."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        n, m = self.chirality
        if not n >= m >= 0 or n == 0:
            raise ValueError(f"chirality: n >= m >= 0 and n > 0 are needed, got {n}, {m}")
        return self

    @property
    def atoms_per_period(self) -> int:
        """Atoms in the shortest length after which the tube repeats itself."""
        n, m = self.chirality
        return 4 * (n * n + n * m + m * m) // gcd(2 * n + m, 2 * m + n)


class CrystalFile(_Class):
    """A class of which a file holds the unit cell, periodic as the file says."""

    structure: str
    """Path of the file, relative to the file of classes."""
    format: StructureFormat | None = None
    """Name of the format for ASE, where it does not see it itself."""
    folder: str = Field(default="", exclude=True)
    """Folder of the file of classes; set on reading."""


Prototype = Crystal | Nanotube | CrystalFile


def load_prototypes(paths: str | Path | Iterable[str | Path]) -> dict[str, Prototype]:
    """Read classes by label, those of the thesis in its order, then others as they come.

    Args:
        paths: files, or folders whose *.yaml are taken.

    Raises:
        PrototypeError: no such file, a file that is not a list of rows, an unknown or missing key, a label given twice,
            an element that does not exist, lattice parameters that do not suit the space group; says which file and row.
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    read: dict[str, tuple[Prototype, Path]] = {}
    for file in (file for path in given for file in _files(Path(path))):
        for prototype in _rows(file):
            if prototype.label in read:
                raise PrototypeError(f"{file}: the label {prototype.label!r} is also in {read[prototype.label][1]}")
            read[prototype.label] = prototype, file
    if not read:
        raise PrototypeError(f"no classes in {', '.join(map(str, given)) or 'no files'}")
    ordered = sorted((prototype for prototype, _ in read.values()), key=lambda p: p.number or 10**9)
    return {prototype.label: prototype for prototype in ordered}


def build(prototype: Prototype) -> Atoms:
    """The unit cell of a class, or the whole of a nanotube, which is not periodic.

    Atoms are inside the cell, from its corner on, along periodic axes; along others they are in one piece, in the middle of the cell.

    Returns:
        A structure whose `pbc` says along which cell vectors it is periodic.

    Raises:
        PrototypeError: two atoms (nearly) at one place, a structure file that cannot be read or has no atoms, or whose
            elements are not known.
    """
    if isinstance(prototype, Nanotube):
        atoms = _nanotube(prototype)
    elif isinstance(prototype, CrystalFile):
        atoms = _from_file(prototype)
    else:
        atoms = _crystal(prototype)
    single = len(atoms) == 1 and not atoms.pbc.any()
    closest = np.inf if single else _closest_angstrom(atoms, prototype.label)
    if closest < CLOSEST_ANGSTROM:
        raise PrototypeError(
            f"{prototype.label}: two atoms are {closest:.3g} Angstrom apart (at least {CLOSEST_ANGSTROM:g} is allowed): "
            "a site given twice, or coordinates that do not suit the space group and its setting"
        )
    return atoms


def _files(path: Path) -> list[Path]:
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise PrototypeError(f"{path} is neither a file of classes nor a folder with *.yaml")
    return files


def _rows(file: Path) -> Iterator[Prototype]:
    try:
        content = read_plain_yaml(file)
    except PlainYamlError as error:
        raise PrototypeError(str(error)) from None
    rows = content.get("prototypes") if isinstance(content, dict) else None
    if not isinstance(rows, list) or len(content) > 1:
        raise PrototypeError(f"{file} must hold one key, 'prototypes', with a list of rows")
    for place, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise PrototypeError(f"{file}, row {place}: must be keys and values, got {row!r}")
        where = f"{file}, row {place} ({row.get('label', 'without label')})"
        kind = CrystalFile if "structure" in row else Nanotube if "chirality" in row else Crystal
        try:
            # through JSON, where a list of the right length is a tuple for strict models
            prototype = kind.model_validate_json(json.dumps(row))
        except ValidationError as error:
            reasons = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'row'}: {e['msg']}" for e in error.errors())
            raise PrototypeError(f"{where}: {reasons}") from None
        except TypeError as error:
            raise PrototypeError(f"{where}: {error}") from None
        yield prototype.model_copy(update={"folder": str(file.parent)} if kind is CrystalFile else {})


def _crystal(prototype: Crystal) -> Atoms:
    group = Spacegroup(prototype.space_group, prototype.setting)
    try:
        atoms = crystal(
            [site.species for site in prototype.sites],
            [site.position for site in prototype.sites],
            spacegroup=group,
            cellpar=_cell_parameters(prototype),
            onduplicates="error",
        )
    except SpacegroupError as error:
        raise PrototypeError(f"{prototype.label}: sites that do not suit the space group: {error}") from error
    if prototype.unit_cell == "primitive":
        vectors: Array = np.array(group.scaled_primitive_cell)
        atoms = _reduced(atoms, vectors)
    else:
        vectors = np.eye(3, dtype=int) if prototype.unit_cell == "conventional" else np.array(prototype.unit_cell)
        atoms = make_supercell(atoms, vectors)
    atoms = Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell)
    without_period = [axis not in prototype.periodic for axis in "abc"]
    atoms.pbc = ~(np.abs(vectors[:, without_period]) > _ON_EDGE).any(axis=1)
    if atoms.pbc.sum() != len(prototype.periodic):
        raise PrototypeError(f"{prototype.label}: a vector of the unit cell joins axes with and without a period")
    return _gathered(atoms, prototype.corner)


def _cell_parameters(prototype: Crystal) -> list[float]:
    lattice = prototype.lattice
    a = lattice.a
    if lattice.alpha is not None and lattice.c is None:  # rhombohedral axes
        return [a, a, a, *[lattice.alpha] * 3]
    angles = [lattice.alpha or 90.0, lattice.beta or 90.0, lattice.gamma or 90.0]
    if prototype.crystal_system == "hexagonal":
        angles[2] = 120.0
    return [a, lattice.b or a, lattice.c or a, *angles]


def _reduced(atoms: Atoms, vectors: Array) -> Atoms:
    """The atoms of a primitive cell with these vectors (rows, in units of the conventional ones)."""
    cell = vectors @ atoms.cell.array
    fractions = atoms.positions @ np.linalg.inv(cell)
    apart = fractions[:, None] - fractions[None]
    same = np.linalg.norm((apart - np.rint(apart)) @ cell, axis=2) < CLOSEST_ANGSTROM / 10
    first = same.argmax(axis=1) == np.arange(len(atoms))
    return Atoms(numbers=atoms.numbers[first], scaled_positions=fractions[first], cell=cell)


def _gathered(atoms: Atoms, corner: tuple[float, float, float]) -> Atoms:
    """Wraps atoms along periodic axes, and along others joins what an edge of the cell cuts apart."""
    fractions = atoms.cell.scaled_positions(atoms.positions)
    for axis in range(3):
        along = fractions[:, axis] - np.floor(fractions[:, axis] - corner[axis] + _ON_EDGE)
        if not atoms.pbc[axis]:
            ordered = np.sort(along)
            gaps = np.diff(ordered, append=ordered[0] + 1)
            start = ordered[(gaps.argmax() + 1) % len(ordered)]
            along = np.where(along < start, along + 1, along)
            along += 0.5 - (along.min() + along.max()) / 2
        fractions[:, axis] = along
    atoms.set_scaled_positions(fractions)
    return atoms


def _nanotube(prototype: Nanotube) -> Atoms:
    n, m = prototype.chirality
    periods = -(-NANOTUBE_ATOMS // prototype.atoms_per_period)
    tube = nanotube(n, m, length=periods, bond=prototype.bond_angstrom, symbol=prototype.species)
    return Atoms(numbers=tube.numbers, positions=tube.positions)


def _from_file(prototype: CrystalFile) -> Atoms:
    path = Path(prototype.folder, prototype.structure)
    try:
        atoms = read_structure(path, prototype.format)
    except ValueError as error:
        raise PrototypeError(f"{prototype.label}: {error}") from error
    return Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)


def _closest_angstrom(atoms: Atoms, label: str) -> float:
    try:
        return float(nearest_neighbour_distances(atoms).min())
    except ValueError as error:
        raise PrototypeError(f"{label}: {error}") from error
