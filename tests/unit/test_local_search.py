"""Local moves that lower the energy of a relaxed boundary."""

import math

import numpy as np
import pytest
from ase import Atoms
from pydantic import ValidationError

from gbscape.config.survey import LocalSearch, Potential, Relaxation
from gbscape.simulate.potentials import ReadyPotential, prepare_potential
from gbscape.simulate.slab import FIXED, FREE, SLIDING, SlabMinimiser
from gbscape.structure.bicrystal import LEFT, RIGHT
from gbscape.survey.local_search import ImprovedBoundary, search_locally
from gbscape.survey.relaxation import RelaxedBoundary, relax_boundary
from tests.unit.test_relaxation import SIGMA5_TILT

SETTINGS = LocalSearch(
    patience_per_angstrom2=0.2, patience_after_success_per_angstrom2=0.2, max_moves_per_angstrom2=0.6
)


@pytest.fixture(scope="module")
def nickel(tmp_path_factory: pytest.TempPathFactory) -> ReadyPotential:
    return prepare_potential(Potential(), "fcc", tmp_path_factory.mktemp("nickel"))


@pytest.fixture(scope="module")
def ground(nickel: ReadyPotential) -> RelaxedBoundary:
    quick = Relaxation(
        min_period_angstrom=7,
        half_thickness_angstrom=20,
        translation_spacing_angstrom=1.5,
        shaking_rounds=0,
        annealing_rounds=0,
    )
    return relax_boundary(SIGMA5_TILT, nickel, quick)


def with_vacancy(ground: RelaxedBoundary, nickel: ReadyPotential) -> Atoms:
    """The ground state minimised without one atom at the boundary; its energies as the search wants them."""
    slab = ground.atoms
    x = slab.positions[:, 0]
    slab = slab[np.arange(len(slab)) != np.argmin(np.abs(x - 0.3))]
    x = slab.positions[:, 0]
    grain = slab.arrays["grain"]
    layers = np.where((grain == LEFT) & (x < -12), FIXED, np.where((grain == RIGHT) & (x > 12), SLIDING, FREE))
    with SlabMinimiser(nickel, 40.0, tuple(slab.cell.lengths()[1:])) as minimiser:
        result = minimiser.minimise(slab.positions, layers, 1000, 1e-3)
    inside = np.abs(x) < x.max() - nickel.cutoff_angstrom
    slab.positions = result.positions
    slab.arrays["energy_ev"] = np.where(inside, result.energies_ev, slab.arrays["energy_ev"])
    return slab


@pytest.fixture(scope="module")
def damaged(ground: RelaxedBoundary, nickel: ReadyPotential) -> Atoms:
    return with_vacancy(ground, nickel)


@pytest.fixture(scope="module")
def mended(damaged: Atoms, nickel: ReadyPotential) -> ImprovedBoundary:
    return run(damaged, nickel)


def run(
    start: Atoms, nickel: ReadyPotential, settings: LocalSearch = SETTINGS, known_j_m2: float = math.inf
) -> ImprovedBoundary:
    return search_locally(start, nickel, settings, 1e-3, 3000, "S5_3.1.0_3.1.0_7cac86de", known_j_m2)


def test_a_missing_atom_is_put_back(ground: RelaxedBoundary, damaged: Atoms, mended: ImprovedBoundary) -> None:
    improved = mended
    assert improved.energy_j_m2 == pytest.approx(ground.energy_j_m2, abs=2e-3)
    assert len(improved.atoms) == len(damaged) + 1
    assert "insert" in {move.kind for move in improved.accepted}
    energies = [move.energy_j_m2 for move in improved.accepted]
    assert energies == sorted(energies, reverse=True)
    assert improved.max_force_ev_angstrom is not None
    assert improved.max_force_ev_angstrom <= 1e-3


def test_the_result_is_a_slab_like_the_one_given(
    damaged: Atoms, mended: ImprovedBoundary, nickel: ReadyPotential
) -> None:
    start, atoms = damaged, mended.atoms
    assert set(atoms.arrays) == set(start.arrays)
    np.testing.assert_array_equal(atoms.pbc, start.pbc)
    np.testing.assert_array_equal(atoms.cell.array, start.cell.array)
    left = [slab[slab.positions[:, 0] < -12] for slab in (atoms, start)]
    np.testing.assert_allclose(*(np.sort(end.positions[:, 0]) for end in left), atol=0.05)
    outer = np.abs(atoms.positions[:, 0]) > 15
    np.testing.assert_allclose(atoms.arrays["energy_ev"][outer], nickel.cohesive_energy_ev, atol=2e-3)
    area = atoms.cell.lengths()[1:].prod()
    excess = (atoms.arrays["energy_ev"] - nickel.cohesive_energy_ev).sum() / area * 16.02176634
    assert excess == pytest.approx(mended.energy_j_m2, abs=1e-12)


def test_what_cannot_be_improved_is_returned_as_it_is(ground: RelaxedBoundary, nickel: ReadyPotential) -> None:
    improved = run(ground.atoms, nickel, LocalSearch(patience_per_angstrom2=0.1))
    assert improved.atoms == ground.atoms
    assert improved.energy_j_m2 == pytest.approx(ground.energy_j_m2, abs=1e-12)
    assert improved.accepted == ()
    assert improved.tried == np.ceil(0.1 * ground.atoms.cell.lengths()[1:].prod())


def test_more_patience_above_an_energy_that_is_known(ground: RelaxedBoundary, nickel: ReadyPotential) -> None:
    settings = LocalSearch(patience_per_angstrom2=0.1, patience_above_published_per_angstrom2=0.2)
    area = ground.atoms.cell.lengths()[1:].prod()
    for known, patience in ((ground.energy_j_m2 - 0.01, 0.2), (ground.energy_j_m2 + 0.01, 0.1)):
        improved = run(ground.atoms, nickel, settings, known)
        assert improved.accepted == ()
        assert improved.tried == np.ceil(patience * area)


def test_same_result_every_time_and_another_with_another_seed(
    damaged: Atoms, mended: ImprovedBoundary, nickel: ReadyPotential
) -> None:
    again = run(damaged, nickel)
    assert again.accepted == mended.accepted
    np.testing.assert_array_equal(again.atoms.positions, mended.atoms.positions)
    other = run(damaged, nickel, SETTINGS.model_copy(update={"seed": 1}))
    assert other.accepted != mended.accepted


def test_shares_of_moves_are_checked() -> None:
    with pytest.raises(ValidationError, match="together at most 1"):
        LocalSearch(removals=0.6, insertions=0.6)
