"""Snapshots of a boundary in motion: segments, energies, checks, learning, pictures."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ase.io
import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from numpy.typing import NDArray
from ovito.io import import_file
from pydantic import ValidationError

from gbscape.config.dynamics import Dynamics
from gbscape.config.features import Features
from gbscape.config.learn import BoostedTrees
from gbscape.config.model import Config, ConfigError, load
from gbscape.config.snapshots import SnapshotLearning, Snapshots
from gbscape.config.soap import Soap
from gbscape.config.survey import BoundaryAtoms, Potential, Relaxation
from gbscape.features.matrix import read_features
from gbscape.features.names import feature_names
from gbscape.features.representation import featurize
from gbscape.figures.snapshots import (
    plot_snapshot_energies,
    plot_snapshot_learning,
    snapshot_energies_data,
    snapshot_learning_data,
)
from gbscape.learn.splits import numbered_split
from gbscape.simulate.potentials import ReadyPotential, prepare_potential
from gbscape.simulate.slab import SlabMinimiser
from gbscape.snapshots.checks import summarise_run, time_series
from gbscape.snapshots.correlation import autocorrelation, standard_error, statistical_inefficiency
from gbscape.snapshots.energy import boundary_energy_j_m2
from gbscape.snapshots.gathered import export_trajectory, gather_segments, read_snapshots
from gbscape.snapshots.learn import learn_snapshots
from gbscape.snapshots.trajectory import START, equilibrate, rigid_layers, run_segment, slab_dynamics, snapshot_id
from gbscape.store.provenance import Provenance, ProvenanceMismatch
from gbscape.store.records import atoms_from_record, atoms_to_record
from gbscape.store.shards import open_shard, write_shard
from gbscape.structure.bicrystal import build_bicrystal
from gbscape.structure.boundary_atoms import select_boundary_atoms
from gbscape.survey.feature_shard import feature_shard
from gbscape.survey.gather import gather_features

TWIN = SimpleNamespace(left=((2, 2, 2), (1, -1, 0), (1, 1, -2)), right=((2, 2, 2), (-1, 1, 0), (-1, -1, 2)))
QUICK = Dynamics(equilibration_ps=0.4, interval_ps=0.08, damping_ps=0.2)
SOAP = Soap(n_max=2, l_max=2, cutoff_angstrom=4.0)
PUBLISHED = Path(__file__).resolve().parents[2] / "resources/published/homer2019_snapshots.csv"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A survey of one relaxed twin boundary, and the potential."""
    folder = tmp_path_factory.mktemp("run")
    potential = prepare_potential(Potential(), "fcc", folder)
    potential.write(folder / "potential.json")
    slab = build_bicrystal(TWIN, "fcc", potential.lattice_constant_angstrom, "Ni", 20.0, min_period_angstrom=4.0)
    selection = select_boundary_atoms(slab, BoundaryAtoms(), "fcc")
    slab.set_array("boundary", selection.mask)
    slab.set_array("structure_type", selection.structure_type)
    layers = rigid_layers(slab, potential.cutoff_angstrom)
    y, z = slab.cell.lengths()[1:]
    with SlabMinimiser(potential, float(np.abs(slab.positions[:, 0]).max()) + 6, (y, z)) as minimiser:
        slab.positions = minimiser.minimise(slab.positions, layers, 1000, 1e-5).positions
    survey = {"twin": {"structure": atoms_to_record(slab), "energy_j_m2": 0.06}}
    write_shard(folder / "survey.h5", survey, Provenance.of({}, "code"), {"lost": "it failed"})
    _equilibrate(folder, folder / "start.h5")
    _segment(folder, "whole", 1, 6, folder / "start.h5")
    gather_segments([folder / "whole.h5"], folder / "snapshots.h5", 6)
    return folder


def _equilibrate(folder: Path, out: Path, boundary: str = "twin", min_length: float = 0.0) -> None:
    equilibrate(folder / "survey.h5", folder / "potential.json", out, boundary, min_length, QUICK, "code")


def _segment(folder: Path, name: str, first: int, last: int, before: Path, settings: Dynamics = QUICK) -> Path:
    state = folder / f"{name}_state.h5"
    start, potential = folder / "start.h5", folder / "potential.json"
    run_segment(start, before, potential, folder / f"{name}.h5", state, settings, first, last, "code")
    return state


