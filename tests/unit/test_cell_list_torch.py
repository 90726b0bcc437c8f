"""The cell list in torch against ASE's neighbour list and against a sum over images."""

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.neighborlist import primitive_neighbor_list
from hypothesis import given, settings
from hypothesis import strategies as st

from gbscape.structure.cell_list_torch import CellList, build_cell_list, candidate_counts, find_neighbours

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")),
]


def _build(atoms: Atoms, cutoff: float, device: str) -> CellList:
    return build_cell_list(atoms.positions, atoms.cell.complete().array, atoms.pbc, cutoff, torch.device(device))


def _pairs(atoms: Atoms, cutoff: float, device: str, centres: list[int] | None = None) -> list[tuple[float, ...]]:
    """Sorted (centre, neighbour, displacement)."""
    cells = _build(atoms, cutoff, device)
    chosen = torch.tensor(range(len(atoms)) if centres is None else centres, device=device)
    place, neighbour, displacement = (x.cpu().numpy() for x in find_neighbours(cells, chosen))
    assert (np.diff(place) >= 0).all()
    assert (np.bincount(place, minlength=len(chosen)) <= candidate_counts(cells, chosen).cpu().numpy()).all()
    centre = chosen.cpu().numpy()[place]
    return sorted(
        (int(i), int(j), *np.round(d, 6) + 0.0) for i, j, d in zip(centre, neighbour, displacement, strict=True)
    )


def _reference(atoms: Atoms, cutoff: float) -> list[tuple[float, ...]]:
    i, j, d = primitive_neighbor_list(
        "ijD", atoms.pbc, atoms.cell.complete().array, atoms.positions, cutoff, numbers=atoms.numbers
    )
    return sorted((int(a), int(b), *np.round(v, 6) + 0.0) for a, b, v in zip(i, j, d, strict=True))


@pytest.mark.parametrize("device", DEVICES)
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n_atoms=st.integers(1, 12),
    pbc=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    cutoff=st.sampled_from([0.7, 2.3, 6.1]),
    skew=st.floats(0, 1.5),
)
def test_pairs_of_any_cell(
    device: str, seed: int, n_atoms: int, pbc: tuple[bool, bool, bool], cutoff: float, skew: float
) -> None:
    rng = np.random.default_rng(seed)
    lengths = rng.uniform(1.5, 6, 3)
    cell = np.diag(lengths) + skew * np.tril(rng.uniform(-3, 3, (3, 3)), -1)
    # atoms lie outside the cell too
    atoms = Atoms(f"Ni{n_atoms}", positions=rng.uniform(-1, 2, (n_atoms, 3)) @ cell, cell=cell, pbc=pbc)
    found, expected = _pairs(atoms, cutoff, device), _reference(atoms, cutoff)
    assert len(found) == len(expected)
    np.testing.assert_allclose(np.array(found), np.array(expected), rtol=0, atol=1e-6)


@pytest.mark.parametrize("device", DEVICES)
def test_centres_are_taken_in_the_order_given(device: str) -> None:
    rng = np.random.default_rng(3)
    atoms = Atoms("Ni40", positions=rng.uniform(0, 8, (40, 3)), cell=[8, 8, 8], pbc=True)
    cells = _build(atoms, 3.0, device)
    place, _, _ = find_neighbours(cells, torch.tensor([31, 2, 17], device=device))
    counts = [sum(pair[0] == i for pair in _reference(atoms, 3.0)) for i in (31, 2, 17)]
    assert torch.bincount(place).tolist() == counts


def test_atoms_far_apart_need_no_large_grid() -> None:
    atoms = Atoms("Ni3", positions=[[0, 0, 0], [0, 0, 1], [1e7, 2e6, -3e6]])
    assert [pair[:2] for pair in _pairs(atoms, 2.0, "cpu")] == [(0, 1), (1, 0)]
    assert len(_build(atoms, 2.0, "cpu").starts) < 10_000


def test_an_atom_alone_has_no_neighbours() -> None:
    assert _pairs(Atoms("Ni", positions=[[3, 1, 2]]), 5.0, "cpu") == []


def test_atoms_at_one_place_are_neighbours() -> None:
    assert [pair[:2] for pair in _pairs(Atoms("Ni2", positions=np.ones((2, 3))), 5.0, "cpu")] == [(0, 1), (1, 0)]


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (Atoms(), "at least one atom"),
        (Atoms("Ni", positions=[[0, np.nan, 0]]), "finite positions"),
    ],
)
def test_impossible_structures_are_refused(atoms: Atoms, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _build(atoms, 3.0, "cpu")
