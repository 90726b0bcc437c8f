"""Cells of an alloy with their energies, as one extended XYZ file: what is shipped, and what users give of their own."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.singlepoint import SinglePointCalculator
from numpy.typing import NDArray

from gbscape.config.alloy import KNOWN
from gbscape.store.atomic import atomic_path
from gbscape.store.provenance import Provenance
from gbscape.store.records import Record, atoms_from_record, atoms_to_record
from gbscape.store.shards import open_shard, write_shard
from gbscape.structure.structure_file import check_structure

PURE_CONCENTRATION = 1000.0
"""Stands for that of the pure first species, which is infinite."""
_NAME = re.compile(r"(?:^|\s)name=(?:\"([^\"]*)\"|(\S+))")


class DatasetError(ValueError):
    """A dataset that cannot be learned from; the message says which cell of which file, and why."""


@dataclass(frozen=True)
class Cell:
    """A structure with its energy."""

    name: str
    atoms: Atoms
    energy_ev: float
    concentration: float
    """Nominal: cells of the same belong together when whole concentrations are left out."""
    forces_ev_angstrom: NDArray[np.float64] | None
    """(n, 3), where the file has them."""
    stress_ev_angstrom3: NDArray[np.float64] | None
    """(3, 3), positive under tension, where the file has it."""
    comment: dict[str, Any]
    """What else the frame's comment line says."""

    @property
    def energy_ev_atom(self) -> float:
        """Energy an atom."""
        return self.energy_ev / len(self.atoms)


def write_cells(batches_h5: Sequence[str | Path], out_xyz: str | Path) -> None:
    """Write all structures of gathered batches with energy (eV), forces (eV/Angstrom), stress (eV/Angstrom^3) if there is one and, in
    `info`, their name, nominal concentration, batch, temperature in K (-1: a packing) and how they were computed.
    """
    frames = []
    for path in batches_h5:
        with open_shard(path) as batch:
            for name, record in batch:
                atoms = atoms_from_record(record["structure"])
                atoms.info = {
                    "name": name,
                    "concentration": record["concentration"],
                    "batch": record.get("batch", Path(path).stem),
                    "temperature_kelvin": record["temperature_kelvin"],
                    "kpoints": record["dft"]["kpoints"].replace('"', "'"),
                    "code": record["dft"]["code"],
                }
                atoms.calc = SinglePointCalculator(
                    atoms,
                    energy=record["energy_ev"],
                    forces=record["forces_ev_angstrom"],
                    **({"stress": record["stress_ev_angstrom3"]} if "stress_ev_angstrom3" in record else {}),
                )
                frames.append(atoms)
    with atomic_path(out_xyz) as temporary:
        ase.io.write(temporary, frames, format="extxyz")


def read_known(path_xyz: str | Path, out_h5: str | Path, species: tuple[str, str], code: str) -> None:
    """Write cells with energies and forces as a gathered batch, which potentials are fitted to and `write_cells` writes again.

    Args:
        path_xyz: of `read_cells`, every frame with forces; batch, temperature, points in k-space and code in its comment line may be
            missing.
        out_h5: the batch.
        species: the alloy's.
        code: hash of the code that makes this.

    Raises:
        DatasetError: as `read_cells`; a frame has no forces.
    """
    records: dict[str, Record] = {}
    for number, cell in enumerate(read_cells([path_xyz], species)):
        if cell.forces_ev_angstrom is None:
            raise DatasetError(f"{path_xyz}, frame {number}: it has no forces")
        records[cell.name] = {
            "structure": atoms_to_record(cell.atoms),
            "concentration": cell.concentration,
            "temperature_kelvin": float(cell.comment.get("temperature_kelvin", -1.0)),
            "batch": str(cell.comment.get("batch", KNOWN)),
            "energy_ev": cell.energy_ev,
            "forces_ev_angstrom": cell.forces_ev_angstrom,
            "dft": {name: str(cell.comment.get(name, "")) for name in ("kpoints", "code")},
            **({} if cell.stress_ev_angstrom3 is None else {"stress_ev_angstrom3": cell.stress_ev_angstrom3}),
        }
    write_shard(out_h5, records, Provenance.of({"species": list(species)}, code, {"known": path_xyz}), {})


