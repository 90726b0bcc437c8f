"""Crystals of lithium and silicon from the table that is shipped."""

from pathlib import Path

import pytest
import spglib

from gbscape.alloy.crystals import CrystalTableError, read_crystals

TABLE = Path(__file__).resolve().parents[2] / "resources" / "lisi" / "crystals.csv"


@pytest.fixture(scope="module")
def crystals():
    return read_crystals(TABLE)


@pytest.mark.parametrize(
    ("name", "formula", "group", "volume_of_atom"),
    [
        ("Li", "Li", 229, 20.3),
        ("Si", "Si2", 227, 20.4),
        ("LiSi", "Li8Si8", 88, 15.7),
        ("Li12Si7", "Li96Si56", 62, 15.8),
        ("Li7Si3", "Li42Si18", 153, 14.9),
        ("Li13Si4", "Li26Si8", 55, 15.4),
        ("Li15Si4", "Li30Si8", 220, 15.5),
    ],
)
def test_crystals_have_their_formula_symmetry_and_volume(crystals, name, formula, group, volume_of_atom):
    atoms = crystals[name]
    assert atoms.get_chemical_formula() == formula
    found = spglib.get_symmetry_dataset((atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers), symprec=1e-2)
    assert found.number == group
    assert atoms.cell.volume / len(atoms) == pytest.approx(volume_of_atom, abs=0.2)


@pytest.mark.parametrize("name", ["Si", "LiSi", "Li12Si7", "Li7Si3", "Li13Si4"])
def test_silicon_is_bonded_to_silicon(crystals, name):
    silicon = crystals[name][crystals[name].numbers == 14].repeat(2)
    distances = silicon.get_all_distances(mic=True)
    assert 2.3 < distances[distances > 0].min() < 2.5


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("name,a\nLi,3\n", "columns spacegroup, b, c"),
        ("{h}\nX,229,3,3,3,90,90,90,Li,0,0,0,\nX,229,4,4,4,90,90,90,Li,0,0,0,\n", "rows of X have 2 different"),
        ("{h}\nX,221,1,1,1,90,90,90,Li,0,0,0,\n", "two atoms of X are 1.00 Angstrom apart"),
        ("{h}\nX,999,3,3,3,90,90,90,Li,0,0,0,\n", "X cannot be built"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, rows, message):
    header = TABLE.read_text().splitlines()[0]
    (tmp_path / "table.csv").write_text(rows.format(h=header))
    with pytest.raises(CrystalTableError, match=message):
        read_crystals(tmp_path / "table.csv")
