"""Classes of crystals: the 108 of ARISE as facts, and what a user may add."""

import re
from collections import Counter
from pathlib import Path

import ase.io
import numpy as np
import pytest
import spglib
from ase.build import bulk

from gbscape.crystal.prototypes import Crystal, Nanotube, PrototypeError, build, load_prototypes
from gbscape.structure.nearest_neighbours import nearest_neighbour_distances

SHIPPED = Path(__file__).parents[2] / "resources" / "prototypes"
# Tables 4.2 and 4.3 of Leitherer's thesis, classes 1 to 96; None where they give no number.
THESIS_GROUPS = [
    229, 227, 225, 221, 194, 194, 194, 194, 191, 186, 166, 166, 166, 166, 166, 152, 166, 139, 141, 139, 136, 129, 70, 64, 64,
    64, 63, 225, 221, 221, 216, 198, 194, 186, 123, 63, 62, 62, *[None] * 6, 144, 121, 82, 40, 31, 7, *[191], *[187] * 6,
    *[164] * 4, *[156] * 7, 150, 150, 147, 129, 123, 115, 65, 59, 28, 14, 14, 12, 11, 11, 7, *[6] * 5, 2, *[1] * 7,
]  # fmt: skip
LOWER_IN_THESIS = {"Cu2ZnSiS4"}  # the published structure has more symmetry than the table says


@pytest.fixture(scope="module")
def prototypes():
    return load_prototypes(SHIPPED)


@pytest.fixture(scope="module")
def structures(prototypes):
    return {label: build(prototype) for label, prototype in prototypes.items()}


def test_all_classes_of_the_thesis_are_there(prototypes):
    assert [prototype.number for prototype in prototypes.values()] == list(range(1, 109))
    assert all(prototype.source for prototype in prototypes.values())
    assert Counter(prototype.category for prototype in prototypes.values()) == {
        "elemental": 27, "binary": 11, "ternary": 6, "quaternary": 6, "2d": 46, "nanotube": 12,
    }  # fmt: skip


def test_space_groups_are_those_of_the_thesis(prototypes):
    given = {
        prototype.label: prototype.space_group for prototype in prototypes.values() if isinstance(prototype, Crystal)
    }
    expected = dict(zip(given, THESIS_GROUPS, strict=True))
    assert {label for label, group in expected.items() if group not in (None, given[label])} == LOWER_IN_THESIS


def test_structures_have_the_symmetry_and_the_sites_of_their_rows(prototypes):
    for label, prototype in prototypes.items():
        if not isinstance(prototype, Crystal):
            continue
        built = build(prototype)
        found = spglib.get_symmetry_dataset(
            (built.cell.array, built.get_scaled_positions(), built.numbers), symprec=1e-5
        )
        assert found.number == prototype.space_group, label
        # Letters depend on the origin, so they are looked up with the row's own: the standard cell, where nothing is moved.
        whole = build(prototype.model_copy(update={"unit_cell": "conventional", "periodic": ("a", "b", "c")}))
        found = spglib.get_symmetry_dataset(
            (whole.cell.array, whole.get_scaled_positions(), whole.numbers), symprec=1e-5
        )
        for site in prototype.sites:
            apart = whole.get_scaled_positions() - site.position
            (atom,) = np.flatnonzero(np.abs(apart - np.rint(apart)).max(axis=1) < 1e-4)
            assert found.wyckoffs[atom] == site.wyckoff, (label, site)
            assert whole.symbols[atom] == site.species


def test_unit_cells_hold_what_their_source_says(prototypes, structures):
    checked = 0
    for label, prototype in prototypes.items():
        if aflow := re.fullmatch(r"AFLOW ([A-Z0-9]+)_([a-z][A-Z])(\d+)_(\d+)_(\w+)", prototype.source):
            _, pearson, count, group, letters = aflow.groups()
            assert int(group) == prototype.space_group
            assert Counter(letters.replace("_", "")) == Counter(site.wyckoff for site in prototype.sites), label
            # in Pearson symbols rhombohedral cells are primitive
            cells = {"P": 1, "C": 2, "I": 2, "F": 4, "R": 1}[pearson[1]]
            assert len(structures[label]) * cells == int(count), label
        elif prototype.source.startswith("CMR"):
            assert structures[label].get_chemical_formula() == prototype.source.split(", ")[-1]
        else:
            continue
        checked += 1
    assert checked == 96