def _records(path: Path) -> dict[str, dict[str, Any]]:
    with open_shard(path) as shard:
        return dict(shard)


def test_snapshots_do_not_depend_on_where_the_run_is_cut(folder: Path) -> None:
    before = folder / "start.h5"
    for name, first, last in (("a", 1, 1), ("b", 2, 4), ("c", 5, 6)):
        before = _segment(folder, name, first, last, before)
    gather_segments([folder / f"{name}.h5" for name in "abc"], folder / "cut.h5", 6)
    whole, cut = _records(folder / "snapshots.h5"), _records(folder / "cut.h5")
    assert list(whole) == list(cut) == [snapshot_id(number) for number in range(1, 7)]
    for item, record in whole.items():
        np.testing.assert_array_equal(record["structure"]["positions"], cut[item]["structure"]["positions"])
        assert record["energy_j_m2"] == cut[item]["energy_j_m2"]
        assert record["temperature_kelvin"] == cut[item]["temperature_kelvin"]
    energies = [record["energy_j_m2"] for record in whole.values()]
    assert len(set(energies)) == 6
    np.testing.assert_allclose([record["time_ps"] for record in whole.values()], QUICK.interval_ps * np.arange(1, 7))


def test_a_segment_refuses_to_go_on_from_another_run(folder: Path) -> None:
    state = _segment(folder, "other", 1, 1, folder / "start.h5", QUICK.model_copy(update={"damping_ps": 0.1}))
    with pytest.raises(ProvenanceMismatch, match=r"settings\.damping_ps: 0\.1 against 0\.2"):
        _segment(folder, "after_other", 2, 2, state)


def test_energy_of_a_snapshot_is_that_of_its_boundary_atoms(folder: Path) -> None:
    """Summed anew from the positions that are stored, in an instance of LAMMPS that does no dynamics."""
    potential = ReadyPotential.read(folder / "potential.json")
    slab = atoms_from_record(_records(folder / "start.h5")[START]["structure"])
    boundary, area = slab.arrays["boundary"], slab.cell.lengths()[1:].prod()
    dynamics = slab_dynamics(slab, potential, QUICK.timestep_fs)
    with SlabMinimiser(potential, dynamics.half_length_angstrom, dynamics.periods_angstrom) as minimiser:
        for snapshot in read_snapshots(folder / "snapshots.h5"):
            np.testing.assert_array_equal(snapshot.atoms.arrays["boundary"], boundary)
            energies = minimiser.energies_ev(snapshot.atoms.positions, dynamics.layers)
            summed = 16.02176634 * (energies[boundary].sum() - boundary.sum() * potential.cohesive_energy_ev) / area
            # Positions are stored in single precision.
            assert snapshot.energy_j_m2 == pytest.approx(summed, abs=1e-5)
            np.testing.assert_allclose(snapshot.atoms.arrays["energy_ev"], energies, atol=1e-5)


def test_the_perfect_crystal_has_no_energy() -> None:
    energies = np.array([-4.45, -4.45, -4.0])
    assert boundary_energy_j_m2(energies, np.array([True, True, False]), -4.45, 10.0) == 0
    assert boundary_energy_j_m2(energies, np.array([False, True, True]), -4.45, 10.0) == pytest.approx(
        0.45 * 1.602176634
    )


def test_boundaries_that_are_not_there_and_slabs_too_thin_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no boundary 'triplet': it has 1 others"):
        _equilibrate(folder, tmp_path / "start.h5", boundary="triplet")
    with pytest.raises(ValueError, match=r"no boundary 'lost': it failed"):
        _equilibrate(folder, tmp_path / "start.h5", boundary="lost")
    slab = atoms_from_record(_records(folder / "survey.h5")["twin"]["structure"])
    with pytest.raises(ValueError, match="too thin: its ends of 18"):
        rigid_layers(slab, 9.0)


def test_the_slab_is_repeated_to_the_length_asked_for(folder: Path, tmp_path: Path) -> None:
    _equilibrate(folder, tmp_path / "start.h5", min_length=7.0)
    small, large = (_records(path)[START] for path in (folder / "start.h5", tmp_path / "start.h5"))
    before, after = (np.diag(record["structure"]["cell"])[1:] for record in (small, large))
    assert (before < 7).all()
    assert (after >= 7).all()
    copies = round(after.prod() / before.prod())
    assert large["structure"]["arrays"]["boundary"].sum() == copies * small["structure"]["arrays"]["boundary"].sum()
    assert large["energy_j_m2"] == pytest.approx(small["energy_j_m2"], abs=1e-9)


