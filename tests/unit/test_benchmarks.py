"""The benchmarks run, on tiny sizes; their times are not looked at."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def run(script: str, *arguments: str | Path) -> str:
    done = subprocess.run([sys.executable, BENCHMARKS / script, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def table_of(text: str) -> list[dict[str, str]]:
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    assert all(len(line) == len(lines[0]) for line in lines)
    return [dict(zip(lines[0], line, strict=True)) for line in lines[2:]]


def test_the_table_has_a_row_for_each_engine_and_peer_and_says_what_is_missing(tmp_path):
    recorded = tmp_path / "descriptors.json"
    rows = table_of(run("descriptors.py", "--quick", "--no-memory", "--output", recorded))
    pairs = {(row["engine"], row["peer"]) for row in rows}
    assert {("native", peer) for peer in ("quippy", "dscribe", "featomic")} <= pairs
    assert ("k-d tree", "Python loops") in pairs
    assert sum(row["peer"] == "kymatio" for row in rows) >= 4
    for row in rows:
        if row["engine"] == "CUDA":
            assert row["ours"] == "no CUDA device"
        elif row["peer"] in ("dscribe", "featomic"):
            assert row["ratio"].endswith("x") or row["peer's"].endswith("is not installed")
        elif row["peer"] != "-":
            assert row["ratio"].endswith("x")
        if "of memory" in row["goal"] or "B/atom" in row["goal"]:
            assert row["met"].endswith("memory not measured")
        # Whatever the sizes, results agree.
        if row["peer"] in ("quippy", "kymatio", "Python loops") and not row["setting"].startswith("its filters"):
            assert float(row["max difference"]) <= float(row["goal"].partition("to ")[2].partition(",")[0] or 1e-8)
    content = json.loads(recorded.read_text())
    assert len(content["rows"]) == len(rows)
    assert content["machine"]["quick"]
    assert {"cpu", "cores", "kernels", "versions", "date", "core"} <= set(content["machine"])
    quippy = content["timings"]["soap-fe"]["quippy"]
    assert len(quippy["seconds"]) >= 1
    assert min(quippy["seconds"]) > 0


def test_peak_memory_is_measured_in_a_process_of_its_own(tmp_path):
    (row,) = (
        row
        for row in table_of(run("descriptors.py", "--quick", "boxes", "--output", tmp_path / "descriptors.json"))
        if row["engine"] == "cell list"
    )
    assert row["memory, ours"].endswith("B")
    assert row["max difference"] == "0"


def test_peak_memory_is_beyond_the_result(tmp_path):
    code = (
        "import numpy as np; from measure import peak_bytes_of\n"
        "def work():\n"
        "    scratch = np.ones(30_000_000)\n"  # 240 MB
        "    return scratch[:10_000_000].copy()\n"  # 80 MB
        "np.ones(100_000_000)\n"  # 800 MB before, and free again
        "print(peak_bytes_of(lambda: work) / 1e6)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=BENCHMARKS)
    assert float(done.stdout) == pytest.approx(240, abs=5)


def test_an_unknown_contest_is_refused():
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "descriptors.py", "soap-gold"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no contest soap-gold; there are soap-fe" in done.stderr


def test_scaling_is_measured_and_drawn(tmp_path):
    run("scaling.py", "--quick", "--output", tmp_path / "scaling.json")
    data = json.loads((tmp_path / "scaling.json").read_text())
    assert [run["atoms"] for run in data["by_atoms"] if run["engine"] == "native"] == [16, 128]
    assert data["by_threads"][0]["threads"] == 1
    run("scaling_figure.py", tmp_path / "scaling.json", tmp_path / "scaling.png")
    assert (tmp_path / "scaling.png").stat().st_size > 10_000
