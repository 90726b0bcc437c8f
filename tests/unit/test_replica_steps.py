"""From vectors to predictions: points, energies, errors, summary, tables of figures; on made-up atoms whose energies are linear
in their vectors."""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import ase.io
import numpy as np
import pandas as pd
import pytest
from ovito.io import import_file

from gbscape.config.dft import DftSettings
from gbscape.config.replica import Evaluation, ReplicaCells, ReplicaModel, ScatteringVectors, Selection, SoapVectors
from gbscape.config.survey import Potential
from gbscape.energies.atomic_energy import AtomicEnergy
from gbscape.figures import replica_components, replica_errors, replica_slice
from gbscape.figures.replica_dft import write_dft_table
from gbscape.figures.replica_scorecard import replica_scorecard_data, write_replica_scorecard
from gbscape.replica import compute_energies as energies
from gbscape.replica import figure_data
from gbscape.replica.atom_types import classify_atoms
from gbscape.replica.cells import atom_of, atoms_of_shard, cut_cells, read_cells
from gbscape.replica.describe import describe_model
from gbscape.replica.evaluate import evaluate_alternative, evaluate_strategies, unseen, with_rounds
from gbscape.replica.exact import exact_energies
from gbscape.replica.model import build_model, model_atoms, relax_model
from gbscape.replica.points import atoms_of_batch, points_of
from gbscape.replica.predict import export_predictions, predict_energies, summarise_predictions
from gbscape.replica.published import published_numbers
from gbscape.replica.select_points import (
    draw_test_atoms,
    select_for_dft,
    select_optimal,
    select_round,
    tabulate_points,
)
from gbscape.replica.tables import DESCRIPTION_COLUMNS, REFERENCE, TEST
from gbscape.selection.row_forms import BLOCK_ROWS
from gbscape.simulate.potentials import prepare_potential
from gbscape.store.arrays import arrays_shape, read_arrays, write_arrays
from gbscape.store.failures import tabulate_failures
from gbscape.store.provenance import Provenance
from gbscape.store.shards import ShardError, open_shard

SELECTION = Selection(n_points=50, n_initial=20, strategies=("uncertainty", "random_1", "random_2"))
EVALUATION = Evaluation(seeds=2, atoms_each=4, sizes=(25, 50))
CELLS = ReplicaCells(edge_angstrom=8.0, reference_atoms=3)


class Run(NamedTuple):
    """Files of a small run, up to the points."""

    folder: Path

    def __call__(self, name: str) -> Path:
        return self.folder / name


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = Run(tmp_path_factory.mktemp("run"))
    potential = prepare_potential(Potential(name="Fe_mm.eam.fs", species="Fe"), "bcc", run.folder)
    potential.write(run("potential.json"))
    settings = ReplicaModel(n_atoms=4000, n_grains=2, anneal=None, max_steps=60)
    build_model(run("potential.json"), run("built.h5"), settings, "code")
    relax_model(run("built.h5"), run("potential.json"), run("model.h5"), settings, "code")
    describe_model(run("model.h5"), run("vectors.h5"), SoapVectors(n_components=20), "code")
    classify_atoms(run("model.h5"), run("types.h5"), "bcc", "code")
    select_optimal(run("vectors.h5"), run("uncertainty.csv"), SELECTION, 1e-5, "uncertainty")
    tabulate_points(
        run("model.h5"), run("types.h5"), {"uncertainty": run("uncertainty.csv")}, run("points.csv"), SELECTION, EVALUATION,
        "bcc", CELLS.reference_atoms, seed=7,
    )  # fmt: skip
    zero = {"energy_ev": potential.cohesive_energy_ev}
    run("reference.json").write_text(json.dumps(zero))
    return run


