"""Relevance adds up to the prediction, follows from the gradient, moves with the atoms, and is where it has to be."""

from dataclasses import replace
from pathlib import Path

import ase.io
import numpy as np
import pandas as pd
import pytest
import torch
from ase import Atoms
from ase.build import fcc100
from ase.io.cube import read_cube
from ase.units import Bohr
from ovito.io import import_file
from scipy.stats import spearmanr
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from gbscape.config.learn import BoostedTrees
from gbscape.config.model import ConfigError, load
from gbscape.config.scattering import OrientedScattering, Scattering
from gbscape.features.names import feature_names
from gbscape.features.scattering import boundary_scattering, scatter
from gbscape.figures.relevance import plot_relevance, read_relevance_panels, relevance_data, write_relevance_panels
from gbscape.learn.splits import numbered_split
from gbscape.relevance.attribution import relevance_from_nothing, relevance_from_reference
from gbscape.relevance.density import boundary_density
from gbscape.relevance.linear import LinearModel, read_models, write_models
from gbscape.relevance.map_file import RelevanceMap, export_map, read_map, write_map
from gbscape.relevance.maps import map_boundary, map_displacements
from gbscape.relevance.statistics import area_under_curve, tabulate_statistics
from gbscape.relevance.surrogate import fit_ridge, fit_surrogates
from gbscape.relevance.symmetry import broken_share, find_symmetry
from gbscape.relevance.training import train_surrogates
from gbscape.store.provenance import Provenance
from gbscape.store.records import atoms_to_record
from gbscape.store.shards import write_shard

SMALL = {
    "n_polar": 3, "n_azimuthal": 4, "n_scales": 3, "largest_width_angstrom": 2.0, "spacing_angstrom": 0.5,
    "window_angstrom": 16.0, "samples": (8, 1, 1), "tolerance": 0.0, "precision": "double",
}  # fmt: skip
ORIENTED = OrientedScattering(**SMALL)
SETTINGS = {
    "oriented": ORIENTED,
    "oriented, complex wavelets": OrientedScattering(**SMALL | {"component": 2}),
    "oriented, three layers": OrientedScattering(**SMALL | {"layers": 3, "n_azimuthal": 2, "n_scales": 2}),
    "oriented, coarser grids": OrientedScattering(**SMALL | {"tolerance": 1e-3}),
    "invariant": Scattering(j_max=1, l_max=2, tolerance=0.0),
}
RNG = np.random.default_rng(7)
START = RNG.bit_generator.state


@pytest.fixture(autouse=True)
def same_random_numbers() -> None:
    """The same in every test, whichever tests are run."""
    RNG.bit_generator.state = START


def slab(displacement: float = 0.15) -> tuple[Atoms, np.ndarray]:
    """A slab of nickel, normal along x, its atoms off their sites, and a selection of its middle."""
    atoms = fcc100("Ni", (2, 2, 5), a=3.52)
    atoms = Atoms(
        "Ni20",
        positions=atoms.positions[:, [2, 0, 1]],
        cell=[20.0, *atoms.cell.lengths()[:2]],
        pbc=(False, True, True),
    )
    atoms.positions[:, 0] -= atoms.positions[:, 0].mean()
    atoms.positions += displacement * RNG.standard_normal((20, 3))
    return atoms, np.abs(atoms.positions[:, 0]) < 2.6


def model_of(parameters: Scattering | OrientedScattering) -> LinearModel:
    return LinearModel(RNG.standard_normal(len(feature_names(parameters))), 0.7, 1.0, ["a"])


