"""The slab of four grains: each grain is what it is called, and the slab has the published size."""

import numpy as np
import pytest

from gbscape.crystal.boxes import box_grid, count_atoms
from gbscape.crystal.other_methods import classify_by
from gbscape.structure.four_grains import GRAIN_LATTICES, four_grains
from gbscape.structure.nearest_neighbours import nearest_neighbour_distances


@pytest.fixture(scope="module")
def slab():
    return four_grains()


def test_each_grain_is_its_lattice(slab):
    interior = slab.arrays["distance_to_boundary"] > 6
    z = slab.positions[:, 2]
    interior &= np.minimum(z, z.max() - z) > 5
    label = classify_by("ptm", slab).label
    for number, lattice in enumerate(GRAIN_LATTICES):
        of_grain = label[interior & (slab.arrays["grain"] == number)]
        # Whole grains also end in nothing, which is no boundary; so a few of them are surface atoms.
        assert np.mean(of_grain == lattice) > 0.6
        assert not np.isin(of_grain, [other for other in GRAIN_LATTICES if other != lattice]).any()


def test_size_is_the_published_one(slab):
    # The published file: 9 087 atoms in 104.3 x 102.5 x 15.0 Angstrom.
    np.testing.assert_allclose(np.ptp(slab.positions, axis=0), [104.3, 102.5, 15.0], atol=2)
    assert len(slab) == pytest.approx(9087, rel=0.02)
    assert not slab.pbc.any()
    assert set(slab.get_chemical_symbols()) == {"Fe"}
    # Of the boxes of 16 Angstrom at a stride of 1, 7 968 of the published file hold more than 50 atoms.
    grid = box_grid(slab.positions, edge_angstrom=16, stride_angstrom=(1, 1, None))
    assert np.count_nonzero(count_atoms(slab.positions, grid) > 50) == pytest.approx(7968, rel=0.01)


def test_no_atoms_overlap(slab):
    # The shortest of the limits is that between two atoms of diamond.
    assert nearest_neighbour_distances(slab).min() >= 0.7 * np.sqrt(3) / 4 * 3.571 - 1e-9


def test_orientations_and_species_are_as_told():
    first, again, other = (four_grains("Cu", orientation_seed=seed) for seed in (4, 4, 5))
    assert set(first.get_chemical_symbols()) == {"Cu"}
    assert (first.positions == again.positions).all()
    assert len(first) != len(other) or not np.allclose(first.positions, other.positions)


def test_a_pattern_too_small_is_refused():
    with pytest.raises(ValueError, match="Angstrom"):
        four_grains(edge_angstrom=2.0)
