"""One coincidence boundary: its description, its name, and tables of boundaries."""

import csv
import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from gbscape.config.survey import Lattice
from gbscape.store.atomic import atomic_path
from gbscape.structure.coincidence import (
    CanonicalForm,
    Character,
    Misorientation,
    canonical_form,
    character,
    disorientation,
    misorientation,
)
from gbscape.structure.lattice import (
    IntArray,
    Rows,
    is_lattice_vector,
    miller_family,
    primitive_vectors,
    primitive_vectors_within,
    squared_length,
    squared_length_limit,
)


@dataclass(frozen=True, slots=True)
class Boundary:
    """A coincidence boundary of a cubic lattice, with one rectangular periodic cell.

    The rows of `left` and `right` are the sample's x axis (boundary normal, from the left grain to the right one), y
    and z axis in the crystal axes of the two grains, in units of a0/2, right-handed. The normals are primitive lattice
    vectors, so each is its own grain's period along x. y and z are periods common to both grains: their lengths are
    the same on both sides, |left y| = |right y| and |left z| = |right z|, the shortest for which both grains repeat.
    """

    id: str
    """Stable name; depends on the lattice and on the boundary, not on how it was found or is described."""
    lattice: Lattice
    sigma: int
    """Reciprocal density of coincidence sites."""
    left: Rows
    right: Rows
    disorientation_deg: float
    """Smallest rotation angle between the two crystals, in degrees."""
    disorientation_axis: tuple[int, int, int]
    """Its axis, as Miller family h >= k >= l >= 0."""
    character: Character
    """Whether the disorientation axis is normal to the plane (twist), in the plane (tilt) or neither (mixed)."""
    symmetric: bool
    """Whether both normals belong to one Miller family."""

    @property
    def cell_lengths_a0(self) -> tuple[float, float]:
        """Periods along y and z in units of a0."""
        return _length(self.left[1]) / 2, _length(self.left[2]) / 2

    @property
    def normal_periods_a0(self) -> tuple[float, float]:
        """Periods along x of the left and of the right grain in units of a0."""
        return _length(self.left[0]) / 2, _length(self.right[0]) / 2

    @property
    def area_a0_squared(self) -> float:
        """Area of the periodic cell in units of a0^2."""
        return math.sqrt(squared_length(self.left[1]) * squared_length(self.left[2])) / 4


def boundary_from_vectors(left: ArrayLike, right: ArrayLike, lattice: Lattice) -> Boundary:
    """Boundary with the given description.

    Args:
        left, right: 3 x 3 integer rows (normal, y, z) in a0/2, as in `Boundary`. Normals are made primitive; y and z
            are kept, so any common period may be given.
        lattice: Bravais lattice of both grains.

    Raises:
        ValueError: rows that are no right-handed orthogonal lattice vectors, y or z of unequal length on the two
            sides, no coincidence lattice, or the same orientation on both sides.
    """
    rotation = misorientation(left, right)
    sides = {"left": np.array(left), "right": np.array(right)}
    for side, rows in sides.items():
        rows[0] = primitive_vectors(rows[0], lattice)
        if not is_lattice_vector(rows, lattice).all():
            raise ValueError(f"{side}: rows {rows.tolist()} are not all {lattice} lattice vectors in units of a0/2")
    for i, axis in ((1, "y"), (2, "z")):
        lengths = [squared_length(rows[i]) for rows in sides.values()]
        if lengths[0] != lengths[1]:
            raise ValueError(f"|left {axis}|^2 = {lengths[0]} but |right {axis}|^2 = {lengths[1]}; they must be equal")
    form = canonical_form(sides["left"], sides["right"])
    return _boundary(form, sides["left"], sides["right"], lattice, rotation)


