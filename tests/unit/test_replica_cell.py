"""Replica cells: what is cut out, what is thinned out, and that the target's energy converges with the cell."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st

from gbscape.structure.replica_cell import MODEL_INDEX, TARGET, replica_cells


def _model(seed: int = 0, n: int = 8) -> Atoms:
    atoms = bulk("Fe", "bcc", a=2.8553, cubic=True) * (n, n, n)
    atoms.rattle(0.2, seed=seed)
    atoms.wrap()
    return atoms


@settings(deadline=None, max_examples=20)
@given(
    seed=st.integers(0, 100),
    edge=st.floats(7.0, 14.0),
    closest=st.floats(1.5, 2.3),
    removal=st.sampled_from(["farther", "fewest"]),
)
def test_cells_hold_the_surroundings_and_no_close_pair_across_faces(
    seed: int, edge: float, closest: float, removal: str
) -> None:
    model = _model(seed)
    target = seed % len(model)
    (cell,) = replica_cells(model, [target], edge, closest, removal)  # type: ignore[arg-type]
    place = cell.info[TARGET]
    assert cell.arrays[MODEL_INDEX][place] == target
    assert cell.positions[place] == pytest.approx(np.full(3, edge / 2))
    # Every atom is where it is in the model, relative to the target.
    offset = model.get_distances(target, cell.arrays[MODEL_INDEX], mic=True, vector=True)
    assert cell.positions - cell.positions[place] == pytest.approx(offset, abs=1e-9)
    # Nothing of the interior is missing: what lies deeper than the closest distance cannot meet an image.
    all_offsets = model.get_distances(target, np.arange(len(model)), mic=True, vector=True)
    deep = np.flatnonzero((np.abs(all_offsets) < edge / 2 - closest).all(axis=1))
    assert set(deep) <= set(cell.arrays[MODEL_INDEX].tolist())
    inside = ((all_offsets >= -edge / 2) & (all_offsets < edge / 2)).all(axis=1)
    assert len(cell) + cell.info["removed"] == inside.sum()
    # Pairs across the faces keep their distance.
    direct = np.linalg.norm(cell.positions[:, None] - cell.positions, axis=2)
    nearest_image = cell.get_all_distances(mic=True)
    across = nearest_image < direct - 1e-9
    assert nearest_image[across].min() >= closest - 1e-9


def test_fewest_removes_no_more_than_farther() -> None:
    model = _model(3)
    targets = range(0, 1000, 50)
    removed = {
        rule: sum(cell.info["removed"] for cell in replica_cells(model, targets, 10.0, 2.2, rule))  # type: ignore[arg-type]
        for rule in ("farther", "fewest")
    }
    assert 0 < removed["fewest"] < removed["farther"]


def test_a_cell_that_fits_the_crystal_is_a_crystal() -> None:
    # Its faces hold atoms and their own images: one of each stays.
    model = bulk("Fe", "bcc", a=2.8553, cubic=True) * (8, 8, 8)
    (cell,) = replica_cells(model, [77], 4 * 2.8553, 2.2)
    assert len(cell) == 2 * 4**3
    assert np.sort(cell.get_all_distances(mic=True), axis=1)[:, 1] == pytest.approx(np.sqrt(3) / 2 * 2.8553)


def test_close_pairs_of_the_model_itself_stay() -> None:
    model = _model()
    model.positions[1] = model.positions[0] + [1.2, 0, 0]
    (cell,) = replica_cells(model, [0], 10.0, 2.2)
    assert {0, 1} <= set(cell.arrays[MODEL_INDEX].tolist())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"edge_angstrom": 30.0}, "is smaller than a replica of 30.0 Angstrom"),
        ({"targets": [2000]}, "targets must be atoms from 0 to 1023, got 2000 to 2000"),
        ({"closest_angstrom": 4.0}, "at most a third of the replica's edge"),
        ({"model": bulk("Fe", "bcc", a=2.8553) * (8, 8, 8)}, "needs an orthogonal cell"),
    ],
)
def test_bad_input(arguments: dict[str, object], message: str) -> None:
    good: dict[str, object] = {"model": _model(), "targets": [0], "edge_angstrom": 10.0, "closest_angstrom": 2.2}
    with pytest.raises(ValueError, match=message):
        list(replica_cells(**(good | arguments)))  # type: ignore[arg-type]
