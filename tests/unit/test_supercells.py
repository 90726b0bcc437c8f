"""Periodic structures and finite pieces of the classes."""

from pathlib import Path

import numpy as np
import pytest

from gbscape.config.crystal_descriptor import CrystalDescriptor, DefectGrid, TrainingGrid
from gbscape.crystal.prototypes import Nanotube, build, load_prototypes
from gbscape.crystal.supercells import defect_hosts, pristine_specimens


@pytest.fixture(scope="module")
def prototypes():
    return load_prototypes(Path(__file__).parents[2] / "resources" / "prototypes")


def test_training_set_and_test_sets_have_the_published_sizes(prototypes):
    pristine = [specimen for prototype in prototypes.values() for specimen in pristine_specimens(prototype)]
    hosts = [specimen for prototype in prototypes.values() for specimen in defect_hosts(prototype)]
    assert len(pristine) == 96 * 4 + 12 == 396
    assert len(hosts) == 96 * 6 + 12 == 588
    assert len(pristine) * len(TrainingGrid().settings(CrystalDescriptor())) == 39_204
    defects = DefectGrid()
    assert len(hosts) * defects.repeats == 5_880
    assert len(hosts) * defects.repeats * len(defects.levels()) == 141_120


def test_finite_pieces_are_the_three_smallest_of_at_least_100_atoms(prototypes):
    for prototype in prototypes.values():
        cell = build(prototype)
        n_periods = int(cell.pbc.sum())
        if isinstance(prototype, Nanotube):
            assert n_periods == 0
            continue
        infinite, *pieces = pristine_specimens(prototype)
        assert infinite.periodic
        assert (infinite.atoms.pbc == cell.pbc).all()
        assert len(infinite.atoms) == len(cell)
        assert [piece.replicas for piece in pieces] == list(range(pieces[0].replicas, pieces[0].replicas + 3))
        assert len(cell) * (pieces[0].replicas - 1) ** n_periods < 100 <= len(pieces[0].atoms)
        for piece in pieces:
            assert len(piece.atoms) == len(cell) * piece.replicas**n_periods
            assert not piece.periodic
            assert not piece.atoms.pbc.any()
        hosts = defect_hosts(prototype)
        assert [host.replicas for host in hosts] == [piece.replicas for piece in pieces] * 2
        assert [host.periodic for host in hosts] == [True] * 3 + [False] * 3
        for host, piece in zip(hosts[3:], pieces, strict=True):
            np.testing.assert_array_equal(host.atoms.positions, piece.atoms.positions)


def test_layers_grow_in_their_plane_only(prototypes):
    specimens = pristine_specimens(prototypes["graphene"])
    assert [len(specimen.atoms) for specimen in specimens] == [2, 128, 162, 200]
    assert all(np.ptp(specimen.atoms.positions[:, 2]) < 1e-9 for specimen in specimens)
    # the vacuum of this one is along another axis of its standard cell
    along = ~build(prototypes["PdS2"]).pbc
    thickness = [
        np.ptp(s.atoms.cell.scaled_positions(s.atoms.positions)[:, along])
        for s in pristine_specimens(prototypes["PdS2"])
    ]
    assert thickness == pytest.approx([thickness[0]] * 4)


def test_numbers_of_atoms_of_some_pieces(prototypes):
    sizes = {
        label: [len(specimen.atoms) for specimen in pristine_specimens(prototypes[label])]
        for label in ("fcc", "diamond", "hcp", "L1_2", "PbSe", "PbA2I4", "nanotube_5_3")
    }
    assert sizes == {
        "fcc": [1, 125, 216, 343],
        "diamond": [2, 128, 250, 432],
        "hcp": [2, 128, 250, 432],
        "L1_2": [4, 108, 256, 500],
        "PbSe": [4, 100, 144, 196],  # the database's cell, not the primitive one
        "PbA2I4": [78, 312, 702, 1248],
        "nanotube_5_3": [196],
    }
