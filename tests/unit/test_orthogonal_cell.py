"""Positions inside a cell, also next to its faces."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from gbscape.replica.model import check_model
from gbscape.structure.local_coordination import local_coordination
from gbscape.structure.orthogonal_cell import wrapped
from gbscape.structure.replica_cell import replica_cells


@given(
    edge=st.floats(1.0, 1e3),
    periods=st.integers(-2, 2),
    offset=st.sampled_from([0.0, 1e-300, -1e-300, 1e-17, -1e-17, 1e-9, -1e-9, 0.3]),
)
def test_positions_are_in_the_cell_and_moved_by_periods(edge: float, periods: int, offset: float) -> None:
    position = np.full((1, 3), periods * edge + offset)
    inside = wrapped(position, np.full(3, edge))
    assert (inside >= 0).all()
    assert (inside < edge).all()
    moved = (inside - position) / edge
    assert moved == pytest.approx(np.rint(moved), abs=1e-9)
    cKDTree(inside, boxsize=edge)


def _crystal(offset: float) -> Atoms:
    """Iron whose lowest layer lies by `offset` over the lower face, below it where that is negative."""
    atoms = bulk("Fe", "bcc", a=2.8553, cubic=True) * (6, 6, 6)
    atoms.positions[:, 2] += offset
    return atoms


@pytest.mark.parametrize("offset", [-1e-9, -1e-6, 1e-9])
def test_atoms_next_to_a_face_are_no_trouble(offset: float) -> None:
    atoms = _crystal(offset)
    check_model(atoms, "Fe")
    assert (local_coordination(atoms, "bcc") == 14).all()
    (cell,) = replica_cells(atoms, [0], 3 * 2.8553, 2.2)
    assert len(cell) == 54
    assert cell.info["removed"] == 0
