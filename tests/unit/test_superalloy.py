"""The superalloy: published number of atoms and boxes, ordered in the middle, random around."""

import numpy as np
import pytest
from ase.neighborlist import neighbor_list

from gbscape.crystal.boxes import box_grid
from gbscape.crystal.other_methods import classify_by
from gbscape.structure.superalloy import MATRIX, PRECIPITATE, superalloy


def test_published_numbers():
    atoms = superalloy()
    assert len(atoms) == 132127
    assert box_grid(atoms.positions, edge_angstrom=16, stride_angstrom=3).shape == (46, 46, 46)


@pytest.fixture(scope="module")
def small():
    return superalloy(edge_angstrom=44, precipitate_edge_angstrom=24, seed=3)


def test_the_precipitate_is_ordered_and_the_matrix_is_not(small):
    phase = small.arrays["phase"]
    inside = (np.abs(small.positions - 22) <= 12).all(axis=1)
    assert ((phase == PRECIPITATE) == inside).all()
    assert set(phase) == {MATRIX, PRECIPITATE}

    # In L1_2 every Al has 12 Ni and every Ni 4 Al around it.
    aluminium = np.array(small.get_chemical_symbols()) == "Al"
    first, second = neighbor_list("ij", small, 2.9)
    neighbours = np.bincount(first, minlength=len(small))
    al_neighbours = np.bincount(first, weights=aluminium[second], minlength=len(small))
    core = (np.abs(small.positions - 22) <= 9).all(axis=1)
    assert (neighbours[core] == 12).all()
    assert (al_neighbours[core & aluminium] == 0).all()
    assert (al_neighbours[core & ~aluminium] == 4).all()

    # In the matrix both have the mean composition around them; five standard errors of independent sites.
    bulk = (phase == MATRIX) & (neighbours == 12)
    for kind in (aluminium, ~aluminium):
        around = al_neighbours[bulk & kind] / 12
        assert abs(around.mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / (6 * len(around))) + 0.01
    share = aluminium[phase == MATRIX].mean()
    assert abs(share - 0.25) < 5 * np.sqrt(0.25 * 0.75 / (phase == MATRIX).sum())


def test_template_matching_tells_the_phases_apart(small):
    label = classify_by("ptm", small).label
    core = (np.abs(small.positions - 22) <= 9).all(axis=1)
    assert (label[core] == "L1_2").all()
    assert (label[small.arrays["phase"] == MATRIX] == "L1_2").mean() < 0.1


def test_seeds_choose_orientation_and_species(small):
    again = superalloy(edge_angstrom=44, precipitate_edge_angstrom=24, seed=3)
    assert (again.numbers == small.numbers).all()
    assert (again.positions == small.positions).all()
    reshuffled = superalloy(edge_angstrom=44, precipitate_edge_angstrom=24, seed=4)
    assert (reshuffled.positions == small.positions).all()
    matrix = small.arrays["phase"] == MATRIX
    assert (reshuffled.numbers != small.numbers)[matrix].any()
    assert (reshuffled.numbers == small.numbers)[~matrix].all()
    turned = superalloy(edge_angstrom=44, precipitate_edge_angstrom=24, orientation_seed=1)
    assert turned.positions.shape != small.positions.shape or not np.allclose(turned.positions, small.positions)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precipitate_edge_angstrom": 120.0}, "shorter than that of the sample"),
        ({"precipitate_edge_angstrom": 0.0}, "must be positive"),
        ({"aluminium_fraction": 1.5}, "aluminium_fraction"),
        ({"edge_angstrom": 20.0, "precipitate_edge_angstrom": 1.0}, "less than a unit cell"),
    ],
)
def test_bad_input_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        superalloy(**options)