def test_points_of_every_strategy(run: Run) -> None:
    points = pd.read_csv(run("points.csv"))
    types = read_arrays(run("types.h5"))
    bcc = types["structure_type"] == 3
    assert set(points["strategy"]) == {*SELECTION.strategies, TEST, REFERENCE}
    for seed in range(2):
        one, two = (points_of(points, name, seed) for name in ("random_1", "random_2"))
        assert len(set(one.tolist())) == len(set(two.tolist())) == 50
        assert bcc[one].sum() == 0
        assert bcc[two].sum() == 10
        assert np.array_equal(points_of(points, "uncertainty", seed), points_of(points, "uncertainty", 0))
        numbers = types["coordination"][points_of(points, TEST, seed)]
        assert ((numbers >= 11) & (numbers <= 18)).all()
        assert np.bincount(numbers).max() == 4
    assert not np.array_equal(points_of(points, "random_1", 0), points_of(points, "random_1", 1))
    assert len(set(points_of(points, "uncertainty", 0).tolist())) == 50


def test_reference_atoms_are_deep_inside_grains(run: Run) -> None:
    deepest = points_of(pd.read_csv(run("points.csv")), REFERENCE, 0)
    exact = exact_energies(run("model.h5"), run("potential.json"), run("points.csv"))
    assert len(deepest) == 3
    assert np.abs(exact[deepest]).max() < 0.1 * exact.std()
    # Of both grains, and far from each other.
    model = read_arrays(run("model.h5"))
    assert set(model["grain"][deepest]) == {0, 1}
    offset = model["positions"][deepest][:, None] - model["positions"][deepest]
    offset -= model["edges"] * np.rint(offset / model["edges"])
    assert np.linalg.norm(offset, axis=2)[~np.eye(3, dtype=bool)].min() > 8


def test_exact_energies_have_the_zero_of_the_computed_ones(computed: Run) -> None:
    arguments = (computed("model.h5"), computed("potential.json"))
    reference = points_of(pd.read_csv(computed("points.csv")), REFERENCE, 0)
    exact = exact_energies(*arguments, computed("points.csv"))
    assert exact[reference].mean() == pytest.approx(0, abs=1e-12)
    assert pd.read_csv(computed("energies.csv")).set_index("atom")["energy_ev"][reference].mean() == pytest.approx(
        0, abs=1e-12
    )
    pd.DataFrame(columns=["strategy", "seed", "order", "atom"]).to_csv(computed("none.csv"), index=False)
    crystal = exact_energies(*arguments, computed("none.csv"))
    assert crystal == pytest.approx(read_arrays(computed("model.h5"))["energies_ev"] + 4.1224, abs=1e-4)


def test_without_the_reference_atoms_there_is_no_zero(computed: Run) -> None:
    table = pd.read_csv(computed("batch.csv"))
    reference = points_of(pd.read_csv(computed("points.csv")), REFERENCE, 0)
    table[~table["atom"].isin(reference)].to_csv(computed("lacking.csv"), index=False)
    with pytest.raises(ValueError, match=r"none of the reference atoms .* has an energy"):
        energies.tabulate_energies([computed("lacking.csv")], computed("points.csv"), None, computed("out.csv"))
    assert not computed("out.csv").exists()


def test_atoms_of_a_test_set_that_are_not_there(run: Run) -> None:
    with pytest.raises(ValueError, match="no atom of the model has a coordination number from 30 to 31"):
        draw_test_atoms(
            read_arrays(run("types.h5"))["coordination"], Evaluation(coordinations=(30, 31)), np.random.default_rng(0)
        )


def test_a_batch_has_every_atom_once_and_none_of_those_before(run: Run) -> None:
    atoms = atoms_of_batch(run("points.csv"), [])
    assert atoms.tolist() == sorted(set(pd.read_csv(run("points.csv"))["atom"]))
    pd.DataFrame({"atom": [atoms[3], 3999, atoms[0], 3999, 2]}).to_csv(run("later.csv"), index=False)
    pd.DataFrame({"atom": [2]}).to_csv(run("earlier.csv"), index=False)
    assert atoms_of_batch(run("later.csv"), [run("points.csv"), run("earlier.csv")]).tolist() == [3999]