@pytest.mark.parametrize("parameters", SETTINGS.values(), ids=SETTINGS.keys())
def test_density_is_the_one_that_is_described(parameters: Scattering | OrientedScattering) -> None:
    atoms, mask = slab()
    density = boundary_density(atoms, mask, parameters)
    features = scatter(density.values, density.cell, parameters)
    if isinstance(parameters, Scattering):
        features = features / density.area_angstrom2
    expected = boundary_scattering(atoms, mask, parameters)
    # The invariant transform leaves the density where it is, which the grid shows by less than a percent.
    tolerance = 1e-12 if isinstance(parameters, OrientedScattering) else 0.02
    np.testing.assert_allclose(features, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("parameters", SETTINGS.values(), ids=SETTINGS.keys())
def test_relevance_from_nothing_is_complete(parameters: Scattering | OrientedScattering) -> None:
    atoms, mask = slab()
    density = boundary_density(atoms, mask, parameters)
    model = model_of(parameters)
    found = relevance_from_nothing(density, parameters, model)
    features = scatter(density.values, density.cell, parameters)
    if isinstance(parameters, Scattering):
        features = features / density.area_angstrom2
    # In the vacuum there are rounding errors alone, and the invariant transform takes their roots.
    rounding = 1e-10 if isinstance(parameters, Scattering) else 1e-13
    tolerance = rounding * np.abs(found.of_atoms).sum()
    assert found.prediction_j_m2 == pytest.approx(float(features @ model.weights) + 0.7, abs=tolerance)
    assert found.reference_j_m2 == 0.7
    deviation = found.prediction_j_m2 - found.reference_j_m2
    assert found.of_points.sum() * density.voxel_angstrom3 == pytest.approx(deviation, abs=tolerance)
    assert found.of_atoms.sum() == pytest.approx(deviation, abs=tolerance)
    assert found.error_j_m2 == pytest.approx(0, abs=tolerance)


@pytest.mark.parametrize(("kind", "tolerance"), [("oriented", 1e-12), ("invariant", 1e-7)])
def test_relevance_from_nothing_is_the_integrated_gradient(kind: str, tolerance: float) -> None:
    """Along the path t rho, with t = s^2, the integrand is a polynomial of s: four points are exact but for rounding, of
    which the invariant transform takes roots in the vacuum."""
    parameters = SETTINGS[kind]
    atoms, mask = slab()
    density = boundary_density(atoms, mask, parameters)
    model = model_of(parameters)
    area = 1.0 if kind == "oriented" else density.area_angstrom2
    nodes, shares = np.polynomial.legendre.leggauss(4)
    integral = np.zeros_like(density.values)
    for s, share in zip((1 + nodes) / 2, shares / 2, strict=True):
        rho = torch.tensor(s**2 * density.values, requires_grad=True)
        energy = scatter(rho, density.cell, parameters) @ torch.from_numpy(model.weights) / area
        integral += share * 2 * s * torch.autograd.grad(energy, rho)[0].numpy()
    expected = density.values * integral / density.voxel_angstrom3
    found = relevance_from_nothing(density, parameters, model).of_points
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())


def test_relevance_from_a_reference_becomes_complete_with_the_points_of_the_path() -> None:
    atoms, mask = slab(0.05)
    density = boundary_density(atoms, mask, ORIENTED)
    model = model_of(ORIENTED)
    rest = density.positions + 0.1 * RNG.standard_normal(density.positions.shape)
    found = {points: relevance_from_reference(density, rest, ORIENTED, model, points) for points in (1, 4, 64)}
    error = {points: abs(its.error_j_m2) / np.abs(its.of_atoms).sum() for points, its in found.items()}
    # The integrand jumps where a field changes its sign: the quadrature converges slowly.
    assert error[64] < error[4] < error[1]
    assert error[64] < 5e-4
    last = found[64]
    assert last.of_points.sum() * density.voxel_angstrom3 == pytest.approx(last.of_atoms.sum(), rel=1e-9)
    none = relevance_from_reference(density, density.positions, ORIENTED, model, 2)
    assert np.abs(none.of_atoms).max() == 0
    with pytest.raises(ValueError, match="reference positions"):
        relevance_from_reference(density, rest[1:], ORIENTED, model, 2)


