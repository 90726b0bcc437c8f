"""Writes what a run measured into the documentation: `python docs/record.py homer2019`, `leitherer2021`, `tamura2020` or `sinz2020`.

results/<run>/scorecard.csv becomes docs/<run>/scorecard.csv and the table between the run's marks in its page, with the date
of the run and the version; the run's pictures become docs/<run>/*, those of pixels no wider than a page.
"""

import argparse
import datetime
import shutil
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from PIL import Image

import gbscape

DOCS = Path(__file__).resolve().parent
PROJECT = DOCS.parent
PAGE_PIXELS = 1000


class Record(NamedTuple):
    """Where a run is recorded."""

    page: Path
    """The document with the table."""
    pictures: tuple[str, ...]
    """Of the run's folder `figures`."""


RECORDS = {
    "homer2019": Record(
        PROJECT / "README.md",
        (
            "energy_against_published.svg", "learning_curve_energy.svg", "confusion_mobility_3_class.svg",
            "snapshot_energies.svg", "snapshot_learning.svg", "relevance.png", "descriptor_properties.svg",
        ),
    ),
    "leitherer2021": Record(
        DOCS / "crystal.md",
        (
            "crystal/defect_accuracy.svg", "crystal/reliability.svg", "crystal/bain_path.svg", "crystal/map_four_grains.svg",
            "crystal/clusters_four_grains.svg", "crystal/volume_superalloy_defective.png", "crystal/map_pearl.svg",
            "crystal/map_stem_image_large.svg", "crystal/annealing.svg",
        ),
    ),
    "tamura2020": Record(
        DOCS / "replica.md",
        (
            "replica/predicted_energies.png", "replica/errors.svg", "replica/averaged_error.svg", "replica/descriptions.svg",
            "replica/components.svg",
        ),
    ),
    "sinz2020": Record(
        DOCS / "alloy.md",
        (
            "alloy/sizes.svg", "alloy/learning_curve.svg", "alloy/errors.svg", "alloy/moduli.svg",
            "alloy/barriers.svg",
        ),
    ),
}  # fmt: skip


def markdown(scorecard: pd.DataFrame, run: str, date: str, version: str) -> str:
    """The scorecard without its notes as a table in Markdown, below a line that says where it comes from."""
    columns = ["item", "published", "measured", "spread", "verdict"]
    lines = [
        " | ".join(str(cell).replace("|", "\\|") for cell in row) for row in scorecard[columns].itertuples(index=False)
    ]
    return "\n".join(
        [
            f"Measured {date} with version {version}; notes are in `docs/{run}/scorecard.csv`, the rules of the verdicts in the "
            "report.",
            "",
            f"| {' | '.join(columns)} |",
            "|---" * len(columns) + "|",
            *(f"| {line} |" for line in lines),
            "",
        ]
    )


def read_scorecard(path: Path) -> pd.DataFrame:
    """The scorecard with its cells as they are written."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def marks(run: str) -> tuple[str, str]:
    """Lines between which the table of a run is."""
    return f"<!-- {run}: written by docs/record.py -->\n", f"<!-- end of {run} -->"


def with_table(page: Path, run: str, table: str) -> str:
    """The page with `table` between the run's marks."""
    begin, end = marks(run)
    before, _, rest = page.read_text().partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{page} lacks the lines {begin.strip()} and {end}")
    return f"{before}{begin}{table}{end}{after}"


def copy_picture(path: Path, folder: Path) -> None:
    """Copy a picture; one of pixels at most `PAGE_PIXELS` wide, in 256 colours."""
    if path.suffix != ".png":
        shutil.copy(path, folder)
        return
    with Image.open(path) as picture:
        picture.thumbnail((PAGE_PIXELS, 10 * PAGE_PIXELS))
        picture.convert("RGB").quantize(256).save(folder / path.name, optimize=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", choices=RECORDS)
    run = parser.parse_args().run
    its, results, folder = RECORDS[run], PROJECT / "results" / run, DOCS / run
    source = results / "scorecard.csv"
    scorecard = read_scorecard(source)
    folder.mkdir(exist_ok=True)
    shutil.copy(source, folder)
    for name in its.pictures:
        copy_picture(results / "figures" / name, folder)
    date = datetime.datetime.fromtimestamp(source.stat().st_mtime, datetime.UTC).date().isoformat()
    its.page.write_text(with_table(its.page, run, markdown(scorecard, run, date, gbscape.__version__)))
