"""What kind of surroundings every atom of a model has: structure type and coordination number."""

from pathlib import Path

from gbscape.replica.model import model_atoms
from gbscape.store.arrays import write_arrays
from gbscape.store.provenance import Provenance
from gbscape.structure.boundary_atoms import adaptive_cna
from gbscape.structure.local_coordination import local_coordination

TYPE_NAMES = ("OTH", "FCC", "HCP", "BCC", "ICO")
"""Structure types by their numbers: as in Tamura et al. (2020), figure 2."""


def type_of_lattice(lattice: str) -> int:
    """Structure type of an atom of the crystal."""
    return TYPE_NAMES.index(lattice.upper())


def classify_atoms(model_h5: str | Path, out: str | Path, lattice: str, code: str, threads: int = 1) -> None:
    """Write `structure_type` (n,) of all atoms by adaptive common-neighbour analysis, see `TYPE_NAMES`, and `coordination`
    (n,) within the local cut-off of Tamura et al. (2020), equations 11 and 12.

    Raises:
        ValueError: a lattice whose shells are not known.
    """
    atoms = model_atoms(model_h5)
    arrays = {"structure_type": adaptive_cna(atoms), "coordination": local_coordination(atoms, lattice, threads)}
    write_arrays(out, arrays, Provenance.of({"lattice": lattice}, code, {"model": model_h5}))