def test_ovito_and_ase_open_the_trajectory(folder: Path) -> None:
    export_trajectory(folder / "snapshots.h5", folder / "trajectory.xyz")
    frames = ase.io.read(folder / "trajectory.xyz", index=":")
    assert isinstance(frames, list)
    for frame, snapshot in zip(frames, read_snapshots(folder / "snapshots.h5"), strict=True):
        assert isinstance(frame, Atoms)
        assert frame.info["id"] == snapshot.id
        assert frame.info["energy_j_m2"] == pytest.approx(snapshot.energy_j_m2)
        np.testing.assert_allclose(frame.positions, snapshot.atoms.positions, atol=1e-6)
        np.testing.assert_array_equal(frame.arrays["boundary"], snapshot.atoms.arrays["boundary"])
    pipeline = import_file(str(folder / "trajectory.xyz"))
    assert pipeline.source.num_frames == 6
    assert pipeline.compute(5).particles.count == len(frames[0])


def test_snapshots_are_read_in_the_order_asked_for(folder: Path) -> None:
    assert [s.id for s in read_snapshots(folder / "snapshots.h5", ["snapshot_0004", "snapshot_0002"])] == [
        "snapshot_0004",
        "snapshot_0002",
    ]
    with pytest.raises(KeyError, match="snapshot_0007"):
        list(read_snapshots(folder / "snapshots.h5", ["snapshot_0007"]))


def test_a_run_is_checked(folder: Path) -> None:
    files = folder / "snapshots.h5", folder / "start.h5", folder / "potential.json"
    relaxation = Relaxation(force_tolerance_ev_angstrom=1e-4)
    series = time_series(*files, relaxation, quenched=2)
    assert series["quenched_energy_j_m2"].notna().to_numpy().nonzero()[0].tolist() == [2, 5]
    checks = summarise_run(series, folder / "start.h5", 100.0).set_index("quantity")
    assert checks.at["energy_mean", "value"] == pytest.approx(series["energy_j_m2"].mean())
    # The twin is still the twin.
    assert checks.at["quenched_energy_difference", "value"] < 1e-5
    assert checks.at["quenched_shift", "value"] < 0.05
    # One snapshot of 100 atoms scatters by a tenth.
    assert checks.at["thermal_energy_per_atom", "value"] == pytest.approx(12.9, rel=0.4)
    assert checks.at["temperature", "value"] == pytest.approx(100, rel=0.4)
    with pytest.raises(ValueError, match="three snapshots or more"):
        summarise_run(series[:2], folder / "start.h5", 100.0)


def test_another_structure_shows_in_the_checks(folder: Path) -> None:
    """An atom that has left the boundary for the surface is no vibration."""
    spoiled = _records(folder / "snapshots.h5")
    positions = spoiled["snapshot_0006"]["structure"]["positions"]
    boundary = np.flatnonzero(spoiled["snapshot_0006"]["structure"]["arrays"]["boundary"])
    positions[boundary[len(boundary) // 2], 0] = positions[:, 0].max() + 2.0
    write_shard(folder / "spoiled.h5", spoiled, Provenance.of({}, "code"), {})
    series = time_series(
        folder / "spoiled.h5", folder / "start.h5", folder / "potential.json", Relaxation(), quenched=1
    )
    checks = summarise_run(series, folder / "start.h5", 100.0).set_index("quantity")
    assert checks.at["quenched_energy_difference", "value"] > 0.1


def _autoregressive(correlation: float, n: int) -> NDArray[np.float64]:
    """A Gaussian series whose autocorrelation at lag k is correlation^k."""
    random = np.random.default_rng(0)
    values = [random.normal()]
    for step in random.normal(size=n - 1):
        values.append(correlation * values[-1] + np.sqrt(1 - correlation**2) * step)
    return np.array(values)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.8])
