"""Published figures of grain boundaries, as facts to learn from and to compare with.

The table of the 388 boundaries is keyed by boundary id, that is by crystallography: the numbering of the original
supplement is kept as a column only. What the classes mean is written in resources/published/README.md.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from gbscape.store.atomic import atomic_path
from gbscape.survey.boundary import boundary_from_vectors

CLASSES: Mapping[str, tuple[str, ...]] = {
    "mobility_3_class": ("thermally_activated", "not_thermally_activated", "immobile"),
    "mobility_4_class": ("thermally_activated", "not_thermally_activated", "mixed", "immobile"),
    "shear_class": ("uncoupled", "coupled"),
}
"""Names of the classes of each classified property, in the order of the published codes 0, 1, ..."""

_NUMBERS = {
    "olmsted_index": "int64",
    "sigma": "int64",
    "energy_j_m2": "float64",
    "energy_al_j_m2": "float64",
    "mobility_m_s_gpa": "int64",
    "relative_shear": "float64",
}
_COLUMNS = (*_NUMBERS, *CLASSES)

_SUPPLEMENT = {
    "fcc1-1.txt": "energies of Ni and Al",
    "fcc1-3.txt": "crystallography",
    "fcc2-mobility.txt": "mobility at 1400 K",
    "fcc2-shear.txt": "relative shear at 1400 K",
    "mobility_class.csv": "mobility classes",
    "shear_class.csv": "shear classes",
}

_HEADER = """\
# Computed properties of 388 fcc grain boundaries in Ni. Columns and classes are explained in README.md beside this file.
# energy, sigma: Olmsted, Foiles, Holm, Acta Mater. 57 (2009) 3694. mobility, shear: Olmsted, Holm, Foiles, ibid. 3704.
# mobility classes: Homer, Holm, Foiles, Olmsted, JOM 66 (2014) 114. classes as coded in Rosenbrock, Homer, Csanyi, Hart,
# npj Comput. Mater. 3 (2017) 29, and used in Homer, Hensley, Rosenbrock, Nguyen, Hart, Front. Mater. 6 (2019) 168.
"""


class PublishedDataError(ValueError):
    """A table of published figures cannot be read; the message names the file and what is wrong."""


def load(path: str | Path) -> pd.DataFrame:
    """Published figures of the 388 Ni boundaries from the shipped table.

    Args:
        path: the table, by default of the configuration `resources/published/olmsted2009_ni.csv`.

    Returns:
        One row for each boundary, indexed by `id`: `olmsted_index`, `sigma`, `energy_j_m2` (Ni), `energy_al_j_m2`
        (Al), `mobility_m_s_gpa` (Ni at 1400 K; 0 did not move), `relative_shear` (Ni at 1400 K; NaN not measured) and
        the categories of `CLASSES`, whose codes are the published ones.

    Raises:
        PublishedDataError: columns, class names or numbers are not as they should be, or an id comes twice.
    """
    table = _read_csv(path, ("id", *_COLUMNS), index="id")
    for column in CLASSES:
        unknown = sorted(set(table[column].astype(str)) - set(CLASSES[column]))
        if unknown:
            raise PublishedDataError(
                f"{path}, column {column}: unknown classes {', '.join(unknown)}; allowed: {', '.join(CLASSES[column])}"
            )
    return _typed(table, path)


def read_supplement(directory: str | Path) -> pd.DataFrame:
    """The same table as `load`, from the supplement of Olmsted et al. 2009 in its original format.

    Args:
        directory: folder with fcc1-1.txt, fcc1-3.txt, fcc2-mobility.txt and fcc2-shear.txt of the supplement, and the
            class labels mobility_class.csv and shear_class.csv.

    Raises:
        PublishedDataError: a file is missing, a line cannot be read, or the files do not list the same boundaries.
    """
    directory = Path(directory)
    missing = [f"{name} ({what})" for name, what in _SUPPLEMENT.items() if not (directory / name).is_file()]
    if missing:
        raise PublishedDataError(f"{directory} lacks files of the supplement: {', '.join(missing)}")

    crystallography = read_crystallography(directory / "fcc1-3.txt")
    energies = _read_columns(directory / "fcc1-1.txt", ("energy_j_m2", "energy_al_j_m2"))
    mobility = _read_columns(directory / "fcc2-mobility.txt", ("mobility_m_s_gpa",))
    shear = _read_columns(directory / "fcc2-shear.txt", ("y", "z"))
    # The vector is given in the supplement's own sample axes; its length does not depend on them.
    shear = pd.DataFrame({"relative_shear": np.hypot(shear["y"], shear["z"]).round(3)})
    mobility_codes = _read_csv(directory / "mobility_class.csv", ("PID", "M3", "M4"), index="PID")
    shear_codes = _read_csv(directory / "shear_class.csv", ("PID", "SC"), index="PID")
    codes = {
        "mobility_3_class": mobility_codes["M3"],
        "mobility_4_class": mobility_codes["M4"],
        "shear_class": shear_codes["SC"],
    }

    parts: dict[str, pd.DataFrame | pd.Series] = {
        "fcc1-1.txt": energies,
        "fcc2-mobility.txt": mobility,
        "fcc2-shear.txt": shear,
        "mobility_class.csv": mobility_codes,
        "shear_class.csv": shear_codes,
    }
    for name, part in parts.items():
        different = sorted(set(crystallography.index) ^ set(part.index))
        if different:
            raise PublishedDataError(
                f"{directory}: fcc1-3.txt and {name} do not list the same boundaries: {different[:5]}"
            )
    table = crystallography[["id", "sigma"]].join([energies, mobility, shear])
    for column, series in codes.items():
        names = dict(enumerate(CLASSES[column]))
        unknown = sorted(set(series) - set(names))
        if unknown:
            raise PublishedDataError(f"{directory}: {series.name} has unknown codes {unknown}; known: {names}")
        table[column] = series.map(names)
    table["olmsted_index"] = table.index
    return _typed(table.set_index("id"), directory)


def read_crystallography(path: str | Path) -> pd.DataFrame:
    """The supplement's descriptions of the boundaries (fcc1-3.txt).

    Returns:
        Indexed by the supplement's number: `id`, `sigma`, and `left` and `right`, 3 x 3 integer rows as in `Boundary`.

    Raises:
        PublishedDataError: a description cannot be read or contradicts itself.
    """
    path = Path(path)
    header = re.compile(r"GB_index:\s*(\d+)\s+Sigma:\s*(\d+)")
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = []
    for start, line in enumerate(lines):
        found = header.match(line.strip())
        if not found:
            continue
        index, sigma = int(found[1]), int(found[2])
        where = f"{path}, line {start + 1}, boundary {index}"
        try:
            vectors = np.array([[int(i) for i in row.split()] for row in lines[start + 1 : start + 4]]).reshape(3, 6)
            left, right = vectors[:, :3], vectors[:, 3:]
            boundary = boundary_from_vectors(left, right, "fcc")
        except ValueError as error:
            raise PublishedDataError(f"{where}: {error}") from None
        if boundary.sigma != sigma:
            raise PublishedDataError(f"{where}: Sigma {sigma} is given, but its vectors have Sigma {boundary.sigma}")
        rows.append((index, boundary.id, sigma, boundary.left, boundary.right))
    if not rows:
        raise PublishedDataError(f"{path}: no boundary found; expected lines such as 'GB_index: 1 Sigma: 5 ...'")
    table = pd.DataFrame(rows, columns=["index", "id", "sigma", "left", "right"]).set_index("index")
    for name in (table.index[table.index.duplicated()], table["id"][table["id"].duplicated()]):
        if len(name):
            raise PublishedDataError(f"{path}: boundaries listed twice: {list(name)[:5]}")
    return table


def write_table(path: str | Path, table: pd.DataFrame) -> None:
    """Write what `load` reads, with the papers cited in the header."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as handle:
        handle.write(_HEADER)
        table.sort_values("olmsted_index")[list(_COLUMNS)].to_csv(handle, lineterminator="\n")