def test_atoms_are_apart_and_layers_in_one_piece(prototypes, structures):
    for label, atoms in structures.items():
        assert nearest_neighbour_distances(atoms).min() > 0.9, label
        assert atoms.pbc.sum() == {"2d": 2, "nanotube": 0}.get(prototypes[label].category, 3)
        if prototypes[label].category == "2d":
            across = atoms.get_scaled_positions(wrap=False)[:, ~atoms.pbc].ravel()
            thickness = np.ptp(across) * atoms.cell.lengths()[~atoms.pbc][0]
            assert across.min() + across.max() == pytest.approx(1)
            assert thickness < 15.1, label  # the thickest according to the authors' code
            # far enough from its images that ignoring them changes nothing
            assert thickness + 10 < atoms.cell.lengths()[~atoms.pbc][0], label


def test_nanotubes_have_the_diameters_of_the_thesis(prototypes, structures):
    for label, prototype in prototypes.items():
        if isinstance(prototype, Nanotube):
            n, m = prototype.chirality
            radius = np.linalg.norm(structures[label].positions[:, :2], axis=1)
            assert 2 * radius == pytest.approx(np.sqrt(3) * 1.42 * np.sqrt(n * n + n * m + m * m) / np.pi)
            assert 4 <= round(2 * radius[0], 2) <= 6
            assert len(structures[label]) % prototype.atoms_per_period == 0
            assert 100 <= len(structures[label]) < 100 + prototype.atoms_per_period


FLUORITE = """
  - label: fluorite
    space_group: 225
    lattice: {a: 5.4631}
    sites:
      - {species: Ca, position: [0, 0, 0]}
      - {species: F, position: [1/4, 0.25, 1/4]}
"""


def write(folder, rows, name="mine.yaml"):
    path = folder / name
    path.write_text("prototypes:\n" + rows)
    return path


def test_own_classes_come_after_those_of_the_thesis(tmp_path):
    ase.io.write(tmp_path / "copper.cif", bulk("Cu", cubic=True))
    own = write(tmp_path, FLUORITE + "\n  - {label: copper, structure: copper.cif}\n")
    prototypes = load_prototypes([own, SHIPPED])
    assert list(prototypes)[-2:] == ["fluorite", "copper"]
    fluorite, copper = build(prototypes["fluorite"]), build(prototypes["copper"])
    assert fluorite.get_chemical_formula() == "CaF2"
    assert fluorite.pbc.all()
    assert nearest_neighbour_distances(fluorite) == pytest.approx(5.4631 * np.sqrt(3) / 4)
    assert len(copper) == 4
    assert copper.pbc.all()


def test_settings_of_space_groups(tmp_path):
    rows = """
  - {label: first, space_group: 227, lattice: {a: 3.57}, sites: [{species: C, position: [0, 0, 0]}]}
  - {label: second, space_group: 227, setting: 2, lattice: {a: 3.57}, sites: [{species: C, position: [1/8, 1/8, 1/8]}]}
  - {label: hexagonal, space_group: 166, lattice: {a: 3.45741, c: 6.6634}, sites: [{species: Hg, position: [0, 0, 0]}]}
  - label: rhombohedral
    space_group: 166
    setting: 2
    lattice: {a: 2.98629, alpha: 70.7434}
    sites: [{species: Hg, position: [0, 0, 0]}]
"""
    built = {label: build(row) for label, row in load_prototypes(write(tmp_path, rows)).items()}
    for one, other in (("first", "second"), ("hexagonal", "rhombohedral")):
        assert built[one].get_volume() == pytest.approx(built[other].get_volume(), rel=1e-4)
        assert nearest_neighbour_distances(built[one]) == pytest.approx(
            nearest_neighbour_distances(built[other]), rel=1e-4
        )


def test_the_corner_says_which_atoms_share_a_cell(tmp_path):
    row = "space_group: 227, lattice: {a: 4}, sites: [{species: C, position: [0, 0, 0]}]"
    bonded, apart = load_prototypes(
        write(tmp_path, f"  - {{label: bonded, {row}}}\n  - {{label: apart, {row}, corner: [1/8, 1/8, 1/8]}}\n")
    ).values()
    bond = np.sqrt(3)
    assert build(bonded).get_distance(0, 1) == pytest.approx(bond)
    assert build(apart).get_distance(0, 1) == pytest.approx(3 * bond)
    assert build(apart).get_distance(0, 1, mic=True) == pytest.approx(bond)
    layer = Crystal.model_validate(bonded.model_dump() | {"space_group": 1, "lattice": {"a": 3.0, "b": 3.0, "c": 9.0,
        "alpha": 90.0, "beta": 90.0, "gamma": 90.0}, "periodic": ("a", "b"), "corner": (0.0, 0.0, 0.7)})  # fmt: skip
    assert build(layer).get_scaled_positions()[0] == pytest.approx([0, 0, 0.5])  # no corner across a layer


