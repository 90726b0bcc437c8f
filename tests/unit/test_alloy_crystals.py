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
        ("{h}\nX,1,3,3,3,10,10,170,Li,0,0,0,\n", "X cannot be built"),
        ("{h}\nX,999,3,3,3,90,90,90,Li,0,0,0,\n", "line 2: spacegroup is '999', not a whole number from 1 to 230"),
        ("{h}\nX,1.7,3,3,3,90,90,90,Li,0,0,0,\n", "line 2: spacegroup is '1.7'"),
        ("{h}\nX,229,3,3,3,90,90,90,Li,0,,0,\n", "line 2: y is 'nan', not a fractional coordinate"),
        ("{h}\nX,229,3,,3,90,90,90,Li,0,0,0,\n", "line 2: b is 'nan', not a length"),
        ("{h}\nX,229,0,0,0,90,90,90,Li,0,0,0,\n", "line 2: a is '0', not a length"),
        ("{h}\nX,229,3,3,3,90,90,0,Li,0,0,0,\n", "line 2: gamma is '0', not an angle"),
        ("{h}\nX,229,3,3,3,90,90,90,Xx,0,0,0,\n", "line 2: species is 'Xx', not a chemical symbol"),
        ("{h}\nX,229,3,3,3,90,90,90,Li,0,0,0,\n,229,3,3,3,90,90,90,Li,0,0,0,\n", "line 3: name is 'nan'"),
        ("", "cannot be read as a table of crystals"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, rows, message):
    header = TABLE.read_text().splitlines()[0]
    (tmp_path / "table.csv").write_text(rows.format(h=header))
    with pytest.raises(CrystalTableError, match=message):
        read_crystals(tmp_path / "table.csv")