@pytest.fixture(scope="module")
def computed(run: Run) -> Run:
    """Energies by the potential itself."""
    for shard in range(2):
        cut_cells(
            run("model.h5"), atoms_of_batch(run("points.csv"), [])[shard::2], run(f"cells_{shard}.xyz"), CELLS, "code"
        )
        energies.compute_energies(
            run(f"cells_{shard}.xyz"), run("model.h5"), run("potential.json"), run(f"shard_{shard}.h5"), "eam",
            DftSettings(), CELLS, "code", run("scratch"),
        )  # fmt: skip
    shards = [run(f"shard_{shard}.h5") for shard in range(2)]
    energies.gather_energies(
        shards, atoms_of_batch(run("points.csv"), []), run("energies.h5"), run("batch.csv"), "stop"
    )
    energies.tabulate_energies([run("batch.csv")], run("points.csv"), run("reference.json"), run("energies.csv"))
    exact = exact_energies(run("model.h5"), run("potential.json"), run("points.csv"))
    arguments = (run("vectors.h5"), run("points.csv"), run("energies.csv"))
    evaluate_strategies(*arguments, [], run("errors.csv"), run("predictions.csv"), EVALUATION.sizes, 1e-5, 30, exact)
    predict_energies(*arguments, run("predicted.h5"), "uncertainty", 1e-5, "code", exact)
    return run


def test_cells_are_files_that_say_where_they_are_from(computed: Run) -> None:
    cells = list(read_cells(computed("cells_0.xyz")))
    assert [atom_of(cell) for cell in cells] == atoms_of_batch(computed("points.csv"), [])[::2].tolist()
    for cell in cells:
        made = cell.info["provenance"]
        assert made["settings"] == CELLS.model_dump(mode="json")
        assert made["inputs"] == Provenance.of({}, "code", {"model": computed("model.h5")}).inputs
    assert cells[0].cell.lengths() == pytest.approx([8.0] * 3)


def test_a_shard_without_atoms_is_a_shard(computed: Run) -> None:
    cut_cells(computed("model.h5"), [], computed("none.xyz"), CELLS, "code")
    assert list(read_cells(computed("none.xyz"))) == []
    energies.compute_energies(
        computed("none.xyz"), computed("model.h5"), computed("potential.json"), computed("none.h5"), "eam",
        DftSettings(), CELLS, "code", computed("scratch"),
    )  # fmt: skip
    with open_shard(computed("none.h5")) as shard:
        assert shard.ids == []


def test_atoms_by_dft_stand_beside_the_potentials(computed: Run) -> None:
    select_for_dft(computed("points.csv"), computed("by_dft.csv"), "uncertainty", 2)
    atoms = pd.read_csv(computed("by_dft.csv"))["atom"]
    points = pd.read_csv(computed("points.csv"))
    assert atoms.tolist() == [*points_of(points, "uncertainty", 0)[:2], points_of(points, REFERENCE, 0)[0]]
    # As GPAW would leave it, the second atom having failed.
    kept = atoms[[0, 2]].to_numpy()
    columns = {
        "energy_ev": [-8.0, -8.3],
        "n_atoms": 30,
        "magnetic_moment_bohr": 2.2,
        "charge_e": 0.0,
        "volume_angstrom3": 11.8,
    }
    pd.DataFrame({"atom": kept} | columns).to_csv(computed("dft.csv"), index=False)
    figure_data.tabulate_computed(
        computed("model.h5"), computed("types.h5"), computed("energies.csv"), computed("potential.json"),
        computed("points.csv"), computed("computed.csv"),
    )  # fmt: skip
    figure_data.tabulate_by_dft(
        computed("computed.csv"), computed("dft.csv"), computed("points.csv"), computed("by_dft_table.csv")
    )
    table = pd.read_csv(computed("by_dft_table.csv"))
    assert table["atom"].tolist() == [atoms[0]]
    assert table["dft_ev"][0] == pytest.approx(0.3)
    write_dft_table(table, computed("by_dft.html"))
    assert "0.300" in computed("by_dft.html").read_text()


