"""The store: nothing partial looks complete, nothing finished is lost, what disagrees is refused."""

import ast
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from ase.build import bulk
from hypothesis import given
from hypothesis import strategies as st

from gbscape.store.atomic import atomic_path
from gbscape.store.balance import balance
from gbscape.store.code import code_hash
from gbscape.store.progress import progress
from gbscape.store.provenance import Provenance, ProvenanceMismatch
from gbscape.store.records import atoms_from_record, atoms_to_record, read_record, write_record
from gbscape.store.shards import ShardError, compute_shard, gather_shards, open_shard

PROVENANCE = Provenance.of({"cutoff_angstrom": 5.0}, code="abc", seed=1)


def _record(item: str) -> dict:
    return {"value": float(len(item)), "array": np.arange(300.0), "nested": {"name": item}}


def test_atomic_path_leaves_nothing_after_an_error(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"

    def write_half() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_atomic_path_keeps_the_old_file_until_the_new_one_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("old")
    with atomic_path(target) as temporary:
        assert temporary.suffix == ".csv"
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"


def test_records_round_trip(tmp_path: Path) -> None:
    record = {
        "energy": 1.5,
        "n": 3,
        "flag": True,
        "name": "é",
        "names": ["a", "bc"],
        "x": np.eye(3),
        "mask": np.array([True, False]),
        "deep": {"y": np.arange(1000)},
    }
    with h5py.File(tmp_path / "r.h5", "w") as file:
        write_record(file.create_group("r"), record)
        back = read_record(file["r"])
    assert back.keys() == record.keys()
    assert (back["energy"], back["n"], back["flag"], back["name"], back["names"]) == (1.5, 3, True, "é", ["a", "bc"])
    assert back["flag"] is True
    assert np.array_equal(back["mask"], record["mask"])
    assert np.array_equal(back["deep"]["y"], np.arange(1000))


@pytest.mark.parametrize("bad", [np.array([0.0, np.nan]), float("inf")])
def test_records_refuse_what_is_not_finite(tmp_path: Path, bad: object) -> None:
    with h5py.File(tmp_path / "r.h5", "w") as file, pytest.raises(ValueError, match=r"energy.*not finite"):
        write_record(file.create_group("r"), {"energy": bad})


def test_structures_round_trip(tmp_path: Path) -> None:
    atoms = bulk("Ni", cubic=True)
    atoms.pbc = (False, True, True)
    atoms.set_array("grain", np.array([1, 1, 2, 2]))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        write_record(file.create_group("a"), atoms_to_record(atoms))
        back = atoms_from_record(read_record(file["a"]))
    assert back == atoms
    assert np.array_equal(back.arrays["grain"], atoms.arrays["grain"])


def test_shard_holds_its_items_in_order_and_leaves_no_parts(tmp_path: Path) -> None:
    path = tmp_path / "s.h5"
    compute_shard(path, ["b", "a"], _record, PROVENANCE)
    with open_shard(path) as shard:
        assert shard.ids == ["b", "a"]
        assert shard.provenance == PROVENANCE
        assert shard.read("a")["nested"]["name"] == "a"
        assert (shard.value("a", "value"), shard.value("a", "array")[7]) == (1.0, 7.0)
        with pytest.raises(KeyError, match="no item 'c'"):
            shard.read("c")
    assert [p.name for p in tmp_path.iterdir()] == ["s.h5"]


def test_what_is_not_installed_is_no_failure_of_an_item(tmp_path: Path) -> None:
    def compute(item: str) -> dict:
        raise ModuleNotFoundError("no module")

    with pytest.raises(ModuleNotFoundError):
        compute_shard(tmp_path / "s.h5", ["a", "b"], compute, PROVENANCE)
    assert not (tmp_path / "s.h5").exists()


def test_a_failed_item_takes_no_neighbour_along_and_only_it_is_recomputed(tmp_path: Path) -> None:
    path = tmp_path / "s.h5"
    computed: list[str] = []
    broken = {"b"}

    def compute(item: str) -> dict:
        computed.append(item)
        if item in broken:
            raise ValueError("atoms lost")
        return _record(item)

    failures = compute_shard(path, ["a", "b", "c"], compute, PROVENANCE)
    assert failures == {"b": "ValueError: atoms lost"}
    assert computed == ["a", "b", "c"]
    with open_shard(path) as shard:
        assert (shard.ids, shard.failures) == (["a", "c"], failures)

    with pytest.raises(
        ShardError, match=rf"(?s)1 items failed.*b: ValueError: atoms lost.*delete {path} and run again"
    ):
        gather_shards([path], tmp_path / "all.h5", ["a", "b", "c"])
    assert gather_shards([path], tmp_path / "all.h5", ["a", "b", "c"], on_failure="skip") == failures
    with open_shard(tmp_path / "all.h5") as gathered:
        assert (gathered.ids, gathered.failures) == (["a", "c"], failures)

    # The remedy that the message names tries only the failed one again.
    broken.clear()
    path.unlink()
    assert compute_shard(path, ["a", "b", "c"], compute, PROVENANCE) == {}
    assert computed == ["a", "b", "c", "b"]
    with open_shard(path) as shard:
        assert shard.ids == ["a", "b", "c"]
    assert not path.with_name("s.h5.parts").exists()


def test_parts_of_other_settings_are_not_reused(tmp_path: Path) -> None:
    path = tmp_path / "s.h5"
    computed: list[str] = []

    def compute(item: str) -> dict:
        computed.append(item)
        if item == "b" and len(computed) == 2:
            raise ValueError("no")
        return _record(item)

    assert compute_shard(path, ["a", "b"], compute, PROVENANCE).keys() == {"b"}
    path.unlink()
    compute_shard(path, ["a", "b"], compute, Provenance.of({"cutoff_angstrom": 4.0}, code="abc", seed=1))
    assert computed == ["a", "b", "a", "b"]


def test_killed_shard_resumes_where_it_was(tmp_path: Path) -> None:
    """A process killed with SIGKILL in its third item leaves no shard; the next run computes only what is missing."""
    path = tmp_path / "s.h5"
    script = textwrap.dedent(f"""
        import os, signal
        from gbscape.store.provenance import Provenance
        from gbscape.store.shards import compute_shard
        def compute(item):
            if item == "c":
                os.kill(os.getpid(), signal.SIGKILL)
            return {{"value": 1.0}}
        compute_shard({str(path)!r}, list("abcd"), compute, Provenance.of({{"cutoff_angstrom": 5.0}}, "abc", seed=1))
    """)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run([sys.executable, "-c", script], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not path.exists()
    computed: list[str] = []

    def compute(item: str) -> dict:
        computed.append(item)
        return _record(item)

    compute_shard(path, list("abcd"), compute, PROVENANCE)
    assert computed == ["c", "d"]
    with open_shard(path) as shard:
        assert shard.ids == list("abcd")


def test_gather_refuses_shards_that_were_not_made_alike(tmp_path: Path) -> None:
    compute_shard(tmp_path / "1.h5", ["a"], _record, PROVENANCE)
    compute_shard(tmp_path / "2.h5", ["b"], _record, Provenance.of({"cutoff_angstrom": 4.0}, code="abc", seed=1))
    with pytest.raises(ProvenanceMismatch, match=r"settings\.cutoff_angstrom: 5\.0 against 4\.0"):
        gather_shards([tmp_path / "1.h5", tmp_path / "2.h5"], tmp_path / "all.h5", ["a", "b"])
    assert not (tmp_path / "all.h5").exists()


def test_provenance_knows_its_inputs_by_content(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("1")
    first = Provenance.of({}, "abc", inputs={"table": table})
    assert Provenance.from_json(first.to_json()) == first
    table.write_text("2")
    (difference,) = first.differences(Provenance.of({}, "abc", inputs={"table": table}))
    assert difference.startswith("inputs.table: ")


def test_same_computation_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("1.h5", "2.h5"):
        compute_shard(tmp_path / name, ["a", "b"], _record, PROVENANCE)
    assert (tmp_path / "1.h5").read_bytes() == (tmp_path / "2.h5").read_bytes()


def test_gather_refuses_missing_and_double_items(tmp_path: Path) -> None:
    compute_shard(tmp_path / "1.h5", ["a"], _record, PROVENANCE)
    compute_shard(tmp_path / "2.h5", ["a"], _record, PROVENANCE)
    with pytest.raises(ShardError, match=r"missing from the shards: \['b'\]"):
        gather_shards([tmp_path / "1.h5"], tmp_path / "all.h5", ["a", "b"])
    with pytest.raises(ShardError, match=r"a is in .* and again in"):
        gather_shards([tmp_path / "1.h5", tmp_path / "2.h5"], tmp_path / "all.h5", ["a"])


def test_truncated_or_foreign_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.h5"
    compute_shard(path, ["a"], _record, PROVENANCE)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(ShardError, match="cannot be read"), open_shard(path):
        pass
    with h5py.File(path, "w") as file:
        file["x"] = 1
    with pytest.raises(ShardError, match="not a gbscape shard"), open_shard(path):
        pass


_COSTS = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=4), st.floats(0.1, 100), max_size=40)


@given(_COSTS, st.integers(1, 9))
def test_balance_covers_every_item_once_and_is_balanced(costs: dict[str, float], n_shards: int) -> None:
    shards = balance(costs, n_shards)
    assert len(shards) == n_shards
    assert sorted(i for s in shards for i in s) == sorted(costs)
    assert shards == balance(dict(reversed(costs.items())), n_shards)
    totals = [sum(costs[i] for i in s) for s in shards]
    # Graham's bound of list scheduling: no shard exceeds the mean by more than one item.
    assert max(totals) <= sum(totals) / n_shards + max(costs.values(), default=0) + 1e-9


@pytest.mark.parametrize(("costs", "n", "message"), [({"a": 0.0}, 1, "cost of a"), ({"a": 1.0}, 0, "at least 1")])
def test_balance_refuses_bad_input(costs: dict[str, float], n: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        balance(costs, n)


def test_code_hash_follows_imports_and_ignores_comments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gbscape.store import code

    def write(name: str, text: str) -> None:
        (tmp_path / "gbscape" / name).write_text(text)

    def hash_now() -> str:
        for cached in (code._tree, code._imports, code._fingerprint, code.modules_hash):
            cached.cache_clear()
        return code_hash(tmp_path / "script.py")

    (tmp_path / "gbscape").mkdir()
    (tmp_path / "script.py").write_text("from gbscape.a import g\n")
    monkeypatch.setattr(code, "_ROOT", tmp_path)
    write("__init__.py", "")
    write("a.py", "from gbscape.b import f\n\ndef g():\n    return f() + 1\n")
    write("b.py", "def f():\n    return 1\n")
    write("c.py", "def h():\n    return 1\n")
    try:
        before = hash_now()
        write("a.py", '"""New."""\nfrom gbscape.b import f  # comment\n\ndef g():\n    "doc"\n    return f() + 1\n')
        write("c.py", "def h():\n    return 2\n")
        assert hash_now() == before
        write("b.py", "def f():\n    return 2\n")
        assert hash_now() != before
        before = hash_now()
        write("c.cpp", "// another module's kernel")
        write("_a_generic.so", "what it was compiled to")
        assert hash_now() == before
        write("a.cpp", "// the kernel of a")
        assert hash_now() != before
        before = hash_now()
        write("shared.hpp", "// a header of the kernels")
        assert hash_now() != before
        before = hash_now()
        write("style.mplstyle", "axes.grid: True")
        assert hash_now() != before
        with pytest.raises(ModuleNotFoundError, match=r"gbscape\.missing"):
            code_hash(tmp_path / "script.py", "gbscape.missing")
    finally:
        for cached in (code._tree, code._imports, code._fingerprint, code.modules_hash):
            cached.cache_clear()


def test_kernels_and_their_headers_are_part_of_the_features() -> None:
    from gbscape.store import code

    script = Path(__file__).parents[2] / "workflow/scripts/features_featurize.py"
    sources = [code._source(name) for name in code._closure(code._imported_by(ast.parse(script.read_bytes())))]
    counted = {
        file.name for source in sources if source for file in source.parent.iterdir() if code._counts(file, source)
    }
    assert {"soap_native.cpp", "cell_list.hpp", "vectors.hpp"} <= counted


def test_progress_is_plain_lines_in_a_log(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 4.0, 11.0, 12.0, 13.0])
    monkeypatch.setattr("gbscape.store.progress.time.monotonic", lambda: next(clock))
    assert list(progress("abcd", 4, "items")) == list("abcd")
    assert capsys.readouterr().err.splitlines() == ["items: 2/4, 11 s, 11 s to go", "items: 4/4, 13 s, 0 s to go"]


def test_progress_of_what_is_quick_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress("ab", 2, "items")) == ["a", "b"]
    assert capsys.readouterr().err == ""


def test_a_library_that_one_of_two_was_made_without_does_not_count() -> None:
    made = Provenance.of({}, "code")
    without = replace(made, libraries={"python": made.libraries["python"]})
    other = replace(made, libraries=made.libraries | {"numpy": "0.1"})
    assert made.differences(without) == without.differences(made) == []
    assert made.differences(other) == [f"libraries.numpy: {made.libraries['numpy']!r} against '0.1'"]