def test_relevance_from_a_reference_is_exact_without_moduli() -> None:
    blurred = OrientedScattering(**SMALL | {"layers": 1})
    atoms, mask = slab()
    density = boundary_density(atoms, mask, blurred)
    rest = density.positions + 0.1 * RNG.standard_normal(density.positions.shape)
    found = relevance_from_reference(density, rest, blurred, model_of(blurred), 1)
    assert found.error_j_m2 == pytest.approx(0, abs=1e-13 * np.abs(found.of_atoms).sum())
    assert np.abs(found.of_atoms).min() > 1e-6 * np.abs(found.of_atoms).max()


def test_relevance_agrees_with_finite_differences() -> None:
    atoms, mask = slab()
    density = boundary_density(atoms, mask, ORIENTED)
    model = model_of(ORIENTED)
    found = relevance_from_nothing(density, ORIENTED, model).of_points

    def energy(values: np.ndarray) -> float:
        return float(model.predict(scatter(values, density.cell, ORIENTED)))

    densest = np.argsort(density.values, axis=None)[-200:]
    for point in RNG.choice(densest, 8, replace=False):
        step = np.zeros(density.values.size)
        step[point] = 1e-6
        step = step.reshape(density.values.shape)
        slope = (energy(density.values + step) - energy(density.values - step)) / 2e-6
        expected = slope * density.values.flat[point] / density.voxel_angstrom3
        assert found.flat[point] == pytest.approx(expected, rel=1e-5, abs=1e-7 * np.abs(found).max())


def test_relevance_moves_with_the_atoms() -> None:
    atoms, mask = slab()
    model = model_of(ORIENTED)
    density = boundary_density(atoms, mask, ORIENTED)
    steps = (3, 5)
    moved = atoms.copy()
    moved.positions[:, 1:] += np.array(steps) * density.cell[1:] / density.values.shape[1:]
    before = relevance_from_nothing(density, ORIENTED, model)
    after = relevance_from_nothing(boundary_density(moved, mask, ORIENTED), ORIENTED, model)
    np.testing.assert_allclose(after.of_atoms, before.of_atoms, rtol=1e-9, atol=1e-12)
    rolled = np.roll(before.of_points, steps, axis=(1, 2))
    np.testing.assert_allclose(after.of_points, rolled, atol=1e-10 * np.abs(rolled).max())


def test_atoms_that_a_translation_joins_have_the_same_relevance() -> None:
    atoms, _ = slab()
    repeated = atoms.repeat((1, 2, 1))
    mask = np.abs(repeated.positions[:, 0]) < 2.6
    density = boundary_density(repeated, mask, ORIENTED)
    found = relevance_from_nothing(density, ORIENTED, model_of(ORIENTED)).of_atoms
    half = len(found) // 2
    np.testing.assert_allclose(found[:half], found[half:], rtol=1e-9, atol=1e-12)


def test_empty_space_has_no_relevance() -> None:
    atoms, mask = slab()
    density = boundary_density(atoms, mask, ORIENTED)
    found = relevance_from_nothing(density, ORIENTED, model_of(ORIENTED)).of_points
    x = np.arange(density.values.shape[0]) * density.cell[0] / density.values.shape[0]
    empty = np.abs(x[:, None] - density.positions[:, 0]).min(axis=1) > 8 * ORIENTED.atom_width_angstrom
    assert empty.sum() > 10
    assert np.abs(found[empty]).max() < 1e-12 * np.abs(found).max()


