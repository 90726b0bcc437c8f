"""Steps of the survey around the science: structures of the user's own, feature files, the table of energies."""

from pathlib import Path
from types import SimpleNamespace

import ase.io
import numpy as np
import pandas as pd
import pytest
from ase import Atoms

from gbscape.config.learn import Learn
from gbscape.config.model import Published
from gbscape.config.soap import Soap
from gbscape.config.survey import BoundaryAtoms
from gbscape.features.matrix import concatenate_files, read_features
from gbscape.features.representation import featurize
from gbscape.store.failures import FAILURE_COLUMNS, tabulate_failures
from gbscape.store.records import atoms_from_record
from gbscape.store.shards import ShardError, compute_shard, gather_shards, open_shard
from gbscape.structure.bicrystal import build_bicrystal, remove_overlaps
from gbscape.survey.boundary import write_boundaries
from gbscape.survey.energies import published_figures, tabulate_energies
from gbscape.survey.enumeration import enumerate_boundaries
from gbscape.survey.feature_shard import feature_shard
from gbscape.survey.learn_target import learn_target_random
from gbscape.survey.own_structures import import_structures
from gbscape.survey.select_atoms import select_survey_atoms

TILT = SimpleNamespace(left=[[6, 2, 0], [-2, 6, 0], [0, 0, 2]], right=[[6, -2, 0], [2, 6, 0], [0, 0, 2]])
SOAP = Soap(n_max=3, l_max=3, cutoff_angstrom=4.0)


def _slab() -> Atoms:
    return remove_overlaps(build_bicrystal(TILT, "fcc", 3.52, "Ni", 20.0, min_period_angstrom=7.0), 1.8)


