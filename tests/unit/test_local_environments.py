"""Local environments: the clustering against brute force, and the representation of a small survey with its invariances."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_pooled_soap import near_boundary, slab

from gbscape.config.features import Features, expand
from gbscape.config.soap import LocalEnvironments
from gbscape.features import soap
from gbscape.features.local_environments import nearest_environments, unique_environments
from gbscape.features.matrix import concatenate_files, read_features
from gbscape.features.names import feature_names
from gbscape.features.representation import featurize
from gbscape.store.provenance import Provenance
from gbscape.store.records import atoms_from_record, atoms_to_record
from gbscape.store.shards import ShardError, open_shard, write_shard
from gbscape.survey import local_environment_shards
from gbscape.survey.gather import gather_features
from gbscape.survey.local_environment_shards import (
    candidate_shard,
    fraction_shard,
    merge_candidates,
    read_dictionary,
    tabulate_environments,
)

SMALL = LocalEnvironments(n_max=4, l_max=4, cutoff_angstrom=4.0, threshold=0.05)


def clouds(seed, n=120, d=9, groups=12):
    """Vectors of norm 1 about some centres."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(groups, d))
    vectors = centres[rng.integers(groups, size=n)] + 0.05 * rng.normal(size=(n, d))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def farthest_points(vectors, threshold, weights):
    """The definition, with all distances in double precision."""
    wide = vectors.astype(float)
    distances = np.linalg.norm(wide[:, None] - wide, axis=2)
    chosen = [int(np.linalg.norm(wide - np.average(wide, axis=0, weights=weights), axis=1).argmin())]
    while distances[chosen].min(axis=0).max() > threshold:
        chosen.append(int(distances[chosen].min(axis=0).argmax()))
    return chosen


@pytest.mark.parametrize("threshold", [0.02, 0.1, 0.3, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_unique_environments_are_the_farthest_points(seed, threshold):
    vectors = clouds(seed)
    weights = np.random.default_rng(seed).integers(1, 50, len(vectors))
    assert unique_environments(vectors, threshold, weights).tolist() == farthest_points(vectors, threshold, weights)
    assert unique_environments(vectors, threshold).tolist() == farthest_points(vectors, threshold, None)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999), threshold=st.floats(0.02, 1.2))
def test_unique_environments_are_apart_and_cover_all_in_any_order(seed, threshold):
    vectors = clouds(seed)
    unique = unique_environments(vectors, threshold)
    chosen = vectors[unique].astype(float)
    between = np.linalg.norm(chosen[:, None] - chosen, axis=2)[np.triu_indices(len(chosen), 1)]
    assert (between > threshold - 1e-6).all()
    assert np.linalg.norm(vectors[:, None] - chosen, axis=2).min(axis=1).max() <= threshold + 1e-6
    order = np.random.default_rng(seed).permutation(len(vectors))
    np.testing.assert_array_equal(order[unique_environments(vectors[order], threshold)], unique)


def test_the_distance_is_that_of_the_kernel_and_the_nearest_is_found():
    vectors, environments = clouds(1, 200), clouds(2, 30)
    indices, distances = nearest_environments(vectors.astype(float), environments)
    kernel = np.sqrt(2 - 2 * vectors.astype(float) @ environments.T.astype(float))
    np.testing.assert_array_equal(indices, kernel.argmin(axis=1))
    np.testing.assert_allclose(distances, kernel.min(axis=1), atol=1e-6)
    same, zero = nearest_environments(environments, environments)
    np.testing.assert_array_equal(same, np.arange(30))
    assert zero.max() == 0


def test_too_many_are_refused():
    assert len(unique_environments(clouds(0), 0.3, most=12)) == 12
    with pytest.raises(
        ValueError, match=r"more than 11 environments differ by more than the threshold, 0\.3: choose a larger"
    ):
        unique_environments(clouds(0), 0.3, most=11)