def test_correlation_and_what_it_does_to_the_error(correlation: float) -> None:
    series = _autoregressive(correlation, 100_000)
    np.testing.assert_allclose(autocorrelation(series)[:4], correlation ** np.arange(4), atol=0.02)
    inefficiency = (1 + correlation) / (1 - correlation)
    assert statistical_inefficiency(series) == pytest.approx(inefficiency, rel=0.1)
    assert standard_error(series) == pytest.approx(np.sqrt(inefficiency / len(series)), rel=0.1)


def test_autocorrelation_is_the_plain_sum() -> None:
    series = np.random.default_rng(1).normal(size=50).cumsum()
    deviations = series - series.mean()
    plain = [(deviations[: 50 - lag] * deviations[lag:]).sum() for lag in range(50)]
    np.testing.assert_allclose(autocorrelation(series), np.array(plain) / plain[0], atol=1e-12)
    with pytest.raises(ValueError, match="constant"):
        autocorrelation(np.full(10, 1.2))
    assert standard_error(np.full(10, 1.2)) == 0


def test_a_drift_is_found(folder: Path) -> None:
    time = np.arange(1.0, 401.0)
    noise = 0.01 * np.random.default_rng(2).normal(size=400)
    columns = {"quenched_energy_j_m2": 0.06, "quenched_shift_angstrom": 0.0, "temperature_kelvin": 100 + noise}
    for slope in (0.0, 0.3):
        series = pd.DataFrame({"time_ps": time, "energy_j_m2": 0.2 + slope * time / 1000 + noise} | columns)
        checks = summarise_run(series, folder / "start.h5", 100.0).set_index("quantity")
        drift, error = checks.at["energy_drift", "value"], checks.at["energy_drift", "standard_error"]
        assert drift == pytest.approx(slope, abs=4 * error)
        assert error < 0.01


def test_feature_rules_work_on_snapshots(folder: Path) -> None:
    shards = [folder / f"soap_{number}.h5" for number in range(2)]
    for number, shard in enumerate(shards):
        feature_shard(folder / "snapshots.h5", shard, SOAP, number, 2, "code")
    gather_features(folder / "snapshots.h5", shards, folder / "soap.h5")
    features = read_features(folder / "soap.h5")
    assert features.ids == [snapshot_id(number) for number in range(1, 7)]
    for vector, snapshot in zip(features.values, read_snapshots(folder / "snapshots.h5"), strict=True):
        np.testing.assert_array_equal(vector, featurize(snapshot.atoms, snapshot.atoms.arrays["boundary"], SOAP))
    assert np.ptp(features.values, axis=0).max() > 0


def _learnable(folder: Path, signal: float) -> tuple[Path, Path, NDArray[np.float64]]:
    """Files of 60 snapshots whose energies are linear in their features, with the share `signal`, and noise."""
    random = np.random.default_rng(3)
    vectors = random.normal(size=(60, len(feature_names(SOAP))))
    energies = 1.4 + 0.01 * (signal * vectors[:, 0] + (1 - signal) * random.normal(size=60))
    ids = [snapshot_id(number) for number in range(1, 61)]
    features, snapshots = folder / "features.h5", folder / "energies.h5"
    made = Provenance.of(SOAP.model_dump(mode="json"), "code")
    write_shard(features, {i: {"vector": v} for i, v in zip(ids, vectors, strict=True)}, made, {})
    write_shard(snapshots, {i: {"energy_j_m2": e} for i, e in zip(ids, energies, strict=True)}, made, {})
    return features, snapshots, energies


@pytest.mark.parametrize("model", ["ridge", "boosted_trees"])
def test_energies_are_learned_and_compared_with_their_mean(model: Any, tmp_path: Path) -> None:
    features, snapshots, energies = _learnable(tmp_path, signal=1.0)
    settings = SnapshotLearning(n_train=40, n_splits=3)
    learned = learn_snapshots(features, snapshots, "soap", model, settings, BoostedTrees(folds=3), seed=5)
    scores, predictions = learned.scores, learned.predictions
    assert scores[["n_train", "n_test"]].to_numpy().tolist() == [[40, 20]] * 3
    assert (scores["mae_j_m2"] < (0.5 if model == "ridge" else 0.9) * scores["baseline_mae_j_m2"]).all()
    for number, of_split in predictions.groupby("split"):
        split = numbered_split(energies, "regression", 20 / 60, 5, int(str(number)))
        assert of_split["id"].tolist() == [snapshot_id(row + 1) for row in split.test]
        np.testing.assert_array_equal(of_split["y_true"], energies[split.test])
        row = scores.loc[number]
        error = np.abs(of_split["y_pred"] - of_split["y_true"]).mean()
        assert row["mae_j_m2"] == pytest.approx(error)
        baseline = np.abs(energies[split.test] - energies[split.train].mean()).mean()
        assert row["baseline_mae_j_m2"] == pytest.approx(baseline)


