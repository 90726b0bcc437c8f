"""Rows of training and test: what they are of, and that they do not depend on how the work is cut."""

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk
from scipy.spatial import cKDTree

from gbscape.config.crystal import Augmentation, Background
from gbscape.config.crystal_descriptor import CrystalDescriptor, DefectGrid, TrainingGrid
from gbscape.crystal import training_set
from gbscape.crystal.descriptor import Described, describe_one
from gbscape.crystal.prototypes import load_prototypes
from gbscape.crystal.supercells import defect_hosts, pristine_specimens
from gbscape.crystal.training_set import (
    Rows,
    augmentation_features,
    augmentation_levels,
    background_features,
    boxes_of,
    defective_features,
    defective_structure,
    gas_boxes,
    pristine_features,
    read_rows,
)
from gbscape.store.provenance import Provenance
from gbscape.store.shards import ShardError, compute_shard, gather_shards

SMALL = CrystalDescriptor(n_max=4, l_max=3)
GRID = TrainingGrid(cutoffs_nn=(3.0, 4.0), sigmas_nn=(0.1,), extrinsic_scalings=(0.95, 1.0))
DEFECTS = DefectGrid(displacements=(0.01, 0.1), missing=(0.1, 0.3), repeats=2, seed=5)


@pytest.fixture(scope="module")
def nanotube(request):
    path = request.config.rootpath / "resources/prototypes/nanotubes.yaml"
    return next(iter(load_prototypes(path).values()))


def test_pristine_rows_are_the_vectors_of_the_specimens(elemental):
    record = pristine_features(elemental["bcc"], SMALL, GRID)
    specimens = pristine_specimens(elemental["bcc"])
    assert record["features"].shape == (4 * 4, SMALL.n_features)
    assert record["features"].dtype == np.float32
    for i, row in enumerate(record["features"]):
        settings = SMALL.model_copy(
            update={name: float(record[name][i]) for name in ("cutoff_nn", "sigma_nn", "extrinsic_scaling")}
        )
        specimen = specimens[record["specimen"][i]]
        assert record["replicas"][i] == specimen.replicas
        assert record["periodic"][i] == specimen.periodic
        assert record["n_atoms"][i] == len(specimen.atoms)
        np.testing.assert_allclose(row, describe_one(specimen.atoms, settings), rtol=1e-6, atol=1e-7)
    kinds = {tuple(record[name][i] for name in ("specimen", "cutoff_nn", "extrinsic_scaling")) for i in range(16)}
    assert len(kinds) == 16


def test_the_published_number_of_rows(elemental, nanotube):
    """396 structures under 99 settings (thesis, section 4.3.3.2): 4 of a crystal, 1 of a nanotube."""
    assert len(TrainingGrid().settings(CrystalDescriptor())) == 99
    for prototype, n in ((elemental["fcc"], 4), (nanotube, 1)):
        assert len(pristine_features(prototype, SMALL, GRID)["features"]) == n * 4
    levels = DefectGrid().levels()
    assert (96 * 4 + 12) * 99 == 39_204
    assert (96 * 6 + 12) * DefectGrid().repeats * len(levels) == 141_120


def test_defective_rows_are_the_vectors_of_the_structures(elemental):
    record = defective_features(elemental["sc"], DEFECTS, SMALL)
    hosts = defect_hosts(elemental["sc"])
    assert len(record["features"]) == 6 * len(hosts) * 2
    assert list(dict.fromkeys(zip(record["displacement"], record["missing"], strict=True))) == list(DEFECTS.levels())
    for i in (0, 7, 30, 71):
        number = int(record["specimen"][i])
        atoms = defective_structure(
            hosts[number], number, record["displacement"][i], record["missing"][i], int(record["repeat"][i]), 5
        )
        assert len(atoms) == len(hosts[number].atoms) - int(record["missing"][i] * len(hosts[number].atoms) + 1e-9)
        np.testing.assert_allclose(record["features"][i], describe_one(atoms, SMALL), rtol=1e-6, atol=1e-7)
    assert len(np.unique(record["features"], axis=0)) == len(record["features"])


