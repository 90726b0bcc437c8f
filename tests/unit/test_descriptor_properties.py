"""Measured properties of descriptors: toy descriptors of known properties get the right verdicts."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk
from ase.geometry import find_mic
from numpy.typing import NDArray
from pydantic import ValidationError

from gbscape.config.descriptor_properties import DescriptorProperties
from gbscape.config.model import ConfigError, load
from gbscape.config.soap import Soap
from gbscape.config.survey import BoundaryAtoms, Potential, Relaxation
from gbscape.descriptor_properties import paths, verdicts
from gbscape.descriptor_properties.classifications import classify
from gbscape.descriptor_properties.coverage import coverage, three_dimensional_ids
from gbscape.descriptor_properties.measure import measure, typical_distance
from gbscape.descriptor_properties.relax_again import relax_again
from gbscape.descriptor_properties.tables import FOUND, LISTED, MEASUREMENT_COLUMNS
from gbscape.descriptor_properties.transformations import ROTATION, other_periods, same_boundary
from gbscape.features.matrix import FeatureMatrix
from gbscape.features.representation import featurize
from gbscape.figures.descriptor_properties import (
    descriptor_properties_table,
    plot_descriptor_properties,
    write_descriptor_properties,
)
from gbscape.simulate.potentials import prepare_potential
from gbscape.store.provenance import Provenance
from gbscape.store.records import atoms_from_record, atoms_to_record
from gbscape.store.shards import open_shard, write_shard
from gbscape.structure.bicrystal import build_bicrystal
from gbscape.structure.boundary_atoms import select_boundary_atoms
from gbscape.survey.enumeration import enumerate_boundaries

PROJECT = Path(__file__).resolve().parents[2]
Vector = NDArray[np.float64]
Toy = Callable[[Atoms], Vector]

SETTINGS = DescriptorProperties(
    boundaries=["a", "b"],
    path_steps=16,
    draws=1,
    separations_angstrom=(3.0, 6.0, 9.0, 12.0, 16.0, 20.0),
)
NO_MARKS = pd.DataFrame(columns=["property", "descriptor", "mark", "certainty"])


def _slab(seed: int, disorder_angstrom: float = 0.15) -> Atoms:
    """A crystal with a disordered layer about x = 0, whose atoms are the boundary's."""
    slab = bulk("Ni", cubic=True).repeat((6, 3, 2))
    slab.pbc = (False, True, True)
    slab.positions[:, 0] -= slab.positions[:, 0].mean()
    boundary = np.abs(slab.positions[:, 0]) < 3.0
    slab.positions[boundary] += np.random.default_rng(seed).normal(0, disorder_angstrom, (boundary.sum(), 3))
    slab.set_array("boundary", boundary)
    slab.set_array("grain", np.where(slab.positions[:, 0] < 0, 1, 2))
    return slab


SLABS = {"a": _slab(1), "b": _slab(2)}
OTHERS = {"c": _slab(3), "d": _slab(4)}


def _distances(slab: Atoms) -> Vector:
    """Distances (n boundary atoms, n), nearest images; an atom's own is infinite."""
    chosen = np.flatnonzero(slab.arrays["boundary"])
    difference = slab.positions[chosen, None] - slab.positions
    periods = slab.cell.lengths()[1:]
    difference[..., 1:] -= periods * np.round(difference[..., 1:] / periods)
    distances = np.linalg.norm(difference, axis=-1)
    distances[np.arange(len(chosen)), chosen] = np.inf
    return np.asarray(distances)


def _short_of_atoms(slab: Atoms) -> Vector:
    """Smooth functions (n boundary atoms, 3) of near neighbours' distances."""
    distances = np.minimum(_distances(slab), 4.0)[..., None]
    fading = (1 - (distances / 4.0) ** 2) ** 3
    return np.asarray((fading * np.exp(-((distances - np.array([2.2, 2.5, 2.8])) ** 2) / 0.1)).sum(axis=1))


def _short(slab: Atoms) -> Vector:
    """Invariant, smooth, short-ranged."""
    return np.asarray(_short_of_atoms(slab).mean(axis=0))


def _two_scales(slab: Atoms) -> Vector:
    """The same beside how deviations of atoms that are up to some 30 Angstrom apart agree."""
    atoms = _short_of_atoms(slab)
    deviation = atoms - atoms.mean(axis=0)
    apart = np.minimum(_distances(slab)[:, slab.arrays["boundary"]], 1e3)
    np.fill_diagonal(apart, 0.0)
    together = (np.exp(-(apart**2) / (2 * 12.0**2)) @ deviation * deviation).mean(axis=0)
    return np.concatenate([_short(slab), together])