@pytest.mark.parametrize(
    ("sizes", "why"),
    [
        ((1.0, 1e-3, 1e-3), "standardised, the noise of many features would weigh as much as the signal"),
        ((1e-6, 1e3, 0.0), "as they are, features of large numbers would drown the signal"),
    ],
)
def test_ridge_takes_the_scaling_that_predicts_better(sizes: tuple[float, ...], why: str, tmp_path: Path) -> None:
    """Four features decide the energy; 20 others and 123 further ones do not."""
    soap = Soap(n_max=6, l_max=6, cutoff_angstrom=4.0)
    random = np.random.default_rng(6)
    standard = random.normal(size=(60, len(feature_names(soap))))
    energies = 1.4 + 0.01 * standard[:, :4].sum(axis=1)
    vectors = standard * np.repeat(sizes, [4, 20, standard.shape[1] - 24])
    ids = [snapshot_id(number) for number in range(1, 61)]
    made = Provenance.of(soap.model_dump(mode="json"), "code")
    files = tmp_path / "features.h5", tmp_path / "energies.h5"
    write_shard(files[0], {i: {"vector": v} for i, v in zip(ids, vectors, strict=True)}, made, {})
    write_shard(files[1], {i: {"energy_j_m2": e} for i, e in zip(ids, energies, strict=True)}, made, {})
    settings = SnapshotLearning(n_train=40, n_splits=2)
    scores = learn_snapshots(*files, "soap", "ridge", settings, BoostedTrees(), seed=0).scores
    assert (scores["mae_j_m2"] < 0.01 * scores["baseline_mae_j_m2"]).all(), why


@pytest.mark.parametrize("model", ["ridge", "boosted_trees"])
def test_nothing_is_learned_from_noise(model: Any, tmp_path: Path) -> None:
    """Test rows that leaked into the training would look like skill."""
    features, snapshots, _ = _learnable(tmp_path, signal=0.0)
    settings = SnapshotLearning(n_train=40, n_splits=3)
    scores = learn_snapshots(features, snapshots, "soap", model, settings, BoostedTrees(folds=3), seed=5).scores
    assert scores["mae_j_m2"].mean() > 0.9 * scores["baseline_mae_j_m2"].mean()


def test_features_of_other_snapshots_are_refused(folder: Path, tmp_path: Path) -> None:
    features, _, _ = _learnable(tmp_path, signal=1.0)
    with pytest.raises(ValueError, match="not about the same snapshots"):
        learn_snapshots(features, folder / "snapshots.h5", "soap", "ridge", SnapshotLearning(), BoostedTrees(), 0)


def _tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    random = np.random.default_rng(4)
    scores, predictions = [], []
    for name in ("st", "soap"):
        for model in ("ridge", "boosted_trees"):
            for split in range(2):
                row = {"representation": name, "model": model, "split": split, "n_train": 250, "n_test": 750}
                scores.append(row | {"mae_j_m2": 0.002 + 0.001 * split, "r2": 0.5, "baseline_mae_j_m2": 0.01})
                for number in range(30):
                    true = 1.4 + 0.01 * number / 30
                    item = {"id": snapshot_id(number), "y_true": true, "y_pred": true + 0.002 * random.normal()}
                    predictions.append({"representation": name, "model": model, "split": split} | item)
    return pd.DataFrame(scores), pd.DataFrame(predictions)