def _import(folder: Path, tmp_path: Path, **options: str) -> Path:
    out = tmp_path / "relaxed.h5"
    files = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    import_structures(files, out, "fcc", "code", **options)  # type: ignore[arg-type]
    return out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good slabs, in two formats, one of them far from x = 0."""
    folder = tmp_path / "slabs"
    folder.mkdir()
    atoms = _slab()
    atoms.positions[:, 0] += 100
    atoms.info["energy_j_m2"] = 1.2
    ase.io.write(folder / "a.xyz", atoms, format="extxyz")
    ase.io.write(folder / "b.traj", _slab())
    (folder / ".hidden").write_text("no structure")
    return folder


def test_own_structures_become_a_survey(folder: Path, tmp_path: Path) -> None:
    with open_shard(_import(folder, tmp_path)) as survey:
        assert survey.ids == ["a", "b"]
        a, b = survey.read("a"), survey.read("b")
    assert a["energy_j_m2"] == 1.2
    assert "energy_j_m2" not in b
    # The boundary was moved to x = 0.
    np.testing.assert_allclose(a["structure"]["positions"], b["structure"]["positions"], atol=1e-6)
    assert _failures(tmp_path).empty


def _failures(folder: Path) -> pd.DataFrame:
    tabulate_failures({"structures": folder / "relaxed.h5"}, folder / "failures.tsv")
    table = pd.read_csv(folder / "failures.tsv", sep="\t")
    assert list(table) == FAILURE_COLUMNS
    return table


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda atoms: atoms.set_pbc(True), r"periodic in y and z and not in x"),
        (lambda atoms: atoms.info.update(energy_j_m2=-1.0), r"energy_j_m2 = -1\.0 in bad\.xyz; it must be positive"),
        (lambda atoms: atoms.symbols.__setitem__(0, "Cu"), r"one species, the slab has Cu, Ni"),
        (lambda atoms: atoms.positions.__setitem__(0, atoms.positions[1] + 0.1), r"Angstrom apart"),
    ],
)
def test_one_bad_file_is_named_and_takes_no_other_along(
    folder: Path, tmp_path: Path, spoil: object, message: str
) -> None:
    bad = _slab()
    spoil(bad)  # type: ignore[operator]
    ase.io.write(folder / "bad.xyz", bad, format="extxyz")
    with pytest.raises(ShardError, match=rf"(?s)1 items failed.*bad: ValueError: .*{message}"):
        _import(folder, tmp_path)
    with open_shard(_import(folder, tmp_path, on_failure="skip")) as survey:
        assert survey.ids == ["a", "b"]
    assert _failures(tmp_path)[["step", "id"]].to_numpy().tolist() == [["structures", "bad"]]


def test_a_file_that_is_no_structure_is_named(folder: Path, tmp_path: Path) -> None:
    (folder / "notes.txt").write_text("remember the milk")
    with pytest.raises(ShardError, match="notes: "):
        _import(folder, tmp_path)


def test_empty_folders_and_double_names_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no structure files"):
        _import(tmp_path / "empty", tmp_path)
    ase.io.write(folder / "a.traj", _slab())
    with pytest.raises(ValueError, match="nothing but their endings"):
        _import(folder, tmp_path)


def test_features_of_shards_gather_into_a_matrix_with_names(folder: Path, tmp_path: Path) -> None:
    select_survey_atoms(_import(folder, tmp_path), tmp_path / "survey.h5", BoundaryAtoms(), "fcc", "code")
    shards = [tmp_path / f"shard_{i}.h5" for i in range(3)]  # one more than there are boundaries
    for i, shard in enumerate(shards):
        feature_shard(tmp_path / "survey.h5", shard, SOAP, i, len(shards), "code")
    gather_shards(shards, tmp_path / "soap.h5", ["a", "b"])
    features = read_features(tmp_path / "soap.h5")
    assert features.ids == ["a", "b"]
    assert features.values.shape == (2, len(features.names))
    assert features.part_sizes == ()
    with open_shard(tmp_path / "survey.h5") as survey:
        atoms = atoms_from_record(survey.read("b")["structure"])
    np.testing.assert_array_equal(features.values[1], featurize(atoms, atoms.arrays["boundary"], SOAP))

    gather_shards(shards, tmp_path / "again.h5", ["a", "b"])
    concatenate_files([tmp_path / "soap.h5", tmp_path / "again.h5"], tmp_path / "both.h5", "code")
    both = read_features(tmp_path / "both.h5")
    np.testing.assert_array_equal(both.values, np.hstack([features.values, features.values]))
    assert both.part_sizes == (len(features.names), len(features.names))
    assert both.names[0] == f"soap: {features.names[0]}"
    assert both.names[-1] == f"again: {features.names[-1]}"


def test_an_item_that_failed_in_one_part_is_listed_not_silently_dropped(folder: Path, tmp_path: Path) -> None:
    select_survey_atoms(_import(folder, tmp_path), tmp_path / "survey.h5", BoundaryAtoms(), "fcc", "code")
    feature_shard(tmp_path / "survey.h5", tmp_path / "good.h5", SOAP, 0, 1, "code")
    too_wide = Soap(n_max=3, l_max=3, cutoff_angstrom=19.5)  # reaches out of the slab
    feature_shard(tmp_path / "survey.h5", tmp_path / "bad.h5", too_wide, 0, 1, "code")
    concatenate_files([tmp_path / "good.h5", tmp_path / "bad.h5"], tmp_path / "both.h5", "code")
    with open_shard(tmp_path / "both.h5") as both:
        assert both.ids == []
        assert both.failures.keys() == {"a", "b"}
        assert both.failures["a"].startswith("bad: ValueError: the neighbourhoods")


def test_concatenation_of_different_items_is_refused(folder: Path, tmp_path: Path) -> None:
    select_survey_atoms(_import(folder, tmp_path), tmp_path / "survey.h5", BoundaryAtoms(), "fcc", "code")
    for i in range(2):
        feature_shard(tmp_path / "survey.h5", tmp_path / f"{i}.h5", SOAP, i, 2, "code")
    with pytest.raises(ValueError, match="not about the same items"):
        concatenate_files([tmp_path / "0.h5", tmp_path / "1.h5"], tmp_path / "both.h5", "code")


def test_energies_stand_beside_the_published_ones_where_there_are_any(folder: Path, tmp_path: Path) -> None:
    boundaries = enumerate_boundaries(max_length=4)[:2]
    write_boundaries(tmp_path / "boundaries.csv", boundaries)
    for old, new in zip(("a.xyz", "b.traj"), boundaries, strict=True):
        (folder / old).rename(folder / f"{new.id}{Path(old).suffix}")
    select_survey_atoms(_import(folder, tmp_path), tmp_path / "survey.h5", BoundaryAtoms(), "fcc", "code")
    published = pd.DataFrame({"sigma": 3, "energy_j_m2": 1.0}, index=pd.Index([boundaries[0].id], name="id"))
    table = tabulate_energies(tmp_path / "boundaries.csv", tmp_path / "survey.h5", published).set_index("id")
    first, second = (table.loc[b.id] for b in boundaries)
    assert first["difference_j_m2"] == pytest.approx(0.2)
    assert first["sigma"] == boundaries[0].sigma
    assert pd.isna(second["energy_j_m2"])
    assert pd.isna(second["published_energy_j_m2"])
    assert first["disorientation_deg"] == round(boundaries[0].disorientation_deg, 6)
    assert first["area_a0_squared"] == round(boundaries[0].area_a0_squared, 6)
    assert table["converged"].isna().all()  # structures of one's own do not say
    without = tabulate_energies(None, tmp_path / "survey.h5", None)
    assert without["published_energy_j_m2"].isna().all()
    assert without["sigma"].isna().all()


def test_energies_tell_what_converged(folder: Path, tmp_path: Path) -> None:
    with open_shard(_import(folder, tmp_path)) as survey:
        provenance, records = survey.provenance, dict(survey)
    told = {item: record | {"converged": item == "a"} for item, record in records.items()}
    compute_shard(tmp_path / "told.h5", list(told), told.__getitem__, provenance, "records")
    select_survey_atoms(tmp_path / "told.h5", tmp_path / "survey.h5", BoundaryAtoms(), "fcc", "code")
    table = tabulate_energies(None, tmp_path / "survey.h5", None)
    assert list(table)[list(table).index("energy_j_m2") + 1] == "converged"
    assert table.set_index("id")["converged"].to_dict() == {"a": True, "b": False}


def test_a_target_without_values_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"id": ["a"], "energy_j_m2": [1.0], "mobility_3_class": [None]}).to_csv(
        tmp_path / "e.csv", index=False
    )
    with pytest.raises(ValueError, match=r"no values of mobility_3_class; remove it from learn\.targets"):
        learn_target_random(tmp_path / "e.csv", "mobility_3_class", Learn(), 1)


def test_published_figures_come_from_the_table_the_supplement_or_nowhere(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    assert len(published_figures(Published(table=str(root / "resources/published/olmsted2009_ni.csv")))) == 388
    assert published_figures(Published(table=None)) is None
    with pytest.raises(ValueError, match=r"lacks files of the supplement: fcc1-1\.txt"):
        published_figures(Published(supplement=str(tmp_path)))
