"""Settings of the grain-boundary survey: enumeration, potential, relaxation, boundary atoms."""

from typing import Literal

from pydantic import Field, model_validator

from gbscape.config.base import Settings

Lattice = Literal["fcc", "bcc", "sc"]


class Enumeration(Settings):
    """Which coincidence boundaries are built."""

    lattice: Lattice = "fcc"
    """Bravais lattice of the crystal."""
    max_length: float = Field(default=15.0, gt=0, le=40)
    """Longest periodic vector (normal, y or z), in units of a0/2; 15 gives the 388 of Olmsted 2009."""
    order_by: Literal["area", "sigma"] = "area"
    """Order of the list before it is cut to `count`."""
    count: int | None = Field(default=None, gt=0)
    """Keep only the first `count` boundaries of the list; null keeps all."""
    ids: list[str] | None = None
    """Keep only these boundary ids; null keeps all."""


class Potential(Settings):
    """The interatomic potential, either shipped (`name`) or the user's own (`pair_style` and `file`)."""

    name: str | None = "foiles-hoyt-ni"
    """`foiles-hoyt-ni` (tabulated from its formula) or a file name of LAMMPS' own potentials folder, e.g. `Cu_mishin1.eam.alloy`; null when `file` is given."""
    pair_style: str | None = Field(default=None, pattern=r"^[a-z0-9/]+$")
    """LAMMPS pair style of `file`, e.g. `eam/alloy` or `eam/fs`; null deduces it from the ending of a shipped name."""
    file: str | None = None
    """Path of the user's own potential file."""
    species: str = Field(default="Ni", pattern=r"^[A-Z][a-z]?$")
    """Chemical symbol; the potential must know it."""

    @model_validator(mode="after")
    def _one_source(self) -> "Potential":
        if (self.name is None) == (self.file is None):
            raise ValueError("give either 'name' (a shipped potential) or 'file' (your own), and set the other to null")
        if self.file is not None and self.pair_style is None:
            raise ValueError("'file' needs 'pair_style', e.g. eam/alloy or eam/fs")
        return self


class Relaxation(Settings):
    """Search for the lowest-energy structure of one boundary. Lengths in Angstrom, energies in J/m^2."""


class BoundaryAtoms(Settings):
    """Which atoms of a relaxed slab belong to the boundary."""

    buffer_angstrom: float = Field(default=4.0, ge=0)
    """Atoms within this distance of a non-bulk atom are boundary atoms too."""


class Survey(Settings):
    """The grain-boundary survey."""

    enumeration: Enumeration = Enumeration()
    potential: Potential = Potential()
    relaxation: Relaxation = Relaxation()
    boundary_atoms: BoundaryAtoms = BoundaryAtoms()
    shards: int = Field(default=40, gt=0, le=2000)
    """Number of relaxation jobs; 10 to 30 minutes each is a good size."""