def smallest_description(form: CanonicalForm, lattice: Lattice, max_length: float) -> Boundary:
    """Boundary of a canonical form, described by its smallest rectangular periodic cell.

    The left normal is the canonical one (h >= k >= l >= 0). Of all pairs of orthogonal periods y, z no longer than
    `max_length` (in a0/2) the pair of smallest area is taken; of equal areas the one whose longer period is shortest,
    then the one with |y| <= |z| and the lexicographically largest y. A larger `max_length` can therefore find a
    smaller cell, but never another id.

    Raises:
        ValueError: no pair of periods is within `max_length`.
    """
    sigma, normal, numerators = form[0], np.array(form[1:4]), np.array(form[4:]).reshape(3, 3)
    vectors = primitive_vectors_within(lattice, max_length)
    y = vectors[vectors @ normal == 0]
    z = primitive_vectors(np.cross(normal, y), lattice)
    y_left, y_right = _common_periods(y, numerators, lattice)
    z_left, z_right = _common_periods(z, numerators, lattice)
    y_squared, z_squared = (y_left**2).sum(axis=1), (z_left**2).sum(axis=1)
    allowed = np.flatnonzero((y_squared <= z_squared) & (z_squared <= squared_length_limit(max_length)))
    if not allowed.size:
        raise ValueError(
            f"Sigma {sigma} boundary on {form[1:4]}: no periodic cell with vectors up to {max_length:g} a0/2"
        )
    best = min(allowed, key=lambda i: (y_squared[i] * z_squared[i], z_squared[i], *-y_left[i]))
    normals = primitive_vectors([normal, numerators.T @ normal], lattice)
    left = np.stack([normals[0], y_left[best], z_left[best]])
    right = np.stack([normals[1], y_right[best], z_right[best]])
    rows = [tuple(int(i) for i in row) for row in numerators]
    return _boundary(form, left, right, lattice, Misorientation((rows[0], rows[1], rows[2]), sigma))  # type: ignore[arg-type]