def test_a_realisation_does_not_depend_on_the_others(elemental):
    """Fewer levels, repeats or classes leave it as it is; the seed, and training instead of test, do not."""
    record = defective_features(elemental["sc"], DEFECTS, SMALL)
    full = pd.DataFrame({name: values for name, values in record.items() if name != "features"})
    fewer = DefectGrid(displacements=(0.1,), missing=(0.3,), both=False, repeats=1, seed=5)
    part = defective_features(elemental["sc"], fewer, SMALL)
    for displacement, missing in fewer.levels():
        wanted = (full["displacement"] == displacement) & (full["missing"] == missing) & (full["repeat"] == 0)
        chosen = (part["displacement"] == displacement) & (part["missing"] == missing)
        np.testing.assert_array_equal(record["features"][wanted], part["features"][chosen])
    reseeded = defective_features(elemental["sc"], fewer.model_copy(update={"seed": 6}), SMALL)
    assert not (part["features"] == reseeded["features"]).all(axis=1).any()
    training = augmentation_features(elemental["sc"], Augmentation(displacements=(0.1,), missing=(0.3,), seed=5), SMALL)
    assert training is not None
    assert training["features"].shape == part["features"].shape
    assert not (part["features"] == training["features"]).all(axis=1).any()


def test_augmentation_levels():
    assert augmentation_levels(Augmentation(displacements=(0.1, 0.2), missing=(0.3,), both=((0.1, 0.4),))) == (
        (0.1, 0.0), (0.2, 0.0), (0.0, 0.3), (0.1, 0.4),
    )  # fmt: skip
    assert augmentation_levels(Augmentation()) == ()


def test_no_augmentation_no_rows(elemental):
    assert augmentation_features(elemental["sc"], Augmentation(), SMALL) is None


def test_shards_of_classes_gathered_are_read_as_rows(elemental, tmp_path):
    labels = ["fcc", "bcc", "sc"]
    provenance = Provenance.of({}, "code")

    def compute(label):
        return defective_features(elemental[label], DEFECTS, SMALL)

    for number, own in enumerate((["sc", "fcc"], ["bcc"])):
        assert not compute_shard(tmp_path / f"{number}.h5", own, compute, provenance)
    gather_shards([tmp_path / "0.h5", tmp_path / "1.h5"], tmp_path / "all.h5", labels)
    rows = read_rows(tmp_path / "all.h5")
    assert list(dict.fromkeys(rows.table["label"])) == labels
    assert rows.class_numbers(labels).tolist() == np.repeat([0, 1, 2], 72).tolist()
    np.testing.assert_array_equal(rows.features[72:144], compute("bcc")["features"])
    some = read_rows(tmp_path / "all.h5", ["sc"])
    np.testing.assert_array_equal(some.features, rows.features[144:])
    assert rows.table.columns.tolist() == [
        "label", "specimen", "replicas", "periodic", "n_atoms", "displacement", "missing", "repeat",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="rows are of sc, which is no class here"):
        rows.class_numbers(["fcc", "bcc"])
    with pytest.raises(ShardError, match="has no rows of hcp"):
        read_rows(tmp_path / "all.h5", ["hcp"])
    assert isinstance(rows, Rows)


def test_a_structure_that_cannot_be_described_is_named(elemental, monkeypatch):
    monkeypatch.setattr(
        training_set, "describe", lambda s, d, t: Described(np.zeros((len(s), d.n_features)), {3: "it is broken"})
    )
    with pytest.raises(
        ValueError, match=r"sc, 6 unit cells along each axis, periodic, displacement 0\.01, missing 0: it is"
    ):
        defective_features(elemental["sc"], DEFECTS, SMALL)