def test_a_model_of_one_sample_of_the_blurred_density_lights_up_the_atoms_there() -> None:
    """Known answer: an atom adds a Gaussian of the plane's distance, of its own and the blur's width, over the area."""
    positions = np.array([[-5.0, 0.4, 1.0], [0.0, 3.0, 2.0], [5.0, 1.0, 4.5]])
    atoms = Atoms("Ni3", positions=positions, cell=[20, 6, 7], pbc=(False, True, True))
    parameters = ORIENTED
    samples = -8.0 + 16.0 * (np.arange(8) + 0.5) / 8
    names = feature_names(parameters)
    chosen = names.index("S0[x=6]")
    weights = np.zeros(len(names))
    weights[chosen] = 2.5
    density = boundary_density(atoms, np.full(3, True), parameters)
    found = relevance_from_nothing(density, parameters, LinearModel(weights, 0.0, 1.0, []))
    width = np.hypot(parameters.atom_width_angstrom, parameters.blur_angstrom)
    distance = (samples[6] - positions[:, 0]) / width
    expected = 2.5 / 42 * np.exp(-0.5 * distance**2) / (np.sqrt(2 * np.pi) * width)
    np.testing.assert_allclose(found.of_atoms, expected, rtol=1e-6, atol=1e-9 * expected.max())
    assert found.of_atoms[2] > 1e4 * np.abs(found.of_atoms[:2]).max()


def test_a_model_of_other_features_is_refused() -> None:
    atoms, mask = slab()
    density = boundary_density(atoms, mask, ORIENTED)
    with pytest.raises(ValueError, match="3 weights"):
        relevance_from_nothing(density, ORIENTED, LinearModel(np.ones(3), 0.0, 1.0, []))


# ---- models ----


def test_ridge_in_dual_form_is_ridge() -> None:
    features = RNG.standard_normal((30, 200)) * np.geomspace(1e-2, 1, 200)
    energies = 1 + 0.1 * features[:, 150] + 0.01 * RNG.standard_normal(30)
    model = fit_ridge(features, energies, [str(i) for i in range(30)])
    scaler = StandardScaler().fit(features)
    direct = Ridge(alpha=model.penalty * 200).fit(scaler.transform(features), energies)
    others = RNG.standard_normal((5, 200))
    np.testing.assert_allclose(model.predict(others), direct.predict(scaler.transform(others)), rtol=1e-8)


def test_columns_of_rounding_get_no_weight() -> None:
    features = RNG.standard_normal((20, 6))
    features[:, 3] = 0.2 + 1e-9 * RNG.standard_normal(20)
    model = fit_ridge(features, features[:, 0] + 3, [""] * 20)
    assert model.weights[3] == 0
    assert (model.weights[[0, 1, 2, 4, 5]] != 0).all()
    with pytest.raises(ValueError, match="no feature differs"):
        fit_ridge(np.ones((5, 3)), np.arange(5.0), [""] * 5)


def test_models_learn_from_the_training_rows_of_the_splits_alone() -> None:
    features = RNG.standard_normal((40, 8))
    energies = 2 + features @ np.arange(8) / 20
    ids = [f"b{i}" for i in range(40)]
    fitted = fit_surrogates(features, energies, ids, 0.5, 2, BoostedTrees(max_trees=5), 3, "survey")
    assert len(fitted.models) == 2
    ridge = fitted.scores.query("model == 'ridge'")
    assert (ridge["mae_j_m2"] < 0.05).all()
    assert fitted.scores.groupby("model").size().to_dict() == {"ridge": 2, "mean": 2, "boosted_trees": 1}
    for number, model in enumerate(fitted.models):
        split = numbered_split(energies, "regression", 0.5, 3, number)
        assert model.train_ids == [ids[i] for i in split.train]
        alone = fit_ridge(features[split.train], energies[split.train], model.train_ids)
        np.testing.assert_array_equal(alone.weights, model.weights)
        error = np.abs(model.predict(features[split.test]) - energies[split.test]).mean()
        assert ridge["mae_j_m2"].iloc[number] == pytest.approx(error)