def _counts(slab: Atoms) -> Vector:
    """Shares of the boundary's atoms by their number of neighbours: invariant, but it jumps."""
    return np.bincount((_distances(slab) < 3.0).sum(axis=1), minlength=30)[:30] / slab.arrays["boundary"].sum()


def _oriented(slab: Atoms) -> Vector:
    """Spread of the boundary's atoms along each axis of a cell's own period, and the first of `_short`: not the same when turned."""
    x = slab.positions[slab.arrays["boundary"]]
    phases = np.cos(2 * np.pi * x[:, 1:] / 3.52).mean(axis=0)
    sines = np.sin(2 * np.pi * x[:, 1:] / 3.52).mean(axis=0)
    return np.append(np.hypot(phases, sines) * np.array([1.0, 2.0]), _short(slab))


def _sum(slab: Atoms) -> Vector:
    """A sum instead of a mean, so that repetition changes it."""
    return _short(slab) * slab.arrays["boundary"].sum()


def _positions(slab: Atoms) -> Vector:
    return np.resize(slab.positions[slab.arrays["boundary"]].ravel(), 30)


def _kinked(slab: Atoms) -> Vector:
    """Continuous, with kinks where a distance passes a limit."""
    return np.array(
        [np.abs(slab.positions[slab.arrays["boundary"], 1] - limit).mean() for limit in np.linspace(0, 4, 5)]
    )


def _measured(
    describe: Toy, settings: DescriptorProperties = SETTINGS, slabs: dict[str, Atoms] = SLABS
) -> pd.DataFrame:
    survey = slabs | OTHERS
    matrix = FeatureMatrix(list(survey), np.array([describe(slab) for slab in survey.values()]), [])
    again = {name: paths.displaced(slab, [1e-4], 9) for name, slab in slabs.items()}
    return measure("toy", describe, matrix, slabs, again, lambda slab: slab.arrays["boundary"], settings)


def _judged(measurements: pd.DataFrame) -> pd.DataFrame:
    return verdicts.entries(measurements, NO_MARKS, SETTINGS).set_index("property")


@pytest.fixture(scope="module")
def measured() -> dict[str, pd.DataFrame]:
    return {toy.__name__[1:]: _measured(toy) for toy in (_short, _counts, _oriented, _sum, _positions, _kinked)}


@pytest.mark.parametrize(
    ("toy", "its_property", "verdict"),
    [
        ("short", "invariance", "yes"),
        ("counts", "invariance", "yes"),
        ("oriented", "invariance", "partly"),
        ("sum", "invariance", "partly"),
        ("positions", "invariance", "no"),
        ("short", "perturbations", "yes"),
        ("positions", "perturbations", "yes"),
        ("counts", "perturbations", "partly"),
        ("short", "smoothly varying", "yes"),
        ("kinked", "smoothly varying", "partly"),
        ("counts", "smoothly varying", "no"),
        ("short", "multi-scale", "no"),
        ("counts", "multi-scale", "no"),
        ("short", "comparison", "yes"),
    ],
)
def test_toys_get_the_right_verdict(
    measured: dict[str, pd.DataFrame], toy: str, its_property: str, verdict: str
) -> None:
    entry = _judged(measured[toy]).loc[its_property]
    assert entry["verdict"] == verdict, entry.to_dict()


def test_the_range_found_is_the_range_there_is(measured: dict[str, pd.DataFrame]) -> None:
    """Defects see each other through a common neighbour: up to twice the cut-off of 4 Angstrom."""
    assert 2.5 < _judged(measured["short"]).loc["multi-scale", "value"] <= 8.0


def test_what_agrees_over_long_distances_is_multi_scale() -> None:
    settings = SETTINGS.model_copy(update={"boundaries": ["a"]})
    entry = _judged(_measured(_two_scales, settings, {"a": _slab(1, disorder_angstrom=0.01)})).loc["multi-scale"]
    assert entry["verdict"] == "yes", entry.to_dict()


def test_a_constant_describes_nothing() -> None:
    with pytest.raises(ValueError, match="described alike"):
        _measured(lambda slab: np.ones(3))


