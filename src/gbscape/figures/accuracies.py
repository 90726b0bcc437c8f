"""Table of accuracies: each property from each representation, the published number beneath (Homer et al. 2019, Table 1)."""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from gbscape.figures.html_table import write_html_table
from gbscape.figures.labels import in_usual_order, representation_label, target_label


def accuracies_data(scores: pd.DataFrame, published: pd.DataFrame | None) -> pd.DataFrame:
    """Mean and spread of the accuracy over the splits, and where the published one falls.

    Args:
        scores: columns representation, target, split, metric, value, n_train, n_test.
        published: columns property, representation, accuracy_percent; None for none.

    Returns:
        A row for each target and representation: `target`, `representation`, `mean_percent`, `std_percent`, `n_splits`,
        `n_train`, `n_test`, `mae_j_m2` (empty for classes), `published_percent`, and `splits_below_published_percent`,
        the share of the splits whose accuracy is lower than the published one (50: it lies in the middle of the spread).

    Raises:
        ValueError: there are no accuracies.
    """
    accuracy = scores[scores["metric"] == "accuracy_percent"]
    if accuracy.empty:
        raise ValueError("the scores hold no metric accuracy_percent")
    mae = scores[scores["metric"] == "mae_j_m2"].groupby(["target", "representation"])["value"].mean()
    known = (
        {} if published is None else published.set_index(["property", "representation"])["accuracy_percent"].to_dict()
    )
    rows = []
    for target in in_usual_order(accuracy["target"]):
        of_target = accuracy[accuracy["target"] == target]
        for name in in_usual_order(of_target["representation"]):
            splits = of_target[of_target["representation"] == name]
            figure = known.get((target, name))
            rows.append(
                {
                    "target": target,
                    "representation": name,
                    "mean_percent": splits["value"].mean(),
                    "std_percent": splits["value"].std(ddof=0),
                    "n_splits": len(splits),
                    "n_train": int(splits["n_train"].iloc[0]),
                    "n_test": int(splits["n_test"].iloc[0]),
                    "mae_j_m2": mae.get((target, name)),
                    "published_percent": figure,
                    "splits_below_published_percent": None
                    if figure is None
                    else 100 * (splits["value"] < figure).mean(),
                }
            )
    return pd.DataFrame(rows)


def write_accuracies(data: pd.DataFrame, path: str | Path) -> None:
    """Write the accuracies as an HTML table: a row a property, a column a representation."""
    names = in_usual_order(data["representation"])
    rows = []
    for target, of_target in data.groupby("target", sort=False):
        cells = {r["representation"]: _cell(r) for r in of_target.to_dict("records")}
        row = {"Accuracy in %": target_label(str(target))} | {representation_label(n): cells.get(n, "") for n in names}
        rows.append(row)
    first = data.iloc[0]
    caption = (
        f"Mean and standard deviation over {first.n_splits} random splits into {first.n_train} training and "
        f"{first.n_test} test boundaries. Accuracy of an energy: 100 (1 - mean |dE| / E)."
    )
    write_html_table(path, pd.DataFrame(rows), "Accuracies", caption)


def _cell(row: Mapping[Hashable, Any]) -> str:
    mae, published = row["mae_j_m2"], row["published_percent"]
    details = [] if pd.isna(mae) else [f"MAE {mae:.3f} J/m²"]
    details += [] if pd.isna(published) else [f"published {published:g}"]
    return f"{row['mean_percent']:.1f} ± {row['std_percent']:.1f}" + ("\n" + "; ".join(details) if details else "")