def load_table1(path: str | Path) -> pd.DataFrame:
    """Accuracies of Table 1 of Homer et al., Front. Mater. 6 (2019) 168, by property and representation.

    Args:
        path: the table, by default of the configuration `resources/published/homer2019_table1.csv`.

    Returns:
        Rows of `property` (energy, mobility_3_class, mobility_4_class, shear_class), `representation` (soap, st,
        soap+st, multi_scale_soap, random) and `accuracy_percent`.

    Raises:
        PublishedDataError: columns are missing, an accuracy is no percentage, or a pair comes twice.
    """
    columns = ["property", "representation", "accuracy_percent"]
    table = _read_csv(path, columns)[columns]
    accuracy = pd.to_numeric(table["accuracy_percent"], errors="coerce")
    if not accuracy.between(0, 100).all():
        row = accuracy.index[~accuracy.between(0, 100)][0]
        raise PublishedDataError(
            f"{path}, row {row + 1} of the table, column accuracy_percent: {str(table['accuracy_percent'][row])!r}; "
            "expected a percentage"
        )
    twice = table[table.duplicated(["property", "representation"])]
    if len(twice):
        raise PublishedDataError(f"{path}: {twice.iloc[0]['property']}, {twice.iloc[0]['representation']} comes twice")
    return table.assign(accuracy_percent=accuracy.astype("float64"))


