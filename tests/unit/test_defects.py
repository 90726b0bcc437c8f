"""Displaced and missing atoms."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from pydantic import ValidationError

from gbscape.config.crystal_descriptor import DefectGrid
from gbscape.crystal.defects import displace_atoms, make_defects, remove_atoms

NEAREST = 3.61 / np.sqrt(2)


@pytest.fixture
def copper():
    return bulk("Cu", a=3.61, cubic=True) * (6, 6, 6)


def test_displacements_are_uniform_and_in_units_of_the_nearest_neighbour_distance(copper):
    moved = displace_atoms(copper, 0.1, np.random.default_rng(0)).positions - copper.positions
    largest = 0.1 * NEAREST
    assert np.abs(moved).max() <= largest
    # of a uniform distribution: each tenth of the interval holds a tenth of the 2592 numbers
    shares = np.histogram(moved / largest, bins=10, range=(-1, 1))[0] / moved.size
    assert shares == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / moved.size))
    # independent of atom and axis
    assert np.abs(np.corrcoef(moved.T) - np.eye(3)).max() < 0.1


def test_missing_atoms_are_so_many_and_drawn_from_all(copper):
    left = remove_atoms(copper, 0.3, np.random.default_rng(0))
    assert len(left) == 864 - int(0.3 * 864)
    kept = (np.abs(copper.positions[:, None] - left.positions[None]).max(axis=2) < 1e-12).any(axis=1)
    np.testing.assert_array_equal(copper.positions[kept], left.positions)
    assert (left.cell.array == copper.cell.array).all()
    assert left.pbc.all()
    # each atom goes with probability 0.3: the first and the second half alike
    times = np.zeros(864)
    for seed in range(200):
        gone = np.ones(864, dtype=bool)
        part = remove_atoms(
            Atoms("Cu864", positions=np.arange(864 * 3).reshape(-1, 3)), 0.3, np.random.default_rng(seed)
        )
        gone[(part.positions[:, 0] / 3).round().astype(int)] = False
        times += gone
    assert times.mean() / 200 == pytest.approx(259 / 864)
    assert times.min() > 200 * 0.3 - 5 * np.sqrt(200 * 0.21)
    assert times.max() < 200 * 0.3 + 5 * np.sqrt(200 * 0.21)


@pytest.mark.parametrize(
    ("n", "ratio", "removed"), [(100, 0.29, 29), (100, 0.01, 1), (99, 0.01, 0), (10, 0.79, 7), (7, 0, 0)]
)
def test_number_of_missing_atoms_is_rounded_down(n, ratio, removed):
    atoms = Atoms(f"H{n}", positions=np.arange(3 * n).reshape(n, 3))
    assert len(remove_atoms(atoms, ratio, np.random.default_rng(1))) == n - removed


def test_defects_follow_from_the_seed_alone(copper):
    before = copper.copy()
    one, same = (make_defects(copper, 0.04, 0.2, (3, 7)) for _ in range(2))
    other = make_defects(copper, 0.04, 0.2, (3, 8))
    assert one == same
    assert len(one) == len(other)
    assert one != other
    assert copper == before


def test_both_defects_together_are_one_after_the_other(copper):
    random = np.random.default_rng(5)
    left = remove_atoms(copper, 0.2, random)
    both = make_defects(copper, 0.04, 0.2, 5)
    np.testing.assert_array_equal(both.positions, displace_atoms(left, 0.04, random).positions)
    assert np.abs(both.positions - left.positions).max() == pytest.approx(0.04 * NEAREST, rel=0.02)
    assert make_defects(copper, 0, 0, 1) == copper


@pytest.mark.parametrize("ratio", [-0.1, 1.0, 1.5, np.nan])
def test_ratios_are_from_0_to_below_1(copper, ratio):
    for defect in (displace_atoms, remove_atoms):
        with pytest.raises(ValueError, match="at least 0 and below 1"):
            defect(copper, ratio, np.random.default_rng(0))


def test_two_atoms_must_be_left():
    with pytest.raises(ValueError, match="atoms missing leaves 1; at least 2"):
        remove_atoms(Atoms("H10", positions=np.arange(30).reshape(10, 3)), 0.9, np.random.default_rng(0))


def test_levels_of_the_thesis():
    levels = DefectGrid().levels()
    assert len(levels) == 24
    displaced = [displacement for displacement, missing in levels if not missing]
    missing = [missing for displacement, missing in levels if not displacement]
    both = [level for level in levels if all(level)]
    assert len(displaced) == len(missing) == len(both) == 8
    # section 4.3.3.3: six ratios of up to 5 % missing or less than 1 % displacement
    assert sum(ratio < 0.01 for ratio in displaced) + sum(ratio <= 0.05 for ratio in missing) == 6
    assert both == list(zip(displaced, missing, strict=True))


def test_grid_of_defects_is_checked():
    with pytest.raises(ValidationError, match="as many displacements"):
        DefectGrid(displacements=(0.1,), missing=(0.1, 0.2))
    assert len(DefectGrid(displacements=(0.1,), missing=(0.1, 0.2), both=False).levels()) == 3
    with pytest.raises(ValidationError):
        DefectGrid(missing=(1.0,))