def test_a_shaken_boundary_relaxes_to_where_it_was(tmp_path: Path) -> None:
    """The coherent twin, which is hardly to be missed."""
    potential = prepare_potential(Potential(), "fcc", tmp_path)
    potential.write(tmp_path / "potential.json")
    twin = SimpleNamespace(left=((2, 2, 2), (1, -1, 0), (1, 1, -2)), right=((2, 2, 2), (-1, 1, 0), (-1, -1, 2)))
    slab = build_bicrystal(twin, "fcc", potential.lattice_constant_angstrom, "Ni", 16.0, min_period_angstrom=4.0)
    slab.set_array("boundary", select_boundary_atoms(slab, BoundaryAtoms(), "fcc").mask)
    write_shard(tmp_path / "survey.h5", {"twin": {"structure": atoms_to_record(slab)}}, Provenance.of({}, "code"), {})
    files = tmp_path / "survey.h5", tmp_path / "potential.json", tmp_path / "again.h5"
    relax_again(
        *files, ["twin"], 2, 0.1, 0, Relaxation(force_tolerance_ev_angstrom=1e-3), BoundaryAtoms(), "fcc", "code"
    )
    with open_shard(tmp_path / "again.h5") as shard:
        record = shard.read("twin")
    # As built, the planes beside the twin are not yet at their best distance.
    assert record["differences_j_m2"] == pytest.approx(np.full(2, record["differences_j_m2"][0]), abs=1e-5)
    assert (record["differences_j_m2"] > -0.01).all()
    assert (record["differences_j_m2"] < 0).all()
    for number in (1, 2):
        again = atoms_from_record(record[f"structure_{number}"])
        np.testing.assert_array_equal(again.arrays["boundary"], slab.arrays["boundary"])
        moved = np.linalg.norm(find_mic(again.positions - slab.positions, slab.cell, slab.pbc)[0], axis=1)
        assert 0 < moved.max() < 0.1


def _rows(its_property: str, *rows: tuple[str, str | None, float | None, float]) -> pd.DataFrame:
    return pd.DataFrame([("toy", its_property, *row) for row in rows], columns=MEASUREMENT_COLUMNS)


@pytest.mark.parametrize(
    ("same", "nearest", "verdict"), [(0.01, 1.0, "yes"), (0.7, 1.0, "partly"), (2.0, 1.0, "no"), (0.0, 0.0, "no")]
)
def test_comparison_asks_whether_one_boundary_is_nearer_to_itself(same: float, nearest: float, verdict: str) -> None:
    rows = _rows("comparison", ("nearest other boundary", "a", None, nearest), ("relaxed again", "a", 1.0, same))
    assert verdicts.entries(rows, NO_MARKS, SETTINGS).set_index("property").loc["comparison", "verdict"] == verdict


def test_comparison_without_a_relaxation_that_came_back_is_not_measured() -> None:
    rows = _rows("comparison", ("nearest other boundary", "a", None, 1.0))
    assert (
        verdicts.entries(rows, NO_MARKS, SETTINGS).set_index("property").loc["comparison", "verdict"] == "not measured"
    )


def test_large_changes_by_small_displacements_are_no_robustness() -> None:
    rows = _rows("perturbations", *(("same atoms", "a", length, 50 * length) for length in SETTINGS.displacements_angstrom),
                 *(("atoms selected anew", "a", length, 60 * length) for length in SETTINGS.displacements_angstrom))  # fmt: skip
    entry = verdicts.entries(rows, NO_MARKS, SETTINGS).set_index("property").loc["perturbations"]
    assert entry["verdict"] == "no"
    assert entry["value"] == pytest.approx(0.5)


@pytest.mark.parametrize(("described", "verdict"), [(100, "yes"), (95, "partly"), (50, "no")])
def test_automation_is_the_share_that_is_described(described: int, verdict: str) -> None:
    ids = [str(number) for number in range(100)]
    table = coverage("toy", ids[:described], ids, [])
    entry = verdicts.entries(table, NO_MARKS, SETTINGS).set_index("property")
    assert entry.loc["automation", "value"] == described / 100
    assert entry.loc["automation", "verdict"] == verdict
    assert entry.loc["3D structures", "verdict"] == "not measured"


def test_three_dimensional_boundaries_are_mixed_and_have_no_short_period() -> None:
    boundaries = enumerate_boundaries("fcc", 6)
    chosen = set(three_dimensional_ids(boundaries))
    assert 0 < len(chosen) < len(boundaries)
    for boundary in boundaries:
        expected = boundary.character == "mixed" and min(boundary.cell_lengths_a0) > 2
        assert (boundary.id in chosen) == expected
    left_out = sorted(chosen)[0]
    ids = [b.id for b in boundaries]
    table = coverage("toy", set(ids) - {left_out}, ids, boundaries).set_index("property")
    assert table.loc["3D structures", "value"] == pytest.approx(1 - 1 / len(chosen))


