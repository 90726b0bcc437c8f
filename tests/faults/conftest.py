"""The clean run that all cells start from, and the table of what came of them."""

import csv
import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.slurm.conftest import cluster

from .cells import CELLS, DOES_NOT_APPLY, KINDS, MOMENTS, Cell
from .clean import CLASSES, PROJECT, clean_run, cut_project

COLUMNS = ("kind", "rule class", "moment", "outcome", "seconds", "message or reason")
DOCS = PROJECT / "docs"
BEGIN = "<!-- faults: written by GBSCAPE_RECORD=1 make test-faults -->"
END = "<!-- end of faults -->"
Row = dict[str, Any]


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the cut project, `project`, and of the clean run, `clean`; GBSCAPE_FAULTS_FOLDER keeps it for the next time."""
    kept = os.environ.get("GBSCAPE_FAULTS_FOLDER")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("faults")
    if not (folder / "project").exists():
        folder.mkdir(exist_ok=True)
        cut_project(folder / "project")
    return folder


@pytest.fixture(scope="session")
def clean(base: Path, request: pytest.FixtureRequest) -> Path:
    """The clean run, of the rule classes that this session tests."""
    wanted = {
        item.callspec.params["cell"].rule_class
        for item in request.session.items
        if isinstance(item, pytest.Function) and "clean" in item.fixturenames and "cell" in item.callspec.params
    }
    return _made(base, wanted)


@pytest.fixture(scope="session")
def clean_of_guards(base: Path) -> Path:
    """The clean run, of the rule classes that the guards are tried with."""
    return _made(base, {"featurize", "gather", "figure"})


def _made(base: Path, wanted: set[str]) -> Path:
    missing = [name for name in CLASSES if name in wanted and not (base / "clean" / CLASSES[name].target).exists()]
    return clean_run(base / "project", base / "clean", missing)


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cluster, but where GBSCAPE_SLURM=running says that one has been started, for several tests at once (`pytest -n 4`)."""
    if os.environ.get("GBSCAPE_SLURM") == "running":
        yield
        return
    with cluster(tmp_path_factory.mktemp("slurm")):
        yield


@pytest.fixture
def table() -> Iterator[list[Row]]:
    """Rows of the table that a test adds, which `GBSCAPE_RECORD=1` writes into the documentation at once: all take hours."""
    rows: list[Row] = []
    yield rows
    if os.environ.get("GBSCAPE_RECORD"):
        with (DOCS / "faults.csv").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # other tests may run beside this one
            record(rows)


def marked(kinds: Sequence[str], fast: Sequence[Cell]) -> list[pytest.ParameterSet]:
    """Cells of some kinds, but for those that do not apply; those that are not fast are left to `make test-faults`."""
    its = [cell for cell in CELLS if cell.kind in kinds and cell not in DOES_NOT_APPLY]
    return [pytest.param(cell, id=str(cell), marks=[] if cell in fast else pytest.mark.faults) for cell in its]


def skip_if_passed(cell: Cell) -> None:
    """With `GBSCAPE_RECORD=rest` only cells are run that have not passed before."""
    if os.environ.get("GBSCAPE_RECORD") == "rest":
        with (DOCS / "faults.csv").open(newline="", encoding="utf-8") as file:
            rows = [(row["kind"], row["rule class"], row["moment"], row["outcome"]) for row in csv.DictReader(file)]
        if (cell.kind, cell.rule_class, cell.moment, "passed") in rows:
            pytest.skip("has passed before")


def record(rows: list[Row]) -> None:
    """Write all cells, those that did not run as such; those of earlier sessions stay until they run again."""
    path = DOCS / "faults.csv"
    with path.open(newline="", encoding="utf-8") as file:
        before: list[Row] = list(csv.DictReader(file))
    found = {(row["kind"], row["rule class"], row["moment"]): row for row in [*before, *rows]}
    whole = []
    for cell in CELLS:
        key = (cell.kind, cell.rule_class, cell.moment)
        row = dict(zip(COLUMNS, (*key, "not run", "", ""), strict=True)) | found.get(key, {})
        if cell in DOES_NOT_APPLY:
            row |= {"outcome": "does not apply", "message or reason": DOES_NOT_APPLY[cell]}
        whole.append(row)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(whole)
    page = DOCS / "reliability.md"
    head, _, rest = page.read_text().partition(BEGIN)
    page.write_text(f"{head}{BEGIN}\n{summary(whole)}\n{rest[rest.index(END) :]}")


def summary(rows: list[Row]) -> str:
    """The matrix: for each kind and rule class the outcomes at the three moments."""
    marks = {"passed": "✓", "failed": "**failed**", "does not apply": "–", "not run": "not run"}
    lines = ["| what happens | " + " | ".join(CLASSES) + " |", "|---" * (len(CLASSES) + 1) + "|"]
    for kind in KINDS:
        cells = []
        for name in CLASSES:
            its = {row["moment"]: row["outcome"] for row in rows if (row["kind"], row["rule class"]) == (kind, name)}
            cells.append(" ".join(marks[its[moment]] for moment in MOMENTS))
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    counts = {outcome: sum(row["outcome"] == outcome for row in rows) for outcome in marks}
    lines += ["", ", ".join(f"{n} {outcome}" for outcome, n in counts.items()) + f", of {len(rows)}."]
    return "\n".join(lines)