def test_training_takes_as_many_snapshots_as_asked(tmp_path: Path) -> None:
    parameters = Scattering(j_max=0, l_max=0, integral_powers=(1.0,))
    vectors = 1 + RNG.random((12, len(feature_names(parameters))))
    provenance = Provenance.of(parameters.model_dump(mode="json"), "code")
    write_shard(tmp_path / "f.h5", {f"s{i}": {"vector": v} for i, v in enumerate(vectors)}, provenance, {})
    table = pd.DataFrame({"id": [f"s{i}" for i in range(11)], "energy_j_m2": 1 + vectors[:11, 0]})
    table.to_csv(tmp_path / "e.csv", index=False)
    options = {"training": "snapshots", "test_fraction": 0.5, "n_splits": 1, "trees": BoostedTrees(folds=2), "seed": 0}
    trained = train_surrogates(tmp_path / "f.h5", tmp_path / "e.csv", n_train=8, **options)
    assert len(trained.models[0].train_ids) == 8
    assert set(trained.scores["n_test"]) == {3}
    with pytest.raises(ValueError, match="n_train = 10 of 11"):
        train_surrogates(tmp_path / "f.h5", tmp_path / "e.csv", n_train=10, **options)
    write_models(tmp_path / "m.h5", trained.models, provenance)
    (again,) = read_models(tmp_path / "m.h5")
    np.testing.assert_array_equal(again.weights, trained.models[0].weights)
    assert again.train_ids == trained.models[0].train_ids


# ---- maps ----


def record_of(atoms: Atoms, mask: np.ndarray) -> dict:
    marked = atoms.copy()
    marked.set_array("boundary", mask)
    # The middle layer and the one to its right are not crystal.
    marked.set_array("structure_type", np.where((atoms.positions[:, 0] > -0.5) & mask, 0, 1).astype(np.int8))
    marked.set_array("energy_ev", np.linspace(-4.45, -4.2, len(atoms)))
    return {"structure": atoms_to_record(marked), "cohesive_energy_ev": -4.45}


def example_maps() -> list[RelevanceMap]:
    atoms, mask = slab(0.0)
    record = record_of(atoms, mask)
    models = [model_of(ORIENTED), LinearModel(model_of(ORIENTED).weights, 0.1, 1.0, ["other"])]
    moving = []
    for _ in range(6):
        large = atoms.repeat((1, 2, 1))
        large.set_array("boundary", np.tile(mask, 2))
        large.positions += 0.05 * RNG.standard_normal(large.positions.shape) + [0, 1.0, 0]
        large.wrap()
        large.positions -= [0, 1.0, 0]  # atoms are where the period begins, some outside of it
        large.set_array("energy_ev", np.tile(np.linspace(-4.44, -4.0, len(atoms)), 2))
        moving.append(large)
    return [
        map_boundary("survey", "a", record, models, ORIENTED),
        map_displacements("snapshots_from_rest", record, moving, [0, 3], [1, 2, 4, 5], models[0], ORIENTED, 4),
    ]


@pytest.fixture(scope="module")
def maps() -> list[RelevanceMap]:
    return example_maps()


