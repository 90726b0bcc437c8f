"""Writes what a run of config/homer2019.yaml measured into the documentation: `python docs/record_homer2019.py`.

results/homer2019/scorecard.csv becomes docs/homer2019/scorecard.csv and the table between the marks in README.md, with the
date of the run and the version; the run's pictures become docs/homer2019/*.
"""

import datetime
import shutil
from pathlib import Path

import pandas as pd

import gbscape

DOCS = Path(__file__).resolve().parent
README = DOCS.parent / "README.md"
RESULTS = DOCS.parent / "results" / "homer2019"
RECORD = DOCS / "homer2019"
BEGIN, END = "<!-- homer2019: written by docs/record_homer2019.py -->\n", "<!-- end of homer2019 -->"
PICTURES = (
    "energy_against_published.svg", "lower_than_published.png", "learning_curve_energy.svg", "parity_energy.svg",
    "confusion_mobility_3_class.svg", "snapshot_energies.svg", "snapshot_learning.svg", "relevance.png",
    "descriptor_properties.svg",
)  # fmt: skip


def markdown(scorecard: pd.DataFrame, date: str, version: str) -> str:
    """The scorecard without its notes as a table in Markdown, below a line that says where it comes from."""
    columns = ["item", "published", "measured", "spread", "verdict"]
    lines = [
        " | ".join(str(cell).replace("|", "\\|") for cell in row) for row in scorecard[columns].itertuples(index=False)
    ]
    return "\n".join(
        [
            f"Measured {date} with version {version}; notes and rules are in [docs/homer2019](docs/homer2019/scorecard.csv) "
            "and in the report.",
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


def with_table(readme: str, table: str) -> str:
    """The README with `table` between its marks."""
    before, _, rest = readme.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise SystemExit(f"{README} lacks the lines {BEGIN.strip()} and {END}")
    return f"{before}{BEGIN}{table}{END}{after}"


if __name__ == "__main__":
    RECORD.mkdir(exist_ok=True)
    source = RESULTS / "scorecard.csv"
    shutil.copy(source, RECORD)
    for name in PICTURES:
        if (RESULTS / "figures" / name).exists():
            shutil.copy(RESULTS / "figures" / name, RECORD)
    date = datetime.datetime.fromtimestamp(source.stat().st_mtime, datetime.UTC).date().isoformat()
    README.write_text(with_table(README.read_text(), markdown(read_scorecard(source), date, gbscape.__version__)))