def test_energies_are_near_those_of_the_whole_model(computed: Run) -> None:
    table = pd.read_csv(computed("energies.csv"))
    exact = exact_energies(computed("model.h5"), computed("potential.json"), computed("points.csv"))
    error = table["energy_ev"] - exact[table["atom"]]
    # The cells are small: 8 Angstrom leave 0.03 eV once the error of a crystal's atom is taken off.
    assert np.sqrt((error**2).mean()) < 0.04
    assert np.corrcoef(table["energy_ev"], exact[table["atom"]])[0, 1] > 0.97
    with open_shard(computed("energies.h5")) as gathered:
        assert len(gathered.ids) == len(table)


def test_test_atoms_are_unseen(computed: Run) -> None:
    points, predictions = pd.read_csv(computed("points.csv")), pd.read_csv(computed("predictions.csv"))
    errors = pd.read_csv(computed("errors.csv"))
    for seed in range(2):
        learned = np.concatenate([points_of(points, name, seed) for name in SELECTION.strategies])
        drawn = points_of(points, TEST, seed)
        test = predictions[(predictions["seed"] == seed) & (predictions["set"] == "test")]
        for _, rows in test.groupby("strategy"):
            assert sorted(rows["atom"]) == sorted(set(drawn.tolist()) - set(learned.tolist()))
        assert set(errors.loc[errors["seed"] == seed, "n_test"]) == {len(set(drawn.tolist()) - set(learned.tolist()))}


def test_atoms_that_failed_leave_the_size_as_asked_for(computed: Run) -> None:
    atoms = points_of(pd.read_csv(computed("points.csv")), "random_1", 1)
    table = pd.read_csv(computed("energies.csv"))
    table[~table["atom"].isin(atoms[[2, 30]])].to_csv(computed("energies_3.csv"), index=False)
    evaluate_strategies(
        computed("vectors.h5"), computed("points.csv"), computed("energies_3.csv"), [], computed("errors_3.csv"),
        computed("predictions_3.csv"), EVALUATION.sizes, 1e-5, 30,
    )  # fmt: skip
    errors = pd.read_csv(computed("errors_3.csv")).set_index(["strategy", "seed", "size"])["n_training"]
    assert errors["random_1", 1].to_dict() == {25: 24, 50: 48}
    assert errors["uncertainty", 1].to_dict() == {25: 25, 50: 50}


def test_errors_and_predictions(computed: Run) -> None:
    errors, predictions = pd.read_csv(computed("errors.csv")), pd.read_csv(computed("predictions.csv"))
    assert len(errors) == 3 * 2 * 2
    assert (errors["max_error_ev"] >= errors["rmse_ev"]).all()
    row = errors[(errors["strategy"] == "random_1") & (errors["seed"] == 1) & (errors["size"] == 50)].iloc[0]
    test = predictions[
        (predictions["strategy"] == "random_1") & (predictions["seed"] == 1) & (predictions["set"] == "test")
    ]
    assert row["rmse_ev"] == pytest.approx(np.sqrt(((test["predicted_ev"] - test["computed_ev"]) ** 2).mean()))
    predicted = read_arrays(computed("predicted.h5"))
    first = predictions[(predictions["strategy"] == "uncertainty") & (predictions["seed"] == 0)]
    assert predicted["predicted_ev"][first["atom"]] == pytest.approx(first["predicted_ev"].to_numpy())
    mine = errors[(errors["strategy"] == "uncertainty") & (errors["size"] == 50)].iloc[0]
    difference = predicted["predicted_ev"] - predicted["exact_ev"]
    assert mine["rmse_all_ev"] == pytest.approx(np.sqrt((difference**2).mean()))


