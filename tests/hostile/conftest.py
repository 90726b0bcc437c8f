"""Plans the hostile and odd inputs, each in its folder, once for all tests, and keeps what came of them as a table."""

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
import yaml

from .cases import CASES, Config
from .odd_cases import odd_cases
from .plan import PROJECT

CANARY = "CANARY"
COLUMNS = ("family", "case", "outcome", "field", "message", "seconds", "mib", "canary")
TABLE = PROJECT / "docs/bad_input.csv"
Row = dict[str, Any]


def write_config(config: Config, path: Path) -> None:
    """Write what a case gave; an empty text leaves a file alone that is there."""
    if isinstance(config, dict):
        path.write_text(yaml.safe_dump(config, allow_unicode=True))
    elif config or not path.exists():
        path.write_bytes(config.encode())


def planned(folders: list[Path]) -> list[Row]:
    """What came of each, see `plan.py`."""
    command = [sys.executable, "-m", "tests.hostile.plan", *map(str, folders)]
    environment = os.environ | {"PYTHONPATH": str(PROJECT / "src")}
    done = subprocess.run(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return [row | {"canary": bool(list(folder.rglob(CANARY)))} for row, folder in zip(rows, folders, strict=True)]


@pytest.fixture(scope="session")
def refused(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    """What came of the hostile inputs, by name."""
    folders = []
    for case in CASES:
        folder = tmp_path_factory.mktemp("case")
        with chdir(folder):
            write_config(case.make(folder, f"touch {folder / CANARY}"), folder / "case.yaml")
        folders.append(folder)
    return {case.name: row for case, row in zip(CASES, planned(folders), strict=True)}


@pytest.fixture(scope="session")
def accepted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    """What came of the odd inputs, by name."""
    folders = []
    for make in odd_cases().values():
        folder = tmp_path_factory.mktemp("odd")
        with chdir(folder):
            write_config(make(), folder / "case.yaml")
        folders.append(folder)
    return dict(zip(odd_cases(), planned(folders), strict=True))


@pytest.fixture(scope="session")
def table() -> Iterator[list[Row]]:
    """Rows of the table of this session, which `GBSCAPE_RECORD=1` writes into the documentation."""
    rows: list[Row] = []
    yield rows
    if os.environ.get("GBSCAPE_RECORD"):
        with open(TABLE, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(
                row
                | {
                    "seconds": f"{row['seconds']:.1f}",
                    "mib": f"{row['mib']:.0f}",
                    "message": _shortened(row["message"]),
                }
                for row in rows
            )


def _shortened(message: str) -> str:
    """The line of a message that tells, without this machine's folders."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    told = lines[1] if lines and lines[0].startswith("The configuration has") else " ".join(lines)
    return re.sub(r"(/[^/\s':]+)+/(?=[^/\s':]+)", "", told)[:200]