@pytest.mark.parametrize(("quantity", "verdict"), [(FOUND, "yes"), (LISTED, "no")])
def test_only_what_is_found_without_a_list_is_discovered(quantity: str, verdict: str) -> None:
    entry = verdicts.entries(_rows("subunit discovery", (quantity, None, None, 5.0)), NO_MARKS, SETTINGS)
    assert entry.set_index("property").loc["subunit discovery", "verdict"] == verdict


def test_typical_distance_is_the_median() -> None:
    values = np.random.default_rng(0).normal(size=(9, 4)) + 100
    pairs = [np.linalg.norm(a - b) for i, a in enumerate(values) for b in values[:i]]
    assert typical_distance(values) == pytest.approx(np.median(pairs), rel=1e-9)


def test_transformations_keep_every_distance() -> None:
    """Sorted distances from the boundary's atoms are those of the original, repeated as often as the cell."""
    slab = SLABS["a"][np.abs(SLABS["a"].positions[:, 0]) < 6]
    square = slab.repeat((1, 2, 3))
    reference = np.sort(_distances(square), axis=1)[:, :12].mean(axis=0)
    kinds = []
    for kind, _, same in same_boundary(square, seed=3):
        kinds.append(kind)
        assert tuple(same.pbc) == (False, True, True)
        np.testing.assert_allclose(np.sort(_distances(same), axis=1)[:, :12].mean(axis=0), reference, atol=1e-9)
        assert same.get_volume() / len(same) == pytest.approx(square.get_volume() / len(square))
    assert kinds.count(ROTATION) == 5  # with other axes: the cell is square


def test_other_periods_lie_along_the_diagonal_of_a_square_and_are_not_sought_far() -> None:
    square = SLABS["a"].repeat((1, 2, 3))
    turned = other_periods(square)
    assert turned is not None
    assert len(turned) == 2 * len(square)
    np.testing.assert_allclose(turned.cell.lengths()[1:], np.sqrt(2) * square.cell.lengths()[1:])
    incommensurate = square.copy()
    incommensurate.set_cell(square.cell.lengths() * [1, 1, 1.2345], scale_atoms=True)
    assert other_periods(incommensurate) is None


def test_paths_begin_at_the_structure_and_move_what_they_should() -> None:
    slab = SLABS["a"]
    sliding = paths.sliding_grain(slab, 1.0, 4)
    np.testing.assert_array_equal(sliding[0].positions, slab.positions)
    shift = sliding[-1].positions - slab.positions
    np.testing.assert_allclose(shift, np.outer(slab.arrays["grain"] == 2, [0, 1.0, 0]), atol=1e-12)
    moved = np.linalg.norm(paths.moving_atom(slab, 0.5, 8)[-1].positions - slab.positions, axis=1)
    assert np.flatnonzero(moved).tolist() == [paths.middle_atom(slab)]
    assert moved.max() == pytest.approx(0.5)


def test_pairs_of_defects_are_as_far_apart_as_is_said() -> None:
    slab, first, partners = paths.defect_pairs(SLABS["a"], [3.0, 10.0, 20.0])
    assert slab.cell.lengths()[1] > 2 * 20.0
    for (distance, partner), wanted in zip(partners, (3.0, 10.0, 20.0), strict=True):
        assert distance == pytest.approx(slab.get_distance(first, partner, mic=True))
        assert abs(distance - wanted) < 1.5
        assert slab.arrays["boundary"][partner]


@pytest.mark.parametrize("kind", ["cna", "ptm", "ptm_rmsd"])
def test_a_crystal_is_classified_as_such(kind: str) -> None:
    crystal = bulk("Ni", cubic=True).repeat(4)
    crystal.set_array("boundary", np.ones(len(crystal), dtype=bool))
    shares = classify(crystal, crystal.arrays["boundary"], kind)  # type: ignore[arg-type]
    np.testing.assert_allclose(shares[:5], [0, 1, 0, 0, 0], atol=1e-12)
    if kind == "ptm_rmsd":
        assert shares[-1] == pytest.approx(0, abs=1e-6)
        crystal.rattle(0.05, seed=1)
        assert 0.005 < classify(crystal, crystal.arrays["boundary"], "ptm_rmsd")[-1] < 0.05


