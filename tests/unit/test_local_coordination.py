"""Coordination numbers with a cut-off that follows the local density."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from gbscape.structure.local_coordination import local_coordination, local_cutoffs, perfect_coordination


def _crystal(lattice: str, a: float, n: int = 5) -> Atoms:
    return bulk("Fe", lattice, a=a, cubic=True) * (n, n, n)


@pytest.mark.parametrize("lattice", ["bcc", "fcc"])
@pytest.mark.parametrize("a", [2.5, 2.8553, 4.1])
def test_a_crystal_is_fully_coordinated_at_any_density(lattice: str, a: float) -> None:
    assert (local_coordination(_crystal(lattice, a), lattice) == perfect_coordination(lattice)).all()


def test_the_cutoff_of_bcc_is_that_of_the_paper() -> None:
    # Equation 11: halfway between the second and third shells, 3.46 Angstrom for a = 2.87.
    shells = np.array([[np.sqrt(3) / 2 * 2.87] * 8 + [2.87] * 6])
    assert local_cutoffs(shells, "bcc") == pytest.approx((1 + np.sqrt(2)) / 2 * 2.87)
    assert local_cutoffs(shells, "bcc") == pytest.approx(3.46, abs=5e-3)


def test_neighbours_of_a_vacancy_lose_one() -> None:
    atoms = _crystal("bcc", 2.8553)
    del atoms[100]
    counts = local_coordination(atoms, "bcc")
    # The local lattice constant of the first and second neighbours grows, which may bring others in.
    assert 0 < np.count_nonzero(counts != 14) <= 14 + 12 + 24
    assert counts.min() == 13


def test_counts_are_those_of_brute_force_and_do_not_depend_on_threads() -> None:
    atoms = _crystal("bcc", 2.8553, 4)
    atoms.rattle(0.25, seed=3)
    distances = np.sort(atoms.get_all_distances(mic=True), axis=1)[:, 1:]
    cutoffs = local_cutoffs(distances, "bcc")
    expected = (distances < cutoffs[:, None]).sum(axis=1)
    assert len(set(expected.tolist())) > 2
    assert local_coordination(atoms, "bcc").tolist() == expected.tolist()
    assert local_coordination(atoms, "bcc", threads=2).tolist() == expected.tolist()


def test_crowded_atoms_are_counted_in_full() -> None:
    # An atom with 14 neighbours at 3 Angstrom and as many more just within the cut-off they give.
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(60, 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    radii = np.r_[np.full(14, 3.0), np.full(46, 3.2)]
    atoms = Atoms(
        "Fe61", positions=np.vstack([[20, 20, 20], 20 + directions * radii[:, None]]), cell=[40] * 3, pbc=True
    )
    assert local_coordination(atoms, "bcc")[0] == 60


@pytest.mark.parametrize(
    ("atoms", "lattice", "message"),
    [
        (_crystal("bcc", 2.8553), "hcp", "known for bcc and fcc, not for 'hcp'"),
        (_crystal("bcc", 2.8553, 1), "bcc", "at least 15 atoms, got 2"),
        (_crystal("bcc", 2.8553, 2), "bcc", "at least twice the longest cut-off"),
        (bulk("Fe", "bcc", a=2.8553) * (4, 4, 4), "bcc", "orthogonal cell"),
    ],
)
def test_bad_input(atoms: Atoms, lattice: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        local_coordination(atoms, lattice)