class TestGas:
    def test_it_is_as_dense_as_a_crystal(self):
        pieces = gas_boxes(3, 16.0, 2.5)
        density = len(bulk("Cu", cubic=True)) / 3.61**3 * (3.61 / np.sqrt(2)) ** 3 / 2.5**3
        np.testing.assert_allclose(np.diff(pieces.offsets) / 16.0**3, density, rtol=2e-3)
        assert ((pieces.positions >= 0) & (pieces.positions <= 16)).all()
        assert len(pieces.numbers) == len(pieces.positions) == pieces.offsets[-1]

    @pytest.mark.parametrize("closest", [0.0, 0.6, 0.7])
    def test_no_two_atoms_are_closer(self, closest):
        pieces = gas_boxes(2, 14.0, 2.5, closest, seed=3)
        for begin, end in zip(pieces.offsets[:-1], pieces.offsets[1:], strict=True):
            shortest = cKDTree(pieces.positions[begin:end]).query(pieces.positions[begin:end], k=2)[0][:, 1].min()
            assert shortest >= closest * 2.5
            assert closest > 0 or shortest < 0.5

    def test_it_fills_the_box_evenly(self):
        positions = gas_boxes(40, 16.0, 2.5, 0.6).positions
        counts = np.histogramdd(positions, bins=2)[0].ravel()
        # repulsion makes counts more even than those of an ideal gas
        assert abs(counts / counts.mean() - 1).max() < 5 / np.sqrt(counts.mean())

    def test_seeds(self):
        one, two = gas_boxes(2, seed=1), gas_boxes(3, seed=1)
        np.testing.assert_array_equal(one.positions, two.positions[: len(one.positions)])
        assert not (gas_boxes(2, seed=2).positions == one.positions).any()

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [((0,), "must be positive"), ((1, 16.0, -1.0), "must be positive"), ((1, 16.0, 2.5, 0.9), "from 0 to 0.7"),
         ((1, 2.0), "take a larger one")],
    )  # fmt: skip
    def test_what_is_refused(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            gas_boxes(*arguments)


class TestBoxesOfSamples:
    def test_they_hold_the_atoms_of_the_infinite_sample(self):
        random = np.random.default_rng(0)
        sample = Atoms("Cu500", positions=random.uniform(0, 20, (500, 3)), cell=[20, 20, 20], pbc=True)
        pieces = boxes_of([sample, sample], 30, 12.0, seed=1)
        sizes = np.diff(pieces.offsets)
        assert sizes.mean() == pytest.approx(500 * (12 / 20) ** 3, rel=0.1)
        tree = cKDTree(sample.positions % 20, boxsize=20)
        for begin, end in zip(pieces.offsets[:2], pieces.offsets[1:3], strict=True):
            own = pieces.positions[begin:end]
            assert ((own >= 0) & (own < 12)).all()
            # the same distances as in the sample, across its faces: some shift puts all atoms on atoms of the sample
            shifts = sample.positions - own[0]
            assert min(tree.query((own + shift) % 20)[0].max() for shift in shifts) < 1e-9
            assert min(tree.query((own + shift) % 20)[0].max() for shift in shifts[:20] + 0.5) > 0.1

    def test_what_is_refused(self):
        sample = Atoms("Cu", positions=[[0, 0, 0]], cell=[20, 20, 20], pbc=True)
        with pytest.raises(ValueError, match="larger samples"):
            boxes_of([sample], 1, 20.0)
        sample.pbc = False
        with pytest.raises(ValueError, match="periodic"):
            boxes_of([sample], 1, 10.0)
        with pytest.raises(ValueError, match="no samples"):
            boxes_of([], 1)


def test_the_background_is_gases_of_each_kind():
    settings = Background(closest=(0.0, 0.6), edges_nn=(4.0, 5.0), boxes=3)
    found = background_features(settings, SMALL)
    assert [vectors.shape for vectors in found] == [(3, SMALL.n_features)] * 4
    for one, two in zip(found, background_features(settings, SMALL), strict=True):
        np.testing.assert_array_equal(one, two)
    box = gas_boxes(3, 5.0, 1.0, 0.6, settings.seed)
    atoms = box.positions[: box.offsets[1]]
    np.testing.assert_allclose(found[3][0], describe_one(atoms, SMALL), rtol=1e-5, atol=1e-6)