def test_soap_is_invariant_smooth_and_local() -> None:
    """The real descriptor, small: the cut-off of 4 Angstrom makes it blind beyond 8."""
    settings = SETTINGS.model_copy(update={"path_steps": 16, "boundaries": ["a"]})
    soap = Soap(n_max=4, l_max=4, cutoff_angstrom=4.0)
    measurements = _measured(lambda slab: featurize(slab, slab.arrays["boundary"], soap), settings, {"a": SLABS["a"]})
    entries = _judged(measurements)
    assert entries.loc[["invariance", "perturbations", "smoothly varying"], "verdict"].tolist() == ["yes"] * 3
    assert entries.loc["invariance", "value"] < 1e-9
    assert entries.loc["multi-scale", "verdict"] == "no"
    assert entries.loc["multi-scale", "value"] <= 8.0


def test_published_marks_are_one_for_each_cell_and_say_how_certain_they_are() -> None:
    published = pd.read_csv(PROJECT / "resources/published/homer2019_table2.csv", keep_default_na=False)
    names = [its.name for its in verdicts.PROPERTIES]
    assert list(dict.fromkeys(published["property"])) == names
    assert len(published) == 9 * len(names) == len(published.drop_duplicates(["property", "descriptor"]))
    assert set(published["mark"]) == {"yes", "no", "researcher", ""}
    assert ((published["mark"] == "") == (published["certainty"] == "unknown")).all()
    # As many check marks and R in each row as the published table has, where every cell of a row is known.
    counts = {"easily visualized": (8, 0), "easily interpreted": (7, 1)}
    for name, (checks, by_researcher) in counts.items():
        marks = published.loc[published["property"] == name, "mark"].value_counts()
        assert (marks["yes"], marks.get("researcher", 0)) == (checks, by_researcher)


def test_marks_are_found_by_the_published_name() -> None:
    published = pd.DataFrame([("automation", "st", "yes", "stated")], columns=NO_MARKS.columns)
    rows = coverage("st~n_scales=8", ["a"], ["a"], [])
    assert verdicts.entries(rows, published, SETTINGS)["published"].isna().all()
    entries = verdicts.entries(rows, published, SETTINGS, {"st~n_scales=8": "st"}).set_index("property")
    assert entries.loc["automation", "published"] == "yes"


def test_table_and_picture(measured: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    published = pd.read_csv(PROJECT / "resources/published/homer2019_table2.csv")
    measurements = pd.concat(
        [measured["short"].assign(descriptor="soap"), measured["counts"].assign(descriptor="cna")], ignore_index=True
    )
    entries = verdicts.entries(measurements, published, SETTINGS)
    table = descriptor_properties_table(entries)
    assert list(table) == ["Property", "CNA", "SOAP", "Rule"]
    invariance = table.set_index(table["Property"].str.split("\n").str[0]).loc["Invariance"]
    verdict, decides, note = invariance["SOAP"].split("\n")
    assert verdict == "yes"
    assert float(decides.removesuffix(", paper ✓")) <= verdicts.SAME
    assert note.startswith("translations ")
    assert invariance["CNA"].startswith("yes\n0, paper (✓)\n")
    write_descriptor_properties(entries, tmp_path / "table.html", SETTINGS)
    assert "Smoothly varying" in (tmp_path / "table.html").read_text()
    plot_descriptor_properties(measurements, tmp_path / "picture.svg", SETTINGS)
    assert (tmp_path / "picture.svg").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"path_steps": 24}, "power of two"),
        ({"displacements_angstrom": (0.1, 0.01, 0.001)}, "smallest first"),
        ({"separations_angstrom": (3.0, 10.0)}, "would not be seen"),
        ({"boundaries": ("a", "a")}, "once"),
        ({"representations": ["cna"], "classifications": ["cna"]}, "another name"),
    ],
)
def test_settings_that_cannot_be_measured_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DescriptorProperties(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"descriptor_properties": {"representations": ["saop"]}}, "saop is not one of features.representations"),
        ({"descriptor_properties": {"representations": ["soap+st"]}}, "computed from atoms"),
        (
            {
                "descriptor_properties": {"classifications": ["cna"]},
                "survey": {"enumeration": {"ids": ["S5_3.1.0_3.1.0_7cac86de"]}},
                "learn": {"targets": []},
            },
            "add it there",
        ),
    ],
)
def test_what_is_not_there_is_refused_before_any_job(raw: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(raw, PROJECT)
