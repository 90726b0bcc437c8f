"""Plans the hostile and odd inputs, each in its folder, once for all tests, and keeps what came of them as a table."""

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
import yaml

from .cases import Config
from .odd_cases import odd_cases
from .plan import PROJECT

CANARY = "CANARY"
COLUMNS = ("family", "case", "outcome", "field", "message", "seconds", "mib", "canary")
DOCS = PROJECT / "docs"
BEGIN = "<!-- bad input: written by GBSCAPE_RECORD=1 pytest tests/hostile -->"
END = "<!-- end -->"
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
def refused(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    """What came of the hostile inputs that are tested, by name."""
    cases = {case.name: case for case in _tested(request, "case")}
    return _in_folders(cases, lambda name: cases[name].make(f"touch {CANARY}"), tmp_path_factory)


@pytest.fixture(scope="session")
def accepted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    """What came of the odd inputs that are tested, by name."""
    return _in_folders(_tested(request, "odd"), lambda name: odd_cases()[name](), tmp_path_factory)


def _in_folders(
    names: Iterable[str], make: Callable[[str], Config], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Row]:
    """What came of the inputs of these names, each made in a folder of its own."""
    folders = {}
    for name in names:
        folders[name] = tmp_path_factory.mktemp("case")
        with chdir(folders[name]):
            write_config(make(name), folders[name] / "case.yaml")
    return dict(zip(folders, planned(list(folders.values())), strict=True))


def _tested(request: pytest.FixtureRequest, parameter: str) -> list[Any]:
    """Values of a parameter of the tests of this session that use the fixture."""
    using = [item for item in request.session.items if request.fixturename in getattr(item, "fixturenames", ())]
    return [item.callspec.params[parameter] for item in using if isinstance(item, pytest.Function)]


@pytest.fixture(scope="session")
def table() -> Iterator[list[Row]]:
    """Rows of the table of this session, which `GBSCAPE_RECORD=1` writes into the documentation."""
    rows: list[Row] = []
    yield rows
    if os.environ.get("GBSCAPE_RECORD"):
        with open(DOCS / "bad_input.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            for row in rows:
                measured = {"seconds": f"{row['seconds']:.1f}", "mib": f"{row['mib']:.0f}"}
                writer.writerow(row | measured | {"message": _shortened(row["message"])})
        page = DOCS / "reliability.md"
        before, _, rest = page.read_text().partition(BEGIN)
        after = rest[rest.index(END) :]
        page.write_text(f"{before}{BEGIN}\n{_summary(rows)}\n{after}")


def _summary(rows: list[Row]) -> str:
    lines = ["| family | cases | refused | accepted | canaries | slowest | most memory |", "|---" * 7 + "|"]
    for family in dict.fromkeys(row["family"] for row in rows):
        its = [row for row in rows if row["family"] == family]
        refused = sum(row["outcome"] != "accepted" for row in its)
        canaries = sum(row["canary"] for row in its)
        lines.append(
            f"| {family} | {len(its)} | {refused} | {len(its) - refused} | {f'**{canaries}**' if canaries else 0} "
            f"| {max(row['seconds'] for row in its):.1f} s | {max(row['mib'] for row in its):.0f} MiB |"
        )
    return "\n".join(lines)


def _shortened(message: str) -> str:
    """The line of a message that tells, without this machine's folders."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    headed = next((n + 1 for n, line in enumerate(lines) if line.startswith("The configuration has")), len(lines) - 1)
    told = lines[headed] if lines else ""
    return re.sub(r"/(?:tmp|home|var)(/[^/\s':;)`]+)*/", "", told)[:200]