def _common_periods(left: IntArray, numerators: IntArray, lattice: Lattice) -> tuple[IntArray, IntArray]:
    """Shortest common periods of both grains along the primitive vectors `left` of the left grain, each (n, 3)."""
    right = primitive_vectors(left @ numerators, lattice)
    left_squared, right_squared = (left**2).sum(axis=1), (right**2).sum(axis=1)
    # |right| / |left| = right_squared / (|left| |right|), and the product of the lengths is an integer.
    product = np.rint(np.sqrt(left_squared * right_squared)).astype(np.int64)
    divisor = np.gcd(right_squared, product)
    return left * (right_squared // divisor)[:, None], right * (product // divisor)[:, None]


def _boundary(
    form: CanonicalForm, left: IntArray, right: IntArray, lattice: Lattice, rotation: Misorientation
) -> Boundary:
    smallest = disorientation(rotation)
    families = miller_family(left[0]), miller_family(right[0])
    return Boundary(
        id=_name(form, lattice),
        lattice=lattice,
        sigma=rotation.sigma,
        left=_rows(left),
        right=_rows(right),
        disorientation_deg=smallest.angle_deg,
        disorientation_axis=smallest.axis,
        character=character([int(i) for i in left[0]], rotation),
        symmetric=families[0] == families[1],
    )


def _name(form: CanonicalForm, lattice: Lattice) -> str:
    """E.g. S5_3.1.0_3.1.0_1a2b3c4d: Sigma, families of the normals, first digits of a hash of lattice and form."""
    normal, numerators = np.array(form[1:4]), np.array(form[4:]).reshape(3, 3)
    families = miller_family(normal), miller_family(numerators.T @ normal)
    digest = hashlib.sha256(f"{lattice} {' '.join(map(str, form))}".encode()).hexdigest()
    return "_".join([f"S{form[0]}", *(".".join(map(str, hkl)) for hkl in families), digest[:8]])


def _rows(array: IntArray) -> Rows:
    return tuple((int(a), int(b), int(c)) for a, b, c in array)


def _length(vector: Iterable[int]) -> float:
    return math.sqrt(squared_length(vector))


# ---- tables ----

_VECTOR_COLUMNS = ("left_normal", "left_y", "left_z", "right_normal", "right_y", "right_z")
_DERIVED_COLUMNS = ("disorientation_deg", "disorientation_axis", "character", "symmetric", "area_a0_squared")
BOUNDARY_COLUMNS = ("id", "lattice", "sigma", *_VECTOR_COLUMNS, *_DERIVED_COLUMNS)
"""Columns of a table of boundaries; vectors are three integers separated by spaces, in a0/2."""


def write_boundaries(path: str | Path, boundaries: Iterable[Boundary]) -> None:
    """Write boundaries as CSV with the columns `BOUNDARY_COLUMNS`, in the order given."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, BOUNDARY_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(_to_row(b) for b in boundaries)


def read_boundaries(path: str | Path) -> list[Boundary]:
    """Read a table written by `write_boundaries`.

    Every derived column is computed again from the vectors and compared, so an edited or mixed-up row is noticed.

    Raises:
        ValueError: a column is missing or unknown, a cell cannot be read or contradicts the row's vectors, or an id
            comes twice; the message names file, row (line of the file) and column.
    """
    path = Path(path)
    boundaries: dict[str, Boundary] = {}
    with path.open(newline="", encoding="utf-8") as handle:
        reader = csv.DictReader(handle, strict=True)
        found = reader.fieldnames or []
        missing = [c for c in BOUNDARY_COLUMNS if c not in found]
        if missing:
            raise ValueError(f"{path}: columns missing: {', '.join(missing)}; it needs {', '.join(BOUNDARY_COLUMNS)}")
        unknown = [c for c in found if c not in BOUNDARY_COLUMNS]
        if unknown:
            raise ValueError(f"{path}: unknown columns: {', '.join(unknown)}; allowed: {', '.join(BOUNDARY_COLUMNS)}")
        for row in reader:
            where = f"{path}, row {reader.line_num}"
            if None in row or None in row.values():
                raise ValueError(f"{where}: expected {len(found)} cells")
            boundary = _from_row(row, where)
            if boundary.id in boundaries:
                raise ValueError(f"{where}, column id: {boundary.id} comes twice")
            boundaries[boundary.id] = boundary
    return list(boundaries.values())


def _to_row(boundary: Boundary) -> dict[str, str]:
    vectors = (" ".join(map(str, v)) for v in (*boundary.left, *boundary.right))
    return {
        "id": boundary.id,
        "lattice": boundary.lattice,
        "sigma": str(boundary.sigma),
        **dict(zip(_VECTOR_COLUMNS, vectors, strict=True)),
        "disorientation_deg": f"{boundary.disorientation_deg:.6f}",
        "disorientation_axis": " ".join(map(str, boundary.disorientation_axis)),
        "character": boundary.character,
        "symmetric": "yes" if boundary.symmetric else "no",
        "area_a0_squared": f"{boundary.area_a0_squared:.6f}",
    }


def _from_row(row: Mapping[str, str], where: str) -> Boundary:
    lattice = row["lattice"]
    if lattice not in get_args(Lattice):
        raise ValueError(f"{where}, column lattice: {lattice!r}; allowed: {', '.join(get_args(Lattice))}")
    vectors = []
    for column in _VECTOR_COLUMNS:
        try:
            h, k, l = (int(i) for i in row[column].split())  # noqa: E741
        except ValueError:
            raise ValueError(
                f"{where}, column {column}: {row[column]!r}; expected three integers such as '3 1 0'"
            ) from None
        vectors.append((h, k, l))
    try:
        boundary = boundary_from_vectors(vectors[:3], vectors[3:], lattice)  # type: ignore[arg-type]
    except ValueError as error:
        raise ValueError(f"{where}, columns left_normal to right_z: {error}") from None
    for column, expected in _to_row(boundary).items():
        if row[column] != expected:
            raise ValueError(f"{where}, column {column}: {row[column]!r}, but the row's vectors give {expected!r}")
    return boundary
