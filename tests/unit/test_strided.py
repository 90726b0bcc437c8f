"""Maps of samples, box by box: what is found in grains, and that boxes do not depend on one another."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, graphene

from gbscape.config.crystal import Refinement
from gbscape.config.crystal_descriptor import CrystalDescriptor
from gbscape.crystal import classify, strided, strided_map
from gbscape.crystal.boxes import BoxGrid, cut_boxes
from gbscape.crystal.classification import ModelMismatch
from gbscape.crystal.map_file import BoxStatus, StridedMap, join_maps
from gbscape.crystal.strided import FEWEST_ATOMS, boxed_sample, boxes_of_shard, classify_boxes
from gbscape.structure.four_grains import GRAIN_LATTICES, four_grains

PASSES = 40
ARRAYS = (
    "grid_index", "n_atoms", "status", "top_class", "top_probability", "mutual_information", "predictive_entropy",
    "distance_score", "probabilities",
)  # fmt: skip


def assert_same(one: StridedMap, other: StridedMap) -> None:
    """To the last bit."""
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert one.hidden.keys() == other.hidden.keys()
    for name in one.hidden:
        np.testing.assert_array_equal(one.hidden[name], other.hidden[name])
    assert one.reasons == other.reasons


@pytest.fixture(scope="module")
def grains():
    return four_grains()


@pytest.fixture(scope="module")
def grains_map(grains, model):
    return strided_map(grains, model, 16.0, (6.0, 6.0, None), passes=PASSES, hidden_layers=(0,))


def test_the_four_grains_are_found(grains, grains_map):
    """Boxes that lie inside one grain are of its crystal; those on the boundaries are less certain."""
    m = grains_map
    sample = boxed_sample(grains, 16.0, (6.0, 6.0, None))
    inside, border = [], []
    for batch in cut_boxes(grains.positions, sample.grid):
        for i, atoms in enumerate(np.split(batch.atoms, batch.offsets[1:-1])):
            share = np.bincount(grains.arrays["grain"][atoms], minlength=4) / max(len(atoms), 1)
            if share.max() == 1:
                inside.append((len(atoms), batch.first + i, GRAIN_LATTICES[share.argmax()]))
            elif 0 < share.max() < 0.7:
                border.append((len(atoms), share, batch.first + i))
    full = {lattice: max(n for n, _, its in inside if its == lattice) for lattice in GRAIN_LATTICES}
    inside = [(number, lattice) for n, number, lattice in inside if n > 0.85 * full[lattice]]
    typical = np.array([full[lattice] for lattice in GRAIN_LATTICES])
    border = [number for n, share, number in border if n > 0.85 / (share / typical).sum()]
    assert {label for _, label in inside} == set(GRAIN_LATTICES)
    numbers = [number for number, _ in inside]
    right = m.labels[numbers] == [label for _, label in inside]
    assert right.mean() > 0.98
    assert len(border) > 10
    assert np.median(m.mutual_information[border]) > 2 * np.median(m.mutual_information[numbers])
    assert np.median(m.distance_score[border]) > np.median(m.distance_score[numbers])


def test_what_a_map_holds(grains, grains_map, model):
    m = grains_map
    sample = boxed_sample(grains, 16.0, (6.0, 6.0, None))
    assert m.grid is not None
    assert len(m) == len(m.grid) == len(sample.grid)
    np.testing.assert_array_equal(m.n_atoms, sample.n_atoms())
    np.testing.assert_array_equal(m.status == BoxStatus.EMPTY, m.n_atoms == 0)
    np.testing.assert_array_equal(m.status == BoxStatus.TOO_FEW_ATOMS, (m.n_atoms > 0) & (m.n_atoms < FEWEST_ATOMS))
    assert not m.reasons
    assert set(m.status) >= {BoxStatus.CLASSIFIED, BoxStatus.EMPTY}
    assert m.hidden["layer_0"].shape == (len(m), 64)
    assert m.interpolated is None
    assert m.classes == model.classes
    # a box by itself is a structure that is not periodic
    number = int(np.flatnonzero(m.classified)[50])
    (box,) = cut_boxes(grains.positions, sample.grid, start=number, stop=number + 1)
    alone = grains[box.atoms]
    alone.pbc = False
    one = classify(alone, model, passes=PASSES)
    assert one.label == m.labels[number]
    assert one.mutual_information_bits == m.mutual_information[number]
    np.testing.assert_array_equal(
        m.probabilities[number], [np.float32(dict(one.ranking)[label]) for label in model.classes]
    )


def test_a_moved_sample_has_the_same_map(grains, grains_map, model):
    moved, move = grains.copy(), np.array([12.0, -6.0, 3.0])
    moved.positions += move
    other = strided_map(moved, model, 16.0, (6.0, 6.0, None), passes=PASSES)
    np.testing.assert_array_equal(other.top_class, grains_map.top_class)
    np.testing.assert_allclose(other.probabilities, grains_map.probabilities, atol=1e-4)
    np.testing.assert_allclose(other.centres_angstrom(), grains_map.centres_angstrom() + move, atol=1e-9)


def test_boxes_follow_what_moves_inside_a_sample(model):
    """Two crystals in a large frame: moved by a stride, the map moves by one box."""
    fcc = bulk("Cu", cubic=True).repeat((6, 5, 5)).positions + 20.0
    frame = np.array([[0.0, 0, 0], [62, 62, 62]])
    maps = []
    for shift in (0.0, 4.0):
        positions = np.concatenate([frame, fcc + np.array([shift, 0, 0])])
        maps.append(
            strided_map(Atoms(f"Cu{len(positions)}", positions=positions), model, 14.0, (4.0, 8.0, 8.0), passes=5)
        )
    first, second = (m.on_grid(m.probabilities) for m in maps)
    assert np.isfinite(first).any()
    np.testing.assert_allclose(first[:-1], second[1:], atol=1e-4)


@pytest.mark.parametrize("n_shards", [1, 3, 7])
def test_shards_put_together_are_the_map(grains, grains_map, model, n_shards):
    sample = boxed_sample(grains, 16.0, (6.0, 6.0, None))
    n_atoms = sample.n_atoms()
    shards = [boxes_of_shard(n_atoms, i, n_shards) for i in range(n_shards)]
    np.testing.assert_array_equal(np.concatenate(shards), np.arange(len(sample.grid)))
    if n_shards == 3:
        weights = [n_atoms[shard].sum() for shard in shards]
        assert max(weights) < 1.1 * min(weights)
        parts = [classify_boxes(sample, model, shard, passes=PASSES, hidden_layers=(0,)) for shard in shards]
        assert_same(join_maps(parts), grains_map)


def test_more_shards_than_boxes():
    shards = [boxes_of_shard([5, 0, 5], i, 10) for i in range(10)]
    assert np.concatenate(shards).tolist() == [0, 1, 2]
    assert boxes_of_shard([], 1, 2).tolist() == []
    with pytest.raises(ValueError, match="no shard 2 of 2"):
        boxes_of_shard([1], 2, 2)


def test_boxes_in_any_list_and_batch_are_the_same(grains, grains_map, model, monkeypatch):
    sample = boxed_sample(grains, 16.0, (6.0, 6.0, None))
    chosen = np.random.default_rng(0).choice(len(sample.grid), 40, replace=False)
    monkeypatch.setattr(strided, "BOXES_AT_ONCE", 7)
    monkeypatch.setattr(strided, "ATOMS_AT_ONCE", 1500)
    found = classify_boxes(sample, model, chosen, passes=PASSES, hidden_layers=(0,), threads=2)
    assert_same(found, grains_map.take(np.sort(chosen)))
    assert len(classify_boxes(sample, model, [], passes=PASSES)) == 0
    with pytest.raises(ValueError, match="has none of the number 0 or 100000"):
        classify_boxes(sample, model, [0, 100_000])


def test_batches_hold_what_was_asked_for(grains, monkeypatch):
    """Each wanted box once, with the atoms that a cut of all boxes gives, and no batch above its bounds."""
    sample = boxed_sample(grains, 16.0, (6.0, 6.0, None))
    every = np.concatenate([np.diff(b.offsets) for b in cut_boxes(sample.positions, sample.grid)])
    for most_boxes, most_atoms in ((1, 10), (5, 10**9), (10**9, 900), (3, 1200)):
        monkeypatch.setattr(strided, "BOXES_AT_ONCE", most_boxes)
        monkeypatch.setattr(strided, "ATOMS_AT_ONCE", most_atoms)
        boxes = np.arange(20, len(sample.grid))
        wanted = (every[boxes] > 0) & (np.random.default_rng(1).random(len(boxes)) < 0.4)
        seen = []
        for places, pieces in strided._pieces(sample, boxes, wanted):
            sizes = np.diff(pieces.offsets)
            assert len(places) == len(sizes) <= most_boxes
            assert len(places) == 1 or sizes.sum() <= most_atoms
            np.testing.assert_array_equal(sizes, every[boxes[places]])
            for place, begin, end in zip(places, pieces.offsets, pieces.offsets[1:], strict=False):
                low = sample.grid.origins_angstrom().reshape(-1, 3)[boxes[place]]
                inside = pieces.positions[begin:end] - low
                assert ((inside >= 0) & (inside <= sample.grid.edge_angstrom)).all()
            seen += places.tolist()
        assert seen == np.flatnonzero(wanted).tolist()


def test_memory_does_not_grow_with_the_number_of_boxes(monkeypatch, model):
    """Eight times as many boxes, the same memory but for the results."""
    monkeypatch.setattr(strided, "BOXES_AT_ONCE", 4)
    monkeypatch.setattr(strided, "ATOMS_AT_ONCE", 1200)
    atoms = bulk("Cu", cubic=True).repeat((8, 5, 5))
    peaks = []
    for stride in (8.0, 1.0):
        sample = boxed_sample(atoms, 12.0, (stride, None, None))
        classify_boxes(sample, model, [0], passes=2, all_probabilities=False)
        tracemalloc.start()
        m = classify_boxes(sample, model, passes=2, all_probabilities=False)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert len(m) > 5 * 5
    assert peaks[1] < 2 * peaks[0]


def test_a_box_that_fails_loses_no_other(monkeypatch, grains, grains_map, model):
    """One batch whose description fails, one box whose vector the network cannot take, and one that has none."""
    sample = boxed_sample(grains, 16.0, (6.0, 6.0, None))
    rows = np.flatnonzero(grains_map.classified)
    sizes = grains_map.n_atoms
    unique = [r for r in rows if (sizes == sizes[r]).sum() == 1]
    broken, huge, without = unique[3], unique[10], unique[20]
    describe = strided.describe

    def sabotaged(pieces, settings, threads):
        of = np.diff(pieces.offsets)
        if sizes[broken] in of:
            raise ValueError("this one breaks the descriptor")
        described = describe(pieces, settings, threads)
        described.vectors[of == sizes[huge]] = 1e39
        reasons = dict(described.reasons)
        for i in np.flatnonzero(of == sizes[without]).tolist():
            reasons[i] = "no vector for this one"
        return described._replace(reasons=reasons)

    monkeypatch.setattr(strided, "describe", sabotaged)
    m = classify_boxes(sample, model, passes=PASSES, hidden_layers=(0,))
    assert set(m.reasons) == {broken, huge, without}
    assert m.reasons[broken] == "this one breaks the descriptor"
    assert m.reasons[without] == "no vector for this one"
    assert "not finite" in m.reasons[huge]
    others = np.setdiff1d(np.arange(len(m)), [broken, huge, without])
    assert_same(m.take(others), grains_map.take(others))
    assert (m.status[[broken, huge, without]] == BoxStatus.FAILED).all()


def test_a_species_of_which_a_box_holds_one_atom(model):
    """The pair of the single atom with itself is left out, as the descriptor says; the box is classified."""
    atoms = bulk("Cu", cubic=True).repeat(5)
    atoms.numbers[len(atoms) // 2] = 79
    m = strided_map(atoms, model, 14.0, 14.0, passes=PASSES)
    assert m.classified.any()
    assert not m.reasons


class TestPeriodic:
    """Samples that go on for ever."""

    def test_no_false_surface(self, model):
        """All boxes of a perfect crystal, even of one unit cell, hold as many atoms as in a large piece of it."""
        cell = bulk("Cu", cubic=True)
        m = strided_map(cell, model, 13.0, 3.61, passes=PASSES)
        assert m.grid.shape == (1, 1, 1)
        large = cell.repeat(8).positions
        assert (
            m.n_atoms[0]
            == (np.abs(large - large[np.linalg.norm(large - 14.0, axis=1).argmin()]) <= 6.5).all(axis=1).sum()
        )
        assert m.labels.tolist() == ["fcc"]

    def test_any_cell(self, model):
        """The primitive cell, oblique, tells the same crystal."""
        rng = np.random.default_rng(0)
        atoms = bulk("Cu").repeat(4)
        atoms.positions += rng.normal(0, 0.01, atoms.positions.shape) + 100  # far outside the cell: wrapped
        m = strided_map(atoms, model, 14.0, 4.0, passes=PASSES)
        assert set(m.labels) == {"fcc"}
        assert m.n_atoms.min() > 0.7 * 14.0**3 * 4 / 3.61**3

    def test_a_translation_through_the_cell_rolls_the_map(self, model):
        rng = np.random.default_rng(1)
        fcc = bulk("Cu", cubic=True).repeat((10, 4, 4))
        fcc.positions += rng.normal(0, 0.03, fcc.positions.shape)
        fcc.cell[0, 0] = 36.0
        strides = (4.0, None, None)
        maps = []
        for shift in (0.0, 8.0):
            moved = fcc.copy()
            moved.positions[:, 0] += shift
            moved.wrap()
            maps.append(strided_map(moved, model, 12.0, strides, passes=PASSES))
        np.testing.assert_array_equal(np.roll(maps[0].n_atoms, 2), maps[1].n_atoms)
        np.testing.assert_allclose(np.roll(maps[0].probabilities, 2, axis=0), maps[1].probabilities, atol=1e-4)

    def test_images_are_those_of_a_repeated_sample(self, model):
        """Periodic along x and y, where the slab is oblique, and not along z."""
        rng = np.random.default_rng(2)
        slab = bulk("Cu").repeat((5, 5, 6))
        slab = Atoms(
            slab.numbers, positions=rng.uniform(0, 1, (150, 3)) @ np.diag([20, 20, 12.0]), pbc=(True, True, False)
        )
        slab.cell = [[20, 0, 0], [8, 15, 0], [0, 0, 40]]
        sample = boxed_sample(slab, 9.0, (3.0, 3.0, None))
        repeated = slab.repeat((7, 7, 1))
        repeated.positions -= 3 * (slab.cell[0] + slab.cell[1])
        by_hand = [
            ((repeated.positions >= low) & (repeated.positions <= low + sample.grid.edge_angstrom)).all(axis=1).sum()
            for low in sample.grid.origins_angstrom().reshape(-1, 3)
        ]
        np.testing.assert_array_equal(sample.n_atoms(), by_hand)
        apart = (sample.positions - slab.positions[sample.atom]) @ np.linalg.pinv(slab.cell.array[slab.pbc])
        np.testing.assert_allclose(apart, np.round(apart), atol=1e-9)

    def test_cells_that_are_refused(self, model):
        tilted = Atoms("Cu4", positions=np.eye(4, 3) * 3, cell=[[10, 0, 1], [0, 10, 0], [0, 0, 10]], pbc=(1, 1, 0))
        with pytest.raises(ValueError, match=r"must lie along as many of the axes.*set its pbc to false"):
            boxed_sample(tilted, 5.0, 2.0)
        flat = Atoms("Cu4", positions=np.eye(4, 3) * 3, cell=[[10, 0, 0], [0, 10, 0], [0, 0, 0]], pbc=True)
        with pytest.raises(ValueError, match="mend the cell"):
            boxed_sample(flat, 5.0, 2.0)
        twice = Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 10]], cell=[10, 10, 10], pbc=True)
        with pytest.raises(ValueError, match="at the same place"):
            boxed_sample(twice, 5.0, 2.0)


def test_positions_in_the_pixels_of_an_image(model):
    """Two dimensions, of any unit: nothing but the ratio of lengths counts."""
    sheet = graphene(size=(14, 14, 1), vacuum=0)
    positions = (sheet.positions + np.random.default_rng(0).normal(0, 0.03, sheet.positions.shape)) * [1, 1, 0]
    angstrom, pixels = (Atoms(sheet.numbers, positions=unit * positions) for unit in (1.0, 37.0))
    one = strided_map(angstrom, model, 12.0, (6.0, 6.0, None), fewest_atoms=8, passes=PASSES)
    other = strided_map(pixels, model, 12.0 * 37, (6.0 * 37, 6.0 * 37, None), fewest_atoms=8, passes=PASSES)
    np.testing.assert_array_equal(one.status, other.status)
    assert one.classified.sum() > 10
    np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-4)
    with pytest.raises(ValueError, match=r"extends over 0 along z.*stride_angstrom: null there"):
        strided_map(angstrom, model, 12.0, 6.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.positions.__setitem__((3, 1), np.inf), "atom 3.*not finite"),
        (lambda a: a.numbers.__setitem__(7, 0), "atom 7.*unknown species"),
        (lambda a: a.positions.__setitem__(4, a.positions[9]), "atoms 4 and 9 .* same place"),
        (lambda a: a.__delitem__(slice(None)), "no atoms"),
    ],
)
def test_bad_samples_are_refused_before_any_box(model, change, message):
    atoms = bulk("Cu", cubic=True).repeat(6)
    atoms.pbc = False
    change(atoms)
    with pytest.raises(ValueError, match=message):
        strided_map(atoms, model, 12.0, 4.0)


def test_bad_settings_are_refused_before_any_box(model, grains):
    with pytest.raises(ValueError, match=r"larger than the sample, which extends over 15 along z"):
        strided_map(grains, model, 16.0, 8.0)
    with pytest.raises(ValueError, match="stride must be a positive length"):
        strided_map(grains, model, 16.0, (0.0, 8.0, None))
    with pytest.raises(ValueError, match="no hidden layer 2"):
        strided_map(grains, model, 16.0, (8.0, 8.0, None), hidden_layers=(2,))
    with pytest.raises(ValueError, match="passes = 1 are not enough for the 2 networks"):
        strided_map(grains, replace(model, networks=model.networks * 2), 16.0, (8.0, 8.0, None), passes=1)
    with pytest.raises(ModelMismatch, match=r"cutoff_nn: 4\.0 against 5\.0"):
        strided_map(grains, model, 16.0, (8.0, 8.0, None), descriptor=CrystalDescriptor(cutoff_nn=5.0))
    with pytest.raises(ValueError, match="fewest_atoms"):
        classify_boxes(boxed_sample(grains, 16.0, (8.0, 8.0, None)), model, fewest_atoms=0)


def test_refined_map_of_grains(grains, model):
    """The same picture from fewer boxes; with the quantile 0 it is the whole map, to the last bit."""
    strides = (4.0, 4.0, None)
    full = strided_map(grains, model, 16.0, strides, passes=PASSES)
    fine = strided_map(grains, model, 16.0, strides, passes=PASSES, refinement=Refinement(levels=2, quantile=0.0))
    assert_same(fine, full)
    assert not fine.interpolated.any()
    coarse = strided_map(grains, model, 16.0, strides, passes=PASSES, refinement=Refinement(levels=2, quantile=0.9))
    np.testing.assert_array_equal(coarse.status, full.status)
    saved = coarse.interpolated.sum() / full.classified.sum()
    wrong = (coarse.top_class[:, 0] != full.top_class[:, 0]).sum() / full.classified.sum()
    assert saved > 0.1
    assert wrong < 0.02
    assert isinstance(full.grid, BoxGrid)
