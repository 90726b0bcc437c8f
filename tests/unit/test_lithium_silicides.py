"""What ships of lithium silicides is what config/sinz2020.yaml takes it for."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from gbscape.alloy.dataset import read_cells
from gbscape.alloy.figure_data import read_strained

PROJECT = Path(__file__).resolve().parents[2]
SHIPPED = yaml.safe_load((PROJECT / "config" / "sinz2020.yaml").read_text())["alloy"]["computed"]
PAIR = ("Li", "Si")


def cells(name):
    return read_cells([PROJECT / SHIPPED[name]], PAIR)


@pytest.mark.parametrize(
    ("name", "number", "atoms"),
    [("dataset", 672, (24, 32)), ("larger", 12, (64, 64)), ("crystals", 7, (1, 152)), ("strained", 108, (1, 38))],
)
def test_numbers_of_cells_and_of_their_atoms(name, number, atoms):
    sizes = [len(cell.atoms) for cell in cells(name)]
    assert len(sizes) == number
    assert (min(sizes), max(sizes)) == atoms
    assert (PROJECT / SHIPPED[name]).stat().st_size < 5e6


def test_ten_concentrations_and_more():
    found = {cell.concentration for cell in cells("dataset")}
    assert len(found) == 12
    assert (min(found), max(found)) == (0.1, 3.75)


def test_every_strained_cell_has_all_strains():
    assert len(read_strained(PROJECT / SHIPPED["strained"], PAIR)) == 9


def test_paths_go_over_a_barrier():
    assert len(SHIPPED["paths"]) == 2
    for path in SHIPPED["paths"].values():
        energies = np.array([image.energy_ev for image in read_cells([PROJECT / path], PAIR)])
        assert 0 < energies.argmax() < len(energies) - 1
