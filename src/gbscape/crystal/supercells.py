"""Periodic structures and finite pieces of each class, for training and for tests under defects.

Leitherer's thesis (2021), section 4.3.3.2: a crystal is taken as it is, periodic, and as three finite pieces: n x n x n
unit cells with the smallest n that gives at least 100 atoms, and the next two n; a layer is replicated in its plane
only. A nanotube is finite, and one length is taken. 96 classes with four structures each and 12 nanotubes make 396.

The unit cell is the one that a class is built with (`unit_cell` of its row): the cell in which the source gives the
structure, on which the shape and the number of atoms of the pieces depend.

A periodic layer is periodic in its plane. (The authors' code makes it periodic across the vacuum of the database's cell as
well; with the widest of the cut-offs some layers then see their images.)

Defects are made in the same three sizes, periodic and finite: 96 x 6 + 12 = 588 structures, and with ten realisations each
the 5 880 of the thesis (ai4materials, `calc_SOAP_dataset`: periodic and finite supercells of the same sizes).
"""

from dataclasses import dataclass

from ase import Atoms

from gbscape.crystal.prototypes import Prototype, build

FEWEST_ATOMS = 100
"""Of the smallest finite piece."""
SIZES = 3
"""Finite pieces of each class."""


@dataclass(frozen=True)
class Specimen:
    """One structure of a class."""

    label: str
    """The class."""
    replicas: int
    """Unit cells along each axis with a period."""
    periodic: bool
    """Whether it goes on for ever along the class's periodic axes, or ends."""
    atoms: Atoms


def pristine_specimens(prototype: Prototype) -> tuple[Specimen, ...]:
    """The periodic unit cell and three finite pieces; of a class without any period (a nanotube) the one piece that it is.

    Raises:
        PrototypeError: as `gbscape.crystal.prototypes.build`.
    """
    cell = build(prototype)
    if not cell.pbc.any():
        return (Specimen(prototype.label, 1, False, cell),)
    pieces = (_specimen(prototype.label, cell, n, periodic=False) for n in _replicas(cell))
    return (Specimen(prototype.label, 1, True, cell), *pieces)


def defect_hosts(prototype: Prototype) -> tuple[Specimen, ...]:
    """The structures in which defects are made: three supercells that are periodic, and three that end; of a class without
    any period the one piece that it is.

    Raises:
        PrototypeError: as `gbscape.crystal.prototypes.build`.
    """
    cell = build(prototype)
    if not cell.pbc.any():
        return (Specimen(prototype.label, 1, False, cell),)
    return tuple(_specimen(prototype.label, cell, n, periodic) for periodic in (True, False) for n in _replicas(cell))


def _replicas(cell: Atoms) -> range:
    first = 1
    while len(cell) * first ** int(cell.pbc.sum()) < FEWEST_ATOMS:
        first += 1
    return range(first, first + SIZES)


def _specimen(label: str, cell: Atoms, replicas: int, periodic: bool) -> Specimen:
    atoms = cell.repeat([replicas if along else 1 for along in cell.pbc])
    atoms.pbc = cell.pbc & periodic
    return Specimen(label, replicas, periodic, atoms)