def test_summary_and_export(computed: Run) -> None:
    names = ("model.h5", "types.h5", "predicted.h5")
    export_predictions(*map(computed, names), computed("atoms.xyz"))
    summarise_predictions(computed("built.h5"), *map(computed, names), computed("summary.csv"))
    summary = pd.read_csv(computed("summary.csv")).set_index("quantity")["value"]
    assert summary["atoms"] == 4000
    assert summary[[f"atoms {name}" for name in ("OTH", "FCC", "HCP", "BCC", "ICO")]].sum() == 4000
    exact = exact_energies(computed("model.h5"), computed("potential.json"), computed("points.csv"))
    per_area = exact.sum() / summary["area of the boundaries"] * 16.0217663
    assert summary["energy of the boundaries, exact"] == pytest.approx(per_area)
    assert 0.5 < per_area < 2.5  # boundaries of iron: 1 to 1.5 J/m^2
    atoms = ase.io.read(computed("atoms.xyz"))
    predicted = read_arrays(computed("predicted.h5"))["predicted_ev"]
    assert np.allclose(atoms.arrays["predicted_ev"], predicted, atol=1e-6)
    opened = import_file(str(computed("atoms.xyz"))).compute()
    assert np.allclose(opened.particles["predicted_ev"], predicted, atol=1e-6)
    assert atoms.arrays["coordination"].tolist() == read_arrays(computed("types.h5"))["coordination"].tolist()


def test_figures_and_scorecard(computed: Run) -> None:
    summarise_predictions(
        computed("built.h5"),
        computed("model.h5"),
        computed("types.h5"),
        computed("predicted.h5"),
        computed("summary.csv"),
    )
    figure_data.tabulate_slice(
        computed("model.h5"), computed("types.h5"), computed("predicted.h5"), computed("slice.csv")
    )
    figure_data.tabulate_components(
        computed("vectors.h5"), computed("types.h5"), computed("points.csv"), computed("components.csv"), seed=1
    )
    figure_data.tabulate_radii(
        computed("model.h5"),
        computed("types.h5"),
        computed("points.csv"),
        computed("predicted.h5"),
        computed("radii.csv"),
    )
    figure_data.tabulate_computed(
        computed("model.h5"),
        computed("types.h5"),
        computed("energies.csv"),
        computed("potential.json"),
        computed("points.csv"),
        computed("computed.csv"),
    )
    for table, plot in (
        ("slice", replica_slice.plot_structure_types),
        ("slice", replica_slice.plot_predicted_energies),
        ("components", replica_components.plot_components),
        ("components", replica_components.plot_selected),
        ("predictions", replica_errors.plot_energy_parity),
        ("errors", replica_errors.plot_selection_errors),
        ("radii", replica_errors.plot_averaged_error),
        ("computed", replica_errors.plot_computed),
    ):
        data = pd.read_csv(computed(f"{table}.csv"))
        plot(data, computed(f"{plot.__name__}.png"))
        with pytest.raises(ValueError, match=f"lacks the columns .*{data.columns[1]}"):
            plot(data.drop(columns=data.columns[1]), computed("other.png"))
    height = model_atoms(computed("model.h5")).positions[:, 2]
    shown = pd.read_csv(computed("slice.csv"))
    middle = model_atoms(computed("model.h5")).cell[2, 2] / 2
    assert len(shown) == np.count_nonzero(np.abs(height - middle) <= 1.5)
    radii = pd.read_csv(computed("radii.csv"))
    at_atom = radii[radii["radius_angstrom"] == 0]
    assert (at_atom["atoms"] == 1).all()

    tables = {n: pd.read_csv(computed(f"{n}.csv")) for n in ("summary", "components", "errors", "predictions", "radii")}
    own = tables["errors"].assign(vectors="soap", n_features=20)
    descriptions = pd.concat([own, own.assign(vectors="other", n_features=9, rmse_ev=0.25)])
    scorecard = replica_scorecard_data(
        **tables, descriptions=descriptions, n_components=arrays_shape(computed("vectors.h5"), "directions")[1],
        published=published_numbers("resources/published/tamura2020.csv"), backend="eam",
    )  # fmt: skip
    by_item = scorecard.set_index("item")
    assert by_item.loc["largest force left by the minimisation", "measured"].endswith(" eV/Å")
    assert by_item.loc["atoms of the model", "published"] == "1037880"
    assert by_item.loc["atoms of the model", "verdict"] == "not comparable"
    assert by_item.loc["RMSE with the vectors other, 9 components", "measured"] == "250.0 meV"
    ratio = by_item.loc["RMSE: uncertainty reduction over Random 1, 50 training atoms"]
    assert ratio["published"] == ""
    assert (ratio["verdict"] == "reached") == (float(ratio["measured"]) < 1)
    write_replica_scorecard(scorecard, computed("scorecard.html"))
    assert "uncertainty reduction" in computed("scorecard.html").read_text()