@pytest.mark.parametrize("shift_angstrom", [3.5, -6.6])
def test_where_the_boundary_is_along_the_normal_does_not_matter(shift_angstrom: float) -> None:
    atoms, mask = slab(0.0)
    random, model = np.random.default_rng(4), model_of(ORIENTED)
    moving = []
    for _ in range(4):
        snapshot = atoms.copy()
        snapshot.positions += 0.05 * random.standard_normal(atoms.positions.shape)
        snapshot.set_array("boundary", mask)
        snapshot.set_array("energy_ev", np.full(len(atoms), -4.4))
        moving.append(snapshot)
    found = []
    for shift in (0.0, shift_angstrom):
        record, shifted = record_of(atoms, mask), [snapshot.copy() for snapshot in moving]
        record["structure"]["positions"] = record["structure"]["positions"] + [shift, 0, 0]
        for snapshot in shifted:
            snapshot.positions[:, 0] += shift
        found.append(map_displacements("m", record, shifted, [0, 1], [2, 3], model, ORIENTED, 2))
    np.testing.assert_allclose(found[0].of_atoms, found[1].of_atoms, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(found[0].positions, found[1].positions, atol=1e-9)


def test_maps_hold_what_they_are_made_of(maps: list[RelevanceMap]) -> None:
    at_rest, moving = maps
    n = len(at_rest.positions)
    assert at_rest.of_atoms.shape == (2, n)
    assert at_rest.in_training.tolist() == [True, False]
    np.testing.assert_allclose(
        at_rest.of_atoms.sum(axis=1), at_rest.predictions_j_m2 - at_rest.references_j_m2, rtol=1e-9
    )
    assert moving.of_atoms.shape == (1, 2 * n)
    np.testing.assert_array_equal(moving.in_unit, np.tile(at_rest.in_unit, 2))
    thermal_ev = moving.energies_j_m2 * np.prod(moving.cell[1:]) / 16.02176634
    mask = np.abs(slab(0.0)[0].positions[:, 0]) < 2.6
    np.testing.assert_allclose(thermal_ev, np.tile(np.linspace(0.01, 0.2, 20)[mask], 2), rtol=1e-6)
    assert abs(moving.errors_j_m2[0]) < 0.05 * np.abs(moving.of_atoms).sum()
    total = moving.of_points.sum() * moving.cell.prod() / moving.of_points.size
    assert moving.of_atoms.sum() == pytest.approx(total, rel=1e-6)


def test_snapshots_of_another_structure_are_refused() -> None:
    atoms, mask = slab(0.0)
    other = atoms.copy()
    other.positions += [1.0, 0, 0]
    other.set_array("boundary", mask)
    other.set_array("energy_ev", np.zeros(len(atoms)))
    with pytest.raises(ValueError, match="another structure"):
        map_displacements("m", record_of(atoms, mask), [other], [0], [0], model_of(ORIENTED), ORIENTED, 1)


def test_files_of_a_map_open_elsewhere(maps: list[RelevanceMap], tmp_path: Path) -> None:
    write_map(tmp_path / "map.h5", maps[0], Provenance.of({}, "code"))
    again = read_map(tmp_path / "map.h5")
    for name, value in vars(maps[0]).items():
        np.testing.assert_array_equal(getattr(again, name), value)
    export_map(again, tmp_path / "map.xyz", tmp_path / "map.cube")
    atoms = ase.io.read(tmp_path / "map.xyz")
    np.testing.assert_allclose(atoms.arrays["relevance_j_m2"], again.of_atoms[0], atol=1e-7)
    assert atoms.arrays["in_unit"].dtype == bool
    with (tmp_path / "map.cube").open() as file:
        cube = read_cube(file)
    in_bohr = again.of_points * Bohr**3
    np.testing.assert_allclose(cube["data"], in_bohr, atol=1e-5 * np.abs(in_bohr).max())
    np.testing.assert_allclose(cube["atoms"].positions, atoms.positions, atol=1e-4)
    np.testing.assert_allclose(cube["atoms"].cell.lengths(), again.cell, rtol=1e-4)
    seen = import_file(str(tmp_path / "map.cube")).compute()
    (grid,) = seen.grids.values()
    values = grid["Property"][...]
    assert values.sum() * seen.cell.volume / values.size == pytest.approx(again.of_atoms[0].sum(), rel=1e-3)


def test_statistics(maps: list[RelevanceMap]) -> None:
    table = tabulate_statistics(maps)
    assert table["split"].tolist() == ["0", "1", "mean", "0"]
    first = table.iloc[0]
    magnitude = np.abs(maps[0].of_atoms[0])
    assert first["unit_share_of_relevance"] == pytest.approx(magnitude[maps[0].in_unit].sum() / magnitude.sum())
    assert first["auc_of_magnitude"] == pytest.approx(roc_auc_score(maps[0].in_unit, magnitude))
    assert (table["broken_by_translation"].iloc[:3] < 1e-9).all()


def test_too_few_atoms_in_units_have_no_correlation(maps: list[RelevanceMap]) -> None:
    one = replace(maps[0], in_unit=np.arange(len(maps[0].in_unit)) == 3)
    table = tabulate_statistics([one])
    assert table["pearson_with_energy_in_units"].isna().all()
    relevance, energies = one.of_atoms[0], one.energies_j_m2
    assert table["pearson_with_energy"].iloc[0] == pytest.approx(np.corrcoef(relevance, energies)[0, 1])
    assert table["spearman_with_energy"].iloc[0] == pytest.approx(spearmanr(relevance, energies).statistic)


def test_area_under_curve_counts_ties_half() -> None:
    values = RNG.integers(0, 5, 60).astype(float)
    positive = RNG.random(60) < 0.3
    assert area_under_curve(values, positive) == pytest.approx(roc_auc_score(positive, values))
    with pytest.raises(ValueError, match="some must be"):
        area_under_curve(values, np.full(60, True))


def test_symmetry_of_a_known_structure() -> None:
    """A plane of four cells of 3 x 2 Angstrom with an atom above and below its middle, one of them aside."""
    cell = np.array([10.0, 6.0, 4.0])
    corners = np.array([[0, y, z] for y in (0.0, 3.0) for z in (0.0, 2.0)])
    positions = np.concatenate([corners + np.array([0.5, 0, 0]), corners + np.array([-0.5, 1.0, 0])])
    found = find_symmetry(positions, cell)
    assert found.periods_angstrom == pytest.approx((3.0, 2.0))
    assert len(set(found.translation_orbits)) == 2
    assert len(set(found.orbits)) == 1  # x and y both change sign, about the middle between the two
    assert broken_share(positions[:, 0], found.translation_orbits) == pytest.approx(0)
    assert broken_share(positions[:, 0], found.orbits) == pytest.approx(1)


def test_picture(maps: list[RelevanceMap], tmp_path: Path) -> None:
    panels = relevance_data(maps, tabulate_statistics(maps), ((1, 0, 0), (0, 2, 0), (0, 0, -2)))
    assert [p.name for p in panels] == ["survey", "energy_at_rest", "snapshots_from_rest", "energy_in_motion"]
    survey = panels[0]
    assert survey.projection.sum() != 0
    write_relevance_panels(panels, tmp_path / "panels.h5")
    again = read_relevance_panels(tmp_path / "panels.h5")
    np.testing.assert_array_equal(again[0].values_mj_m2, survey.values_mj_m2)
    plot_relevance(again, tmp_path / "all.png")
    plot_relevance(again[:1], tmp_path / "one.png")
    assert (tmp_path / "all.png").stat().st_size > (tmp_path / "one.png").stat().st_size > 10_000
    with pytest.raises(ValueError, match="no map"):
        relevance_data([], pd.DataFrame())


# ---- settings ----


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"relevance": {"boundary": "b", "representation": "soap"}}, "kind of scattering, \\['st'\\]"),
        ({"relevance": {"boundary": "b"}, "snapshots": {"boundary": "c"}}, "the snapshots are of 'c'"),
        ({"relevance": {"boundary": "b"}, "survey": {"enumeration": {"ids": ["c"] * 1}}}, "add it there"),
        (
            {
                "relevance": {"boundary": "b", "n_train": 99},
                "snapshots": {"boundary": "b", "n_snapshots": 100, "learning": {"representations": []}},
            },
            "n_train = 99 of 100",
        ),
    ],
)
def test_settings_that_cannot_be_met_are_refused(raw: dict, message: str) -> None:
    raw = {"learn": {"targets": []}, **raw}
    with pytest.raises(ConfigError, match=message):
        load(raw, project=Path(__file__).resolve().parents[2])