def turned(atoms):
    """By a quarter about the normal."""
    other = atoms.copy()
    other.positions[:, 1:] = atoms.positions[:, [2, 1]] * [-1, 1]
    other.set_cell(atoms.cell.lengths()[[0, 2, 1]], scale_atoms=False)
    return other


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two boundaries; of the first also a turned copy, one with its atoms in another order and one of a repeated cell."""
    first, second = slab(12.0), slab(12.0, rattled=False)
    order = np.random.default_rng(0).permutation(len(first))
    structures = {
        "a": first, "b": second, "a_turned": turned(first), "a_permuted": first[order], "a_repeated": first.repeat((1, 2, 3))
    }  # fmt: skip
    for atoms in structures.values():
        atoms.set_array("boundary", near_boundary(atoms))
    path = tmp_path_factory.mktemp("survey") / "survey.h5"
    records = {name: {"structure": atoms_to_record(atoms)} for name, atoms in structures.items()}
    write_shard(path, records, Provenance.of({}, "code"), {})
    return path


def represent(survey: Path, folder: Path, settings=SMALL, n_shards=2, on_failure="stop"):
    folder.mkdir(parents=True, exist_ok=True)
    candidates = [folder / f"candidates_{i}.h5" for i in range(n_shards)]
    for i, path in enumerate(candidates):
        candidate_shard(survey, path, settings, i, n_shards, "code")
    dictionary = folder / "dictionary.h5"
    count = merge_candidates(survey, candidates, dictionary, settings, "code", on_failure)
    shards = [folder / f"shard_{i}.h5" for i in range(n_shards)]
    for i, path in enumerate(shards):
        fraction_shard(survey, dictionary, path, settings, i, n_shards, "code")
    gather_features(survey, shards, folder / "ler.h5", on_failure)
    return count, dictionary, folder / "ler.h5"


@pytest.fixture(scope="module")
def represented(survey: Path, tmp_path_factory: pytest.TempPathFactory):
    return represent(survey, tmp_path_factory.mktemp("ler"))


def vectors_of(survey: Path):
    with open_shard(survey) as shard:
        for item, record in shard:
            structure = record["structure"]
            yield (
                item,
                soap.power_spectrum(atoms_from_record(structure), SMALL.parameters(), structure["arrays"]["boundary"]),
            )


def test_fractions_are_those_of_the_nearest_environments(survey, represented):
    count, dictionary, ler = represented
    features = read_features(ler)
    assert 3 < count < 60
    assert features.names == [f"environment {i}" for i in range(count)]
    np.testing.assert_allclose(features.values.sum(axis=1), 1, rtol=1e-12)
    assert (features.values >= 0).all()
    environments = read_dictionary(dictionary).astype(float)
    with open_shard(ler) as shard:
        for row, (item, vectors) in zip(features.values, vectors_of(survey), strict=True):
            distances = np.linalg.norm(vectors[:, None] - environments, axis=2)
            record = shard.read(item)
            np.testing.assert_allclose(record["distance"], distances.min(axis=1), atol=1e-6)
            chosen = distances[np.arange(len(vectors)), record["environment"]]
            np.testing.assert_allclose(chosen, distances.min(axis=1), atol=1e-6)
            np.testing.assert_array_equal(row, np.bincount(record["environment"], minlength=count) / len(vectors))
            assert distances.min(axis=1).max() <= 2 * SMALL.threshold
    between = np.linalg.norm(environments[:, None] - environments, axis=2)[np.triu_indices(count, 1)]
    assert between.min() > SMALL.threshold


def test_rotation_permutation_and_repetition_do_not_matter(represented):
    features = read_features(represented[2])
    rows = dict(zip(features.ids, features.values, strict=True))
    for other in ("a_turned", "a_permuted", "a_repeated"):
        np.testing.assert_allclose(rows[other], rows["a"], atol=1e-12)
    assert np.abs(rows["b"] - rows["a"]).sum() > 0.5


def test_shards_do_not_matter(survey, represented, tmp_path):
    count, dictionary, ler = represent(survey, tmp_path, n_shards=1)
    assert count == represented[0]
    np.testing.assert_array_equal(read_dictionary(dictionary), read_dictionary(represented[1]))
    np.testing.assert_array_equal(read_features(ler).values, read_features(represented[2]).values)


def test_each_environment_is_that_of_the_atom_it_is_said_to_be(survey, represented):
    _, dictionary, ler = represented
    table = tabulate_environments(dictionary, ler)
    environments = read_dictionary(dictionary)
    features = read_features(ler)
    with open_shard(survey) as shard:
        masks = {item: np.flatnonzero(record["structure"]["arrays"]["boundary"]) for item, record in shard}
    vectors = dict(vectors_of(survey))
    assert list(table["environment"]) == list(range(len(environments)))
    for row, environment in zip(table.itertuples(), environments, strict=True):
        own = vectors[row.boundary][np.searchsorted(masks[row.boundary], row.atom)]
        np.testing.assert_allclose(own, environment, atol=1e-6)
    counts = np.array([len(masks[item]) for item in features.ids])
    np.testing.assert_array_equal(table["n_atoms"], np.rint(features.values.T @ counts))
    np.testing.assert_array_equal(table["n_boundaries"], (features.values > 0).sum(axis=0))
    assert (table["largest_distance"] >= 0).all()
    assert isinstance(table, pd.DataFrame)


def test_a_smaller_threshold_finds_more(survey, represented, tmp_path):
    swept = Features.model_validate(
        {"representations": {"ler": SMALL.model_dump() | {"sweep": {"threshold": [0.02, 0.05, 0.2]}}}}
    ).representations
    members = expand(swept)
    assert list(members) == [f"ler~threshold={t}" for t in ("0.02", "0.05", "0.2")]
    assert members["ler~threshold=0.05"] == SMALL
    counts = [represent(survey, tmp_path / name, member)[0] for name, member in members.items()]
    assert counts[0] > counts[1] == represented[0] > counts[2] >= 1


def test_concatenation_has_the_names_of_the_environments(represented, tmp_path):
    count, _, ler = represented
    other = tmp_path / "other.h5"
    ids = read_features(ler).ids
    settings = SMALL.model_dump(mode="json") | {"n_environments": 2}
    write_shard(other, {item: {"vector": np.zeros(2)} for item in ids}, Provenance.of(settings, "code"), {})
    concatenate_files([ler, other], tmp_path / "both.h5", "code")
    both = read_features(tmp_path / "both.h5")
    assert both.values.shape == (len(ids), count + 2)
    assert both.names[count - 1 :] == [f"ler: environment {count - 1}", "other: environment 0", "other: environment 1"]


def test_a_boundary_that_fails_is_listed_and_the_others_go_on(survey, tmp_path):
    broken = tmp_path / "survey.h5"
    with open_shard(survey) as shard:
        records = {item: shard.read(item) for item in ("a", "b")}
    records["b"]["structure"]["positions"][1] = records["b"]["structure"]["positions"][0]
    write_shard(broken, records, Provenance.of({}, "code"), {})
    with pytest.raises(ShardError, match="b: ValueError: atoms 0 and 1"):
        represent(broken, tmp_path / "stop")
    _, _, ler = represent(broken, tmp_path / "skip", on_failure="skip")
    with open_shard(ler) as shard:
        assert shard.ids == ["a"]
        assert "atoms 0 and 1" in shard.failures["b"]


def test_too_many_environments_of_a_survey_are_refused(survey, tmp_path, monkeypatch):
    monkeypatch.setattr(local_environment_shards, "MOST_ENVIRONMENTS", 3)
    with pytest.raises(ValueError, match="more than 3 environments"):
        represent(survey, tmp_path)


def test_one_boundary_alone_has_no_such_vector():
    atoms = slab(12.0)
    with pytest.raises(ValueError, match="found over a whole survey"):
        featurize(atoms, near_boundary(atoms), SMALL)
    with pytest.raises(ValueError, match="known when the survey was searched"):
        feature_names(SMALL)