def test_a_round_goes_on_from_the_energies_that_are_there(computed: Run) -> None:
    settings = SELECTION.model_copy(update={"rounds": 2, "first_points": 30})
    arguments = (computed("vectors.h5"), computed("points.csv"))
    select_round(*arguments, [computed("batch.csv")], [], computed("round_1.csv"), settings, 1)
    first = points_of(pd.read_csv(computed("points.csv")), "uncertainty", 0)[:30]
    chosen = pd.read_csv(computed("round_1.csv"))["atom"].to_numpy()
    assert len(chosen) == 10
    assert not np.isin(chosen, first).any()

    # The second round has the energies of the first but for one, which another atom replaces.
    first_batch = pd.read_csv(computed("batch.csv"))
    first_batch[first_batch["atom"] != chosen[0]].to_csv(computed("batch_0.csv"), index=False)
    exact = exact_energies(computed("model.h5"), computed("potential.json"), computed("points.csv"))
    new = np.setdiff1d(chosen[1:], first_batch["atom"])
    pd.DataFrame({"atom": new, "energy_ev": exact[new] - 4.1224}).to_csv(computed("batch_1.csv"), index=False)
    energies_csv, before = [computed("batch_0.csv"), computed("batch_1.csv")], [computed("round_1.csv")]
    select_round(*arguments, energies_csv, before, computed("round_2.csv"), settings, 2)
    second = pd.read_csv(computed("round_2.csv"))["atom"].to_numpy()
    assert len(second) == 11
    assert len({*first, *chosen, *second}) == len(first) + len(chosen) + len(second)

    all_points = with_rounds(pd.read_csv(computed("points.csv")), [*before, computed("round_2.csv")], 30)
    assert points_of(all_points, "rounds", 1).tolist() == [*first, *chosen, *second]


