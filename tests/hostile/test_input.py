"""Hostile and broken input is refused with one message before anything is planned; odd input is not."""

import os
import re
from collections import Counter
from pathlib import Path

import pytest

from gbscape.config import user_files

from .cases import CASES, FAMILIES, XYZ, Case
from .conftest import Row
from .odd_cases import odd_cases
from .plan import PROJECT

SECONDS = 5.0
MIB = 1024
RECORDED = bool(os.environ.get("GBSCAPE_RECORD"))
"""Times are those of a quiet machine then."""


def assert_cheap(row: Row) -> None:
    """A busy machine is no failure."""
    assert row["seconds" if RECORDED else "cpu_seconds"] < SECONDS * (1 if RECORDED else 3)
    assert row["mib"] < MIB


def test_each_family_has_ten_cases() -> None:
    counts = Counter(case.family for case in CASES)
    assert set(counts) == set(FAMILIES)
    assert min(counts.values()) >= 10
    assert len({case.name for case in CASES}) == len(CASES)
    assert len(odd_cases()) >= 20


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.family}: {case.name}")
def test_hostile_input_is_refused(case: Case, refused: dict[str, Row], table: list[Row]) -> None:
    row = refused[case.name]
    table.append(
        row
        | {
            "family": case.family,
            "case": case.name,
            "outcome": "refused" if row["message"] else "accepted",
            "field": case.key,
        }
    )
    assert not row["canary"]
    assert not row["failed"]
    assert case.key in row["message"]
    assert re.search(case.says, row["message"]), row["message"]
    assert "Traceback" not in row["message"]
    assert_cheap(row)


@pytest.mark.parametrize("odd", odd_cases())
def test_odd_input_is_accepted(odd: str, accepted: dict[str, Row], table: list[Row]) -> None:
    row = accepted[odd]
    table.append(
        row
        | {"family": "odd but valid", "case": odd, "outcome": "refused" if row["message"] else "accepted", "field": ""}
    )
    assert row["message"] == ""
    assert not row["failed"]
    assert not row["canary"]


def test_a_file_that_never_comes_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.xyz").write_text(XYZ)
    monkeypatch.setattr(user_files, "WAIT_SECONDS", 0)
    file = user_files.UserFile("structure", str(tmp_path / "a.xyz"), "structure")
    (problem,) = user_files.begin_checks([file], tmp_path / "results", PROJECT)()
    assert "0 s of waiting" in problem