def test_learning_is_summarised_beside_what_was_published(tmp_path: Path) -> None:
    scores, predictions = _tables()
    published = pd.read_csv(PUBLISHED, comment="#")
    boundary = "S5_3.1.0_3.1.0_7cac86de"
    data = snapshot_learning_data(scores, predictions, published, boundary, 100.0)
    assert data.groupby(["representation", "model"]).size().tolist() == [30] * 4
    assert data["mae_mean_j_m2"].unique() == pytest.approx([0.0025])
    assert data.groupby("representation")["published_mae_j_m2"].unique().to_dict() == {"soap": [0.0015], "st": [0.002]}
    of_one = predictions[(predictions["representation"] == "st") & (predictions["model"] == "ridge")]
    mean = of_one[of_one["id"] == snapshot_id(7)]["y_pred"].mean()
    row = data[(data["representation"] == "st") & (data["model"] == "ridge") & (data["id"] == snapshot_id(7))]
    assert row["y_pred_mean"].item() == pytest.approx(mean)
    # What was published is for that boundary, that temperature and those numbers alone.
    for other in (("another", 100.0), (boundary, 300.0)):
        assert snapshot_learning_data(scores, predictions, published, *other)["published_mae_j_m2"].isna().all()
    fewer = scores.assign(n_train=200)
    assert snapshot_learning_data(fewer, predictions, published, boundary, 100.0)["published_mae_j_m2"].isna().all()
    assert snapshot_learning_data(scores, predictions, None, boundary, 100.0)["published_mae_j_m2"].isna().all()
    plot_snapshot_learning(data, tmp_path / "learning.svg")
    text = (tmp_path / "learning.svg").read_text()
    assert "</svg>" in text
    with pytest.raises(ValueError, match="lacks the columns"):
        snapshot_learning_data(scores.drop(columns="r2"), predictions, published, boundary, 100.0)


def test_energies_are_drawn(folder: Path, tmp_path: Path) -> None:
    files = folder / "snapshots.h5", folder / "start.h5", folder / "potential.json"
    series = time_series(*files, Relaxation(), quenched=2)
    checks = summarise_run(series, folder / "start.h5", 100.0)
    data = snapshot_energies_data(series, checks)
    relaxed = checks.set_index("quantity").at["relaxed_energy", "value"]
    np.testing.assert_allclose(
        data["quenched_difference_j_m2"].dropna(), series["quenched_energy_j_m2"].dropna() - relaxed
    )
    assert data["lag_ps"].iloc[0] == 0
    assert data["autocorrelation"].iloc[0] == 1
    plot_snapshot_energies(data, tmp_path / "energies.svg")
    assert "</svg>" in (tmp_path / "energies.svg").read_text()
    with pytest.raises(ValueError, match="it needs one"):
        snapshot_energies_data(series, checks[checks["quantity"] != "relaxed_energy"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dynamics": {"timestep_fs": 3.0}}, "interval_ps = 10 must be a whole number"),
        ({"dynamics": {"equilibration_ps": 0.001}}, "equilibration_ps = 0.001 must be a whole number"),
        ({"dynamics": {"interval_ps": 1e-9}}, "interval_ps"),
        ({"dynamics": {"temperature_kelvin": 0}}, "greater than 0"),
        ({"n_snapshots": 5, "learning": {"representations": []}}, "quenched = 10 is more than there are snapshots"),
        ({"n_snapshots": 251}, "leaves fewer than two to test on"),
        ({"learning": {"models": ["ridge", "ridge"]}}, "each name may be given once"),
        ({"learning": {"models": ["oracle"]}}, "boosted_trees"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Snapshots.model_validate({"boundary": "twin"} | settings)


def test_snapshots_fit_the_rest_of_the_configuration() -> None:
    assert Config().snapshots.boundary is None
    with pytest.raises(ConfigError, match=r"snapshots\.learning\.representations: ler is not one of"):
        load(
            {"snapshots": {"boundary": "twin", "learning": {"representations": ["soap", "ler"]}}}, PUBLISHED.parents[2]
        )
    with pytest.raises(ConfigError, match=r"snapshots\.boundary = 'twin' is not one of survey\.enumeration\.ids"):
        load(
            {"snapshots": {"boundary": "twin"}, "survey": {"enumeration": {"ids": ["b"]}}, "learn": {"targets": []}},
            PUBLISHED.parents[2],
        )
    ler = {"ler": {"kind": "local_environments"}, "soap+ler": {"kind": "concatenate", "of": ["soap", "ler"]}}
    for name in ler:
        with pytest.raises(ConfigError, match=r"environments of a whole survey"):
            load(
                {
                    "snapshots": {"boundary": "twin", "learning": {"representations": [name]}},
                    "features": {"representations": {"soap": {"kind": "soap"}} | ler},
                },
                PUBLISHED.parents[2],
            )
    assert set(Snapshots().learning.representations) <= Features().representations.keys()