CRYSTAL = "label: x, space_group: 225, lattice: {a: 4.0}, sites: [{species: Cu, position: [0, 0, 0]}]"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (CRYSTAL + ", spacegroup: 225", "spacegroup"),
        (CRYSTAL.replace("label: x", "label: a b"), "label"),
        (CRYSTAL.replace("225", "231"), "space_group"),
        (CRYSTAL.replace("225", '"225"'), "space_group"),
        (CRYSTAL.replace("species: Cu", "species: Xx"), "no element has the symbol 'Xx'"),
        (CRYSTAL.replace("species: Cu", "species: X"), "no element has the symbol 'X'"),
        (CRYSTAL.replace("[0, 0, 0]", "[0, 0]"), "position"),
        (CRYSTAL.replace("[0, 0, 0]", "[0, 0, 1/0]"), "fraction such as 1/3"),
        (CRYSTAL.replace("[0, 0, 0]", "[0, 0, .nan]"), "position"),
        (CRYSTAL.replace("{a: 4.0}", "{a: 4.0, c: 5.0}"), "space group 225 is cubic, which leaves a free; got a, c"),
        (CRYSTAL.replace("225", "194"), "space group 194 is hexagonal, which leaves a, c free; got a"),
        (CRYSTAL.replace("{a: 4.0}", "{a: -4.0}"), "lattice.a"),
        (CRYSTAL + ", unit_cell: [[1, 0, 0], [1, 0, 0], [0, 0, 1]]", "linearly independent"),
        (CRYSTAL + ", periodic: [a, a]", "named once"),
        ("label: t, chirality: [1, 2]", "n >= m"),
        ("label: t, chirality: [4, 2], bond: 1.4", "bond"),
        ("structure: a.cif", "label"),
    ],
)
def test_wrong_rows_are_refused_with_file_and_row(tmp_path, row, message):
    path = write(tmp_path, f"  - {{{row}}}\n")
    with pytest.raises(PrototypeError, match=re.escape(message)) as caught:
        load_prototypes(path)
    assert f"{path}, row 1" in str(caught.value)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        # one site twice; a general position next to a mirror; two sites nearly at one place
        (CRYSTAL.replace("[{", "[{species: Cu, position: [0, 0, 0]}, {"), "sites that do not suit"),
        (CRYSTAL.replace("[0, 0, 0]", "[0.03, 0, 0]"), "Angstrom apart"),
        (CRYSTAL.replace("[{", "[{species: Ni, position: [0.51, 0.51, 0.01]}, {"), "Angstrom apart"),
        (CRYSTAL + ", periodic: [a, b]", "joins axes with and without a period"),
        ("label: f, structure: absent.cif", "absent.cif cannot be read"),
        ("label: f, structure: unknown.xyz", "unknown element"),
        ("label: f, structure: empty.xyz", "no atoms"),
    ],
)
def test_classes_that_cannot_be_built_say_why(tmp_path, row, message):
    (tmp_path / "unknown.xyz").write_text("2\n\nX 0 0 0\nX 2 0 0\n")
    (tmp_path / "empty.xyz").write_text("0\n\n")
    (prototype,) = load_prototypes(write(tmp_path, f"  - {{{row}}}\n")).values()
    with pytest.raises(PrototypeError, match=message):
        build(prototype)


def test_wrong_files_are_refused(tmp_path):
    for text in ("prototypes: 3", "classes: []", "prototypes: []\nmore: 1", "[1", "prototypes: [fcc]"):
        (tmp_path / "wrong.yaml").write_text(text)
        with pytest.raises(PrototypeError, match=r"wrong\.yaml"):
            load_prototypes(tmp_path / "wrong.yaml")
    with pytest.raises(PrototypeError, match="absent"):
        load_prototypes(tmp_path / "absent.yaml")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(PrototypeError, match="nothing"):
        load_prototypes(tmp_path / "nothing")
    first, second = write(tmp_path, FLUORITE, "one.yaml"), write(tmp_path, FLUORITE, "two.yaml")
    with pytest.raises(PrototypeError, match=r"two.yaml: the label 'fluorite' is also in .*one.yaml"):
        load_prototypes([first, second])