def _read_csv(path: str | Path, columns: Sequence[str], index: str | None = None) -> pd.DataFrame:
    if not Path(path).is_file():
        raise PublishedDataError(f"{path}: no such file")
    try:
        table = pd.read_csv(path, comment="#", skipinitialspace=True)
    except ValueError as error:  # pandas' parser errors are ValueErrors
        raise PublishedDataError(f"{path}: not a CSV table: {error}") from None
    missing = [c for c in columns if c not in table.columns]
    if missing:
        raise PublishedDataError(f"{path}: columns missing: {', '.join(missing)}; it needs {', '.join(columns)}")
    if index is None:
        return table
    twice = table[index][table[index].duplicated()]
    if len(twice):
        raise PublishedDataError(f"{path}: {index} {twice.iloc[0]} comes twice")
    return table.set_index(index)


def _read_columns(path: Path, names: Sequence[str]) -> pd.DataFrame:
    """Lines of a number and as many figures as `names`, after one header line; '****' is NaN."""
    rows: dict[int, list[float]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()[1:], start=2):
        cells = line.split()
        if not cells:
            continue
        try:
            index = int(cells[0])
            figures = [float("nan") if cell == "****" else float(cell) for cell in cells[1:]]
        except ValueError:
            raise PublishedDataError(f"{path}, line {number}: {line!r} is not a line of numbers") from None
        if len(figures) != len(names) or index in rows:
            raise PublishedDataError(
                f"{path}, line {number}: expected a new number and {len(names)} figures, got {line!r}"
            )
        rows[index] = figures
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(names))


def _typed(table: pd.DataFrame, source: str | Path) -> pd.DataFrame:
    table = table[list(_COLUMNS)].copy()
    for column, dtype in _NUMBERS.items():
        numbers = pd.to_numeric(table[column], errors="coerce")
        bad = table.index[numbers.isna() & (table[column].notna() | (column != "relative_shear"))]
        if len(bad):
            raise PublishedDataError(
                f"{source}, {bad[0]}, column {column}: {str(table[column][bad[0]])!r} is not a number"
            )
        table[column] = numbers.astype(dtype)
    for column, names in CLASSES.items():
        table[column] = pd.Categorical(table[column], categories=list(names))
    return table.sort_values("olmsted_index")
