"""A liquid of few atoms: it is no crystal, and flows."""

import numpy as np
import pytest

from gbscape.config.survey import Potential
from gbscape.simulate.melt import liquid
from gbscape.simulate.potentials import FOILES_HOYT_NI, prepare_potential
from gbscape.structure.boundary_atoms import adaptive_cna


@pytest.fixture(scope="module")
def nickel(tmp_path_factory):
    return prepare_potential(Potential(name=FOILES_HOYT_NI, species="Ni"), "fcc", tmp_path_factory.mktemp("potential"))


@pytest.fixture(scope="module")
def snapshots(nickel):
    return liquid(nickel, 200, 2000.0, 7, snapshots=2, melting_ps=1.0, cooling_ps=0.6, apart_ps=0.4)


def test_it_is_a_liquid(nickel, snapshots):
    assert [len(atoms) for atoms in snapshots] == [256, 256]
    for atoms in snapshots:
        assert atoms.pbc.all()
        assert ((atoms.positions >= 0) & (atoms.positions < atoms.cell.lengths())).all()
        crystal = nickel.lattice_constant_angstrom**3 / 4
        assert 1.05 < atoms.get_volume() / len(atoms) / crystal < 1.4
        assert (adaptive_cna(atoms) == 0).mean() > 0.7
    apart = snapshots[1].positions - snapshots[0].positions
    lengths = snapshots[0].cell.lengths()
    apart -= lengths * np.rint(apart / lengths)
    assert np.sqrt((apart**2).sum(axis=1).mean()) > 0.5


def test_equal_seeds_give_equal_liquids(nickel, snapshots):
    one, two = (liquid(nickel, 30, 2000.0, seed, melting_ps=0.1, cooling_ps=0.1, apart_ps=0.1)[0] for seed in (3, 3))
    np.testing.assert_array_equal(one.positions, two.positions)


def test_what_is_refused(nickel):
    for arguments in ((0, 2000.0, 1), (10, -5.0, 1)):
        with pytest.raises(ValueError, match="must be positive"):
            liquid(nickel, *arguments)
    with pytest.raises(ValueError, match="seed must be from 1"):
        liquid(nickel, 10, 2000.0, 0)
