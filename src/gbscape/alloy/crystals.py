"""Known crystals of an alloy, from a table of their sites: what models of amorphous structures are asked for."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import spglib
from ase import Atoms
from ase.data import chemical_symbols
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
        CrystalTableError: the table cannot be read, columns are missing, a cell of it is not what it should be, rows of a crystal have
            different cells, or atoms come closer than 1.5 Angstrom.
    """
    try:
        table = pd.read_csv(path, dtype={"name": str, "species": str})
    except (ValueError, OSError) as error:  # pandas' own are ValueErrors
        raise CrystalTableError(f"{path} cannot be read as a table of crystals: {error}") from None
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise CrystalTableError(
            f"{path}: columns {', '.join(missing)} are missing; a table of crystals has {', '.join(COLUMNS)}"
        )
    for row, problem in _problems(table):
        raise CrystalTableError(f"{path}, line {row + 2}: {problem}")
    return {str(name): _primitive(path, str(name), rows) for name, rows in table.groupby("name", sort=False)}


def _problems(table: pd.DataFrame) -> Iterator[tuple[int, str]]:
    """Rows that no crystal can be made of, which spglib may end the process for."""
    numbers = table[COLUMNS[1:8] + COLUMNS[9:12]].apply(pd.to_numeric, errors="coerce")
    allowed = {
        "name": (table["name"].notna(), "a name"),
        "spacegroup": (numbers["spacegroup"].isin(range(1, 231)), "a whole number from 1 to 230"),
        **{edge: (numbers[edge].between(0.1, 1e4), "a length in Angstrom") for edge in ("a", "b", "c")},
        **{angle: (numbers[angle].between(1, 179), "an angle in degrees") for angle in ("alpha", "beta", "gamma")},
        "species": (table["species"].isin(chemical_symbols[1:]), "a chemical symbol"),
        **{axis: (numbers[axis].between(-10, 10), "a fractional coordinate") for axis in ("x", "y", "z")},
    }
    for column, (right, wanted) in allowed.items():
        for row in np.flatnonzero(~right):
            yield int(row), f"{column} is '{table[column].iloc[row]}', not {wanted}"


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