def test_a_round_is_the_same_for_any_number_of_ranks(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    vectors = np.column_stack(
        [rng.normal(size=(2 * BLOCK_ROWS + 50, 8)) * np.logspace(0, -2, 8), np.ones(2 * BLOCK_ROWS + 50)]
    )
    write_arrays(tmp_path / "vectors.h5", {"vectors": vectors}, Provenance.of({}, "code"))
    atoms = rng.permutation(len(vectors))[:50]
    points = pd.DataFrame({"strategy": "uncertainty", "seed": 0, "order": np.arange(50), "atom": atoms})
    points.to_csv(tmp_path / "points.csv", index=False)
    energies_ev = vectors[atoms] @ rng.normal(size=9)
    pd.DataFrame({"atom": atoms, "energy_ev": energies_ev})[:29].to_csv(tmp_path / "energies.csv", index=False)
    settings = SELECTION.model_copy(update={"rounds": 2, "first_points": 30})
    arguments = {
        "vectors_h5": str(tmp_path / "vectors.h5"),
        "points_csv": str(tmp_path / "points.csv"),
        "energies_csv": [str(tmp_path / "energies.csv")],
        "before_csv": [],
        "settings": settings.model_dump(mode="json"),
        "number": 1,
    }
    select_round(**arguments | {"out_csv": tmp_path / "serial.csv", "settings": settings})  # type: ignore[arg-type]
    for ranks in (2, 4):
        out = tmp_path / f"{ranks}.csv"
        launcher = [Path(sys.executable).parent / "mpiexec", "-launcher", "fork", "-n", ranks]
        step = [sys.executable, "-m", "gbscape.replica", "select_round", json.dumps(arguments | {"out_csv": str(out)})]
        subprocess.run(list(map(str, [*launcher, *step])), check=True, capture_output=True)
        assert out.read_text() == (tmp_path / "serial.csv").read_text()


def test_cells_are_dealt_out_by_the_atoms_in_them(computed: Run) -> None:
    atoms = points_of(pd.read_csv(computed("points.csv")), "uncertainty", 0)
    shards = [
        atoms_of_shard(model_atoms(computed("model.h5")), atoms, CELLS.edge_angstrom, shard, 4, 3.0)
        for shard in range(4)
    ]
    assert sorted(np.concatenate(shards)) == sorted(atoms)
    cut_cells(computed("model.h5"), np.sort(atoms), computed("all.xyz"), CELLS, "code")
    sizes = {atom_of(cell): len(cell) + cell.info["removed"] for cell in read_cells(computed("all.xyz"))}
    loads = [sum(sizes[atom] ** 3 for atom in shard) for shard in shards]
    assert max(loads) < 1.1 * np.mean(loads)
    one_by_one = [sum(sizes[atom] ** 3 for atom in atoms[number::4]) for number in range(4)]
    assert max(loads) <= max(one_by_one)


@pytest.mark.parametrize("engine", ["torch", "quippy"])
def test_other_engines_give_the_same_vectors(computed: Run, engine: str) -> None:
    describe_model(computed("model.h5"), computed("other.h5"), SoapVectors(n_components=20, engine=engine), "code")
    ours, other = (read_arrays(computed(name))["vectors"] for name in ("vectors.h5", "other.h5"))
    # Of a principal component the sign is nobody's; those of nearly equal variance may mix.
    kept = slice(0, 8)
    signs = np.sign((ours[:, kept] * other[:, kept]).sum(axis=0))
    assert other[:, kept] * signs == pytest.approx(ours[:, kept], abs=1e-6)


def test_other_vectors_are_compared_on_the_same_test_sets(computed: Run) -> None:
    settings = ScatteringVectors(n_components=10)
    describe_model(computed("model.h5"), computed("alternative.h5"), settings, "code")
    vectors = read_arrays(computed("alternative.h5"))["vectors"]
    assert vectors.shape == (4000, 11)
    assert vectors[:, :-1].mean(axis=0) == pytest.approx(np.zeros(10), abs=1e-12)
    assert (vectors[:, -1] == 1).all()
    # Any atoms with energies do for those chosen.
    chosen = points_of(pd.read_csv(computed("points.csv")), "random_1", 1)
    pd.DataFrame({"order": np.arange(50), "atom": chosen}).to_csv(computed("chosen.csv"), index=False)
    evaluate_alternative(
        computed("alternative.h5"), computed("points.csv"), computed("chosen.csv"), computed("energies.csv"),
        computed("alternative.csv"), 50, 1e-5,
    )  # fmt: skip
    errors = pd.read_csv(computed("alternative.csv"))
    assert set(errors["strategy"]) == {"uncertainty", "random_1"}
    evaluate_strategies(
        computed("vectors.h5"), computed("points.csv"), computed("energies.csv"), [], computed("beside.csv"),
        computed("beside_predictions.csv"), [50], 1e-5, 10, also_chosen_csv=[computed("chosen.csv")],
    )  # fmt: skip
    beside = pd.read_csv(computed("beside.csv"))
    assert len(beside.groupby("seed")["n_test"].first()) == 2
    assert errors.groupby("seed")["n_test"].first().equals(beside.groupby("seed")["n_test"].first())
    points = pd.read_csv(computed("points.csv"))
    for seed, atoms in unseen(points, [computed("chosen.csv")]).items():
        learned = [points_of(points, name, seed) for name in SELECTION.strategies]
        assert not set(atoms) & {*np.concatenate(learned), *chosen}
        assert len(atoms) > 0
    by_strategy = errors[errors["seed"] == 1].set_index("strategy")["rmse_ev"]
    assert by_strategy["uncertainty"] == pytest.approx(by_strategy["random_1"])  # the same atoms

    figure_data.tabulate_descriptions(
        [computed("vectors.h5"), computed("alternative.h5")],
        [computed("errors.csv"), computed("alternative.csv")],
        computed("descriptions.csv"),
        ["soap", "scattering"],
    )
    table = pd.read_csv(computed("descriptions.csv"))
    assert set(zip(table["vectors"], table["n_features"], strict=True)) == {("soap", 20), ("scattering", 10)}
    assert set(table["size"]) == {50}
    replica_errors.plot_descriptions(table, computed("descriptions.svg"))


def test_nothing_in_common_is_said(tmp_path: Path) -> None:
    replica_errors.plot_descriptions(pd.DataFrame(columns=DESCRIPTION_COLUMNS), tmp_path / "none.svg")
    assert (tmp_path / "none.svg").exists()


def test_without_exact_energies_there_are_none(computed: Run) -> None:
    arguments = (computed("vectors.h5"), computed("points.csv"), computed("energies.csv"))
    tables = (computed("errors_2.csv"), computed("predictions_2.csv"))
    evaluate_strategies(*arguments, [], *tables, EVALUATION.sizes, 1e-5, 30)
    errors = pd.read_csv(computed("errors_2.csv"))
    assert errors["rmse_all_ev"].isna().all()
    assert errors["rmse_ev"].notna().all()
    replica_errors.plot_selection_errors(errors, computed("errors_2.png"))
    predict_energies(*arguments, computed("predicted_2.h5"), "uncertainty", None, "code")
    figure_data.tabulate_radii(
        computed("model.h5"),
        computed("types.h5"),
        computed("points.csv"),
        computed("predicted_2.h5"),
        computed("radii_2.csv"),
    )
    assert pd.read_csv(computed("radii_2.csv")).empty
    replica_errors.plot_averaged_error(pd.read_csv(computed("radii_2.csv")), computed("radii_2.png"))


def test_a_failed_atom_is_reported_and_takes_no_other_along(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    atoms = atoms_of_batch(run("points.csv"), [])[::40]
    cut_cells(run("model.h5"), atoms, tmp_path / "cells.xyz", CELLS, "code")
    good = energies.calculator

    def with_a_failure(*arguments: object) -> object:
        calculator = good(*arguments)  # type: ignore[arg-type]

        def fail(cell: object, target: int, folder: Path) -> AtomicEnergy:
            if folder.name == str(atoms[1]):
                raise RuntimeError("the cycle does not converge")
            return calculator.run(cell, target, folder)  # type: ignore[arg-type]

        return type(calculator)(fail, calculator.reference, calculator.settings)

    def compute() -> None:
        energies.compute_energies(
            tmp_path / "cells.xyz", run("model.h5"), run("potential.json"), tmp_path / "shard.h5", "eam", DftSettings(),
            CELLS, "code", tmp_path,
        )  # fmt: skip

    gather = [[tmp_path / "shard.h5"], atoms, tmp_path / "all.h5", tmp_path / "all.csv"]
    with monkeypatch.context() as patch:
        patch.setattr(energies, "calculator", with_a_failure)
        compute()
    with open_shard(tmp_path / "shard.h5") as shard:
        assert shard.failures == {str(atoms[1]): "RuntimeError: the cycle does not converge"}
    with pytest.raises(ShardError, match=rf"1 items failed, the others are kept:\n  {atoms[1]}: RuntimeError"):
        energies.gather_energies(*gather, "stop")  # type: ignore[arg-type]
    energies.gather_energies(*gather, "skip")  # type: ignore[arg-type]
    assert len(pd.read_csv(tmp_path / "all.csv")) == len(atoms) - 1
    tabulate_failures({"points": tmp_path / "all.h5"}, tmp_path / "failures.tsv")
    failures = pd.read_csv(tmp_path / "failures.tsv", sep="\t")
    assert failures.to_numpy().tolist() == [["points", atoms[1], "RuntimeError: the cycle does not converge"]]
    # Deleted and computed again, only the failed one is tried.
    (tmp_path / "shard.h5").unlink()
    tried = []
    with monkeypatch.context() as patch:
        patch.setattr(
            energies,
            "calculator",
            lambda *a: (c := good(*a), type(c)(lambda *b: (tried.append(1), c.run(*b))[1], c.reference, c.settings))[1],
        )
        compute()
    assert tried == [1]
    energies.gather_energies(*gather, "stop")  # type: ignore[arg-type]
