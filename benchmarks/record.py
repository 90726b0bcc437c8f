"""Writes what `make bench` measured into the documentation: `python benchmarks/record.py [--name NAME]`.

results/benchmarks/descriptors.json and scaling.json become docs/NAME.md and docs/scaling.png (or NAME_scaling.png for
another name than the default, e.g. for a machine with a GPU).
"""

import argparse
import json
from pathlib import Path
from typing import Any

import table
from measure import RESULTS
from scaling_figure import draw

DOCS = Path(__file__).resolve().parents[1] / "docs"
DEFAULT = "benchmarks"


def scaling_table(runs: list[dict[str, Any]]) -> str:
    lines = ["| engine | atoms | threads | time | rate | peak memory beyond the result | each atom |", "|---" * 7 + "|"]
    lines += [
        f"| {run['engine']} | {run['atoms']} | {run['threads']} | {table.seconds(run['seconds'])} "
        f"| {table.rate(run['atoms'], 'atoms', run['seconds'])} | {table.memory(run['peak_bytes_beyond_result'])} "
        f"| {run['peak_bytes_beyond_result'] / run['atoms']:.0f} B |"
        for run in runs
    ]
    return "\n".join(lines)


def record(descriptors: dict[str, Any], scaling: dict[str, Any], picture: str) -> str:
    """The page, in Markdown."""
    return f"""# Recorded benchmarks

Written by `make bench-record` from a run of `make bench`; [benchmarks/README.md](../benchmarks/README.md) says what is
measured and how.

## Descriptors against their peers

{table.report(descriptors)}

## Scaling

SOAP of bcc iron, n=10, l=6, cut-off 4 Å, projected to 39 columns; medians over fresh processes.

![Time and memory against atoms, time against threads]({picture})

{scaling_table([*scaling["by_atoms"], *scaling["by_threads"][1:]])}
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default=DEFAULT, help="of the page, without .md")
    asked = parser.parse_args()
    descriptors, scaling = (json.loads((RESULTS / f"{name}.json").read_text()) for name in ("descriptors", "scaling"))
    if descriptors["machine"]["quick"]:
        parser.error("the recorded run was a quick one, whose times mean nothing; run `make bench`")
    picture = "scaling.png" if asked.name == DEFAULT else f"{asked.name}_scaling.png"
    (DOCS / f"{asked.name}.md").write_text(record(descriptors, scaling, picture))
    draw(scaling, DOCS / picture)
