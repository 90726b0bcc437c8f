"""Structures from files of plain formats that ASE reads."""

from pathlib import Path
from typing import get_args

import ase.io
import numpy as np
import pytest
from ase.build import bulk
from ase.io.formats import ioformats

from gbscape.config.structure_formats import StructureFormat
from gbscape.structure.structure_file import read_structure


def test_the_last_structure_of_a_file(tmp_path: Path) -> None:
    ase.io.write(tmp_path / "two.xyz", [bulk("Ni"), bulk("Ni", cubic=True)])
    assert len(read_structure(tmp_path / "two.xyz")) == 4


def test_a_format_that_the_name_does_not_tell(tmp_path: Path) -> None:
    atoms = bulk("NaCl", "rocksalt", a=5.64)
    ase.io.write(tmp_path / "salt.txt", atoms, format="aims", scaled=True)
    with pytest.raises(ValueError, match=r"salt.txt: .* 'txt', which is not read; name it by `format`, one of .* aims"):
        read_structure(tmp_path / "salt.txt")
    found = read_structure(tmp_path / "salt.txt", "aims")
    assert found.get_chemical_formula() == "ClNa"
    np.testing.assert_allclose(found.cell.array, atoms.cell.array, atol=1e-6)
    with pytest.raises(ValueError, match="'nonsense', which is not read"):
        read_structure(tmp_path / "salt.txt", "nonsense")


def test_what_is_no_structure_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.xyz").write_text("this is no structure\n")
    with pytest.raises(ValueError, match=r"bad.xyz cannot be read as a structure"):
        read_structure(tmp_path / "bad.xyz")


@pytest.mark.parametrize("name", get_args(StructureFormat))
def test_every_allowed_format_is_one_that_ase_reads(name: str) -> None:
    assert ioformats[name].can_read
