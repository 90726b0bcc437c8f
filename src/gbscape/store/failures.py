"""What failed at the steps of a run, in one table."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from gbscape.store.shards import open_shard
from gbscape.store.tables import write_csv

FAILURE_COLUMNS = ["step", "id", "reason"]


def tabulate_failures(steps: Mapping[str, str | Path], out_tsv: str | Path) -> None:
    """Write the items that failed and why, `FAILURE_COLUMNS`; without any, only these.

    Args:
        steps: gathered file of each step, by the step's name.
        out_tsv: the table.
    """
    rows = []
    for step, path in steps.items():
        with open_shard(path) as shard:
            rows += [(step, item, reason) for item, reason in sorted(shard.failures.items())]
    write_csv(out_tsv, pd.DataFrame(rows, columns=FAILURE_COLUMNS))
