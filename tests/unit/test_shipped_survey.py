"""A survey as one compact file, and boundaries lower than published with the structure before."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gbscape.config.survey import BoundaryAtoms, Enumeration, Potential
from gbscape.store.columns import read_columns, write_columns
from gbscape.store.provenance import Provenance
from gbscape.store.records import atoms_to_record
from gbscape.store.shards import ShardError, open_shard, write_shard
from gbscape.structure.bicrystal import build_bicrystal, remove_overlaps
from gbscape.survey.boundary import write_boundaries
from gbscape.survey.enumeration import enumerate_boundaries
from gbscape.survey.lower_than_published import lower_than_published
from gbscape.survey.shipped import read_shipped_survey, ship_survey

TILT = SimpleNamespace(left=[[6, 2, 0], [-2, 6, 0], [0, 0, 2]], right=[[6, -2, 0], [2, 6, 0], [0, 0, 2]])
PROVENANCE = Provenance.of({"a": 1}, "code")


def record(seed: int, searched: bool) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    slab = remove_overlaps(build_bicrystal(TILT, "fcc", 3.52, "Ni", 20.0, min_period_angstrom=7.0), 1.8)
    slab.set_array("energy_ev", random.normal(-4.4, 0.1, len(slab)))
    made = {
        "structure": atoms_to_record(slab),
        "energy_j_m2": 1.2 + 0.1 * random.random(),
        "cohesive_energy_ev": -4.45,
        "converged": True,
        "candidates": {
            "translation_angstrom": random.random((seed + 2, 2)),
            "removal": ["right", "left", "merge"][: seed + 1],
            "removed_atoms": np.arange(seed + 2),
            "failure": [""] * (seed + 2),
        },
    }
    if searched:
        before = slab[1:]
        made["local_search"] = {"before_j_m2": 1.5, "kinds": ["remove"], "structure_before": atoms_to_record(before)}
    return made


def same(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for name in a:
            same(a[name], b[name])
    elif isinstance(a, np.ndarray):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-7) if a.dtype.kind == "f" else np.testing.assert_equal(a, b)
    else:
        assert a == b


def test_columns_give_back_what_was_written(tmp_path: Path) -> None:
    records = {"b": record(0, True), "a": record(1, False), "c": record(2, True)}
    write_columns(tmp_path / "columns.h5", records, PROVENANCE)
    back, provenance = read_columns(tmp_path / "columns.h5")
    assert list(back) == ["b", "a", "c"]
    assert provenance == PROVENANCE
    same(records, back)
    assert back["a"]["energy_j_m2"] == records["a"]["energy_j_m2"]  # to the last bit


def test_integers_that_do_not_fit_fewer_bytes_are_kept(tmp_path: Path) -> None:
    write_columns(
        tmp_path / "c.h5", {"a": {"n": np.array([1, 70_000])}, "b": {"n": np.array([], dtype=int)}}, PROVENANCE
    )
    back, _ = read_columns(tmp_path / "c.h5")
    assert back["a"]["n"].tolist() == [1, 70_000]
    assert back["b"]["n"].tolist() == []


def test_a_field_is_one_thing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="x is an array in one item"):
        write_columns(tmp_path / "c.h5", {"a": {"x": 1.0}, "b": {"x": np.ones(2)}}, PROVENANCE)
    assert not list(tmp_path.iterdir())


def test_damaged_columns_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.h5"
    write_columns(path, {"a": record(0, False)}, PROVENANCE)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ShardError, match="damaged"):
        read_columns(path)
    with pytest.raises(FileNotFoundError):
        read_columns(tmp_path / "none.h5")


@pytest.fixture(scope="module")
def boundaries() -> list[Any]:
    return enumerate_boundaries("fcc", 5)


@pytest.fixture
def shipped(tmp_path: Path, boundaries: list[Any]) -> Path:
    records = {b.id: record(number, number == 0) for number, b in enumerate(boundaries[:2])}
    write_shard(tmp_path / "relaxed.h5", records, PROVENANCE, {})
    ship_survey(tmp_path / "relaxed.h5", tmp_path / "shipped.h5", Enumeration(), Potential(), "code")
    write_boundaries(tmp_path / "boundaries.csv", boundaries[:2])
    return tmp_path / "shipped.h5"


def test_a_shipped_survey_comes_back(shipped: Path, tmp_path: Path, boundaries: list[Any]) -> None:
    read_shipped_survey(shipped, tmp_path / "boundaries.csv", tmp_path / "again.h5", Potential(), "code")
    with open_shard(tmp_path / "again.h5") as again, open_shard(tmp_path / "relaxed.h5") as first:
        assert again.ids == [b.id for b in boundaries[:2]]
        for item in again.ids:
            same(first.read(item), again.read(item))
        assert "shipped" in again.provenance.inputs
        assert '"a": 1' in again.provenance.settings.replace("\\", "")


def test_the_lower_energies_of_joined_surveys_are_shipped(shipped: Path, tmp_path: Path, boundaries: list[Any]) -> None:
    first, second, third = (b.id for b in boundaries[:3])
    before, _ = read_columns(shipped)
    here = {
        first: record(0, False) | {"energy_j_m2": before[first]["energy_j_m2"] - 0.01},
        second: record(1, False) | {"energy_j_m2": before[second]["energy_j_m2"] + 0.01},
        third: record(2, False),
    }
    write_shard(tmp_path / "here.h5", here, PROVENANCE, {})
    ship_survey(tmp_path / "here.h5", tmp_path / "both.h5", Enumeration(), Potential(), "code", [shipped])
    both, provenance = read_columns(tmp_path / "both.h5")
    assert set(both) == {first, second, third}
    for item, expected in ((first, here), (second, before), (third, here)):
        same(expected[item], both[item])
    (joined,) = json.loads(provenance.settings)["joined"]
    assert joined["file"] == "shipped.h5"
    assert joined["boundaries"] == [second]
    assert joined["provenance"]["code"] == "code"
    copper = Potential(name="Cu_mishin1.eam.alloy", species="Cu")
    with pytest.raises(ValueError, match="relaxed with foiles-hoyt-ni"):
        ship_survey(tmp_path / "here.h5", tmp_path / "no.h5", Enumeration(), copper, "code", [shipped])


def test_another_potential_is_refused(shipped: Path, tmp_path: Path) -> None:
    copper = Potential(name="Cu_mishin1.eam.alloy", species="Cu")
    with pytest.raises(ValueError, match=r"relaxed with foiles-hoyt-ni \(Ni\), but survey.potential is Cu_mishin1"):
        read_shipped_survey(shipped, tmp_path / "boundaries.csv", tmp_path / "again.h5", copper, "code")
    assert not (tmp_path / "again.h5").exists()


def test_boundaries_that_are_not_shipped_are_named(shipped: Path, tmp_path: Path, boundaries: list[Any]) -> None:
    write_boundaries(tmp_path / "others.csv", boundaries[1:3])
    with pytest.raises(ShardError, match=f"{boundaries[2].id}: not in shipped.h5"):
        read_shipped_survey(shipped, tmp_path / "others.csv", tmp_path / "again.h5", Potential(), "code")
    read_shipped_survey(shipped, tmp_path / "others.csv", tmp_path / "again.h5", Potential(), "code", "skip")
    with open_shard(tmp_path / "again.h5") as again:
        assert again.ids == [boundaries[1].id]
        assert list(again.failures) == [boundaries[2].id]
    write_boundaries(tmp_path / "none.csv", boundaries[2:3])
    with pytest.raises(ShardError, match="none of the boundaries"):
        read_shipped_survey(shipped, tmp_path / "none.csv", tmp_path / "again.h5", Potential(), "code", "skip")


def test_lower_boundaries_stand_beside_what_they_were_before(
    shipped: Path, tmp_path: Path, boundaries: list[Any]
) -> None:
    first, second = (b.id for b in boundaries[:2])
    energies = pd.DataFrame(
        {
            "id": [second, first],
            "sigma": [5, 3],
            "published_energy_j_m2": [1.32, 1.32],
            "difference_j_m2": [-0.02, -0.05],
        }
    )
    select = BoundaryAtoms(buffer_angstrom=0.0)
    table = lower_than_published(tmp_path / "relaxed.h5", energies, tmp_path / "lower.h5", 0.01, select, "fcc", "code")
    assert table["id"].tolist() == [first, f"{first}~before", second]
    assert table["n_atoms"].tolist()[1] == table["n_atoms"].tolist()[0] - 1
    assert table["difference_j_m2"].tolist()[1] == pytest.approx(1.5 - 1.32)
    with open_shard(tmp_path / "lower.h5") as lower:
        assert lower.ids == table["id"].tolist()
        assert lower.read(first)["structure"]["arrays"]["boundary"].any()
    nothing = lower_than_published(tmp_path / "relaxed.h5", energies, tmp_path / "lower.h5", 0.1, select, "fcc", "code")
    assert nothing.empty
