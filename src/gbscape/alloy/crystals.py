"""Known crystals of an alloy, from a table of their sites: what models of amorphous structures are asked for."""

from pathlib import Path

import pandas as pd
import spglib
from ase import Atoms
from ase.spacegroup import crystal

from gbscape.structure.nearest_neighbours import nearest_neighbour_distances

COLUMNS = ["name", "spacegroup", "a", "b", "c", "alpha", "beta", "gamma", "species", "x", "y", "z", "source"]
_TOLERANCE_ANGSTROM = 1e-2


class CrystalTableError(ValueError):
    """A table of crystals that cannot be used; the message says where and why."""


def read_crystals(path: str | Path) -> dict[str, Atoms]:
    """Primitive cells of the crystals of a table, by name.

    Args:
        path: a row a site that symmetry does not make from another, with the columns `COLUMNS`: number of the space group (standard
            setting), edges in Angstrom, angles in degrees, species, fractional coordinates; the source in a crystal's first row.

    Raises:
        CrystalTableError: columns are missing, rows of a crystal have different cells, or atoms come closer than 1.5 Angstrom.
    """
    table = pd.read_csv(path)
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise CrystalTableError(
            f"{path}: columns {', '.join(missing)} are missing; a table of crystals has {', '.join(COLUMNS)}"
        )
    return {str(name): _primitive(path, str(name), rows) for name, rows in table.groupby("name", sort=False)}


def _primitive(path: str | Path, name: str, rows: pd.DataFrame) -> Atoms:
    cell = rows[COLUMNS[1:8]].drop_duplicates()
    if len(cell) > 1:
        raise CrystalTableError(f"{path}: the rows of {name} have {len(cell)} different space groups or cells")
    group, *parameters = cell.iloc[0].tolist()
    try:
        conventional = crystal(
            rows["species"].tolist(),
            basis=rows[["x", "y", "z"]].to_numpy(float),
            spacegroup=int(group),
            cellpar=parameters,
        )
    except Exception as error:
        raise CrystalTableError(f"{path}: {name} cannot be built: {error}") from error
    found = spglib.find_primitive(
        (conventional.cell.array, conventional.get_scaled_positions(), conventional.numbers),
        symprec=_TOLERANCE_ANGSTROM,
    )
    if found is None:
        raise CrystalTableError(f"{path}: {name} has no primitive cell")
    vectors, places, numbers = found
    atoms = Atoms(numbers, scaled_positions=places, cell=vectors, pbc=True)
    closest = nearest_neighbour_distances(atoms).min()
    if closest < 1.5:
        raise CrystalTableError(f"{path}: two atoms of {name} are {closest:.2f} Angstrom apart")
    return atoms