def read_cells(paths: Sequence[str | Path], species: tuple[str, str]) -> list[Cell]:
    """Cells of extended XYZ files, in their order.

    Args:
        paths: of `write_cells`, or every frame periodic, with its `energy`; `name` and `concentration` in its comment line may be
            missing: the name of the file and the number of the frame, `FILE:NUMBER`, and the ratio of the cell itself to two digits.
        species: the two that a cell may have; concentrations are atoms of the first for one of the second.

    Raises:
        DatasetError: a file cannot be read, or a frame that cannot be used.
    """
    cells = [cell for path in paths for cell in _cells_of(path, species)]
    twice = sorted(name for name, count in Counter(cell.name for cell in cells).items() if count > 1)
    if twice:
        raise DatasetError(f"{', '.join(map(str, paths))}: several frames are called {', '.join(twice)}")
    return cells


def _cells_of(path: str | Path, species: tuple[str, str]) -> list[Cell]:
    try:
        frames = ase.io.read(path, index=":", format="extxyz")
    except Exception as error:
        raise DatasetError(f"{path} cannot be read as extended XYZ: {type(error).__name__}: {error}") from None
    cells: list[Cell] = []
    for number, (atoms, name) in enumerate(zip(frames, _names(path), strict=True)):
        where = f"{path}, frame {number}"
        try:
            check_structure(atoms, where)
        except ValueError as error:
            raise DatasetError(str(error)) from None
        name = f"{Path(path).stem}:{number}" if name is None else name
        if not name or "/" in name:
            raise DatasetError(f"{where}: its name is '{name}'; it must not be empty or have a '/'")
        cells.append(_cell(atoms, where, name, species))
    if not cells:
        raise DatasetError(f"{path} has no frames")
    return cells


def _names(path: str | Path) -> Iterator[str | None]:
    """Names in the comment lines of an extended XYZ, as text: ASE makes numbers of those that look like one, 110 of 1_10."""
    with Path(path).open(encoding="utf-8") as file:
        for line in file:
            if not line.strip():
                return
            found = _NAME.search(next(file))
            yield None if found is None else found[1] if found[1] is not None else found[2]
            for _ in range(int(line)):
                next(file)


def _cell(atoms: Atoms, where: str, name: str, species: tuple[str, str]) -> Cell:
    if not atoms.pbc.all():
        raise DatasetError(f"{where}: it must be periodic along three vectors, its pbc is {atoms.pbc.tolist()}")
    if problem := foreign_species(atoms, species):
        raise DatasetError(f"{where}: it {problem}")
    try:
        energy = float(atoms.get_potential_energy())
    except (RuntimeError, PropertyNotImplementedError):
        raise DatasetError(f"{where}: it has no energy; its comment line needs energy=... in eV") from None
    if not np.isfinite(energy):
        raise DatasetError(f"{where}: its energy is {energy}")
    try:
        concentration = float(atoms.info.get("concentration", round(ratio(atoms, species), 2)))
    except (TypeError, ValueError):
        concentration = float("nan")
    if not 0 <= concentration < float("inf"):
        found = atoms.info["concentration"]
        raise DatasetError(f"{where}: its concentration is '{found}'; it must be a number, not negative")
    bare = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=True)
    forces = atoms.calc.results.get("forces")
    stress = atoms.get_stress(voigt=False) if "stress" in atoms.calc.results else None
    for what, its in (("forces are", forces), ("stress is", stress)):
        if its is not None and not np.isfinite(its).all():
            raise DatasetError(f"{where}: its {what} not finite")
    return Cell(name, bare, energy, concentration, forces, stress, atoms.info)


def foreign_species(atoms: Atoms, species: tuple[str, str]) -> str | None:
    """What to say of a structure that has others than the alloy's two; None of one that has not."""
    foreign = sorted(set(atoms.get_chemical_symbols()) - set(species))
    return f"has {', '.join(foreign)}, and alloy.species are {' and '.join(species)}" if foreign else None


def ratio(atoms: Atoms, species: tuple[str, str]) -> float:
    """Atoms of the first species for one of the second; `PURE_CONCENTRATION` without any."""
    symbols = atoms.get_chemical_symbols()
    second = symbols.count(species[1])
    return symbols.count(species[0]) / second if second else PURE_CONCENTRATION


def shares(cells: Sequence[Cell], species: tuple[str, str]) -> NDArray[np.float64]:
    """(n, 2) parts of each cell's atoms that are of each species."""
    first = np.array([(cell.atoms.symbols == species[0]).mean() for cell in cells])
    return np.column_stack([first, 1 - first])
