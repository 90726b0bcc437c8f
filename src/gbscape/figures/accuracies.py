"""Table of accuracies: each property from each representation or by each model, the published number beneath (Homer et al.
2019, Table 1)."""

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
        `n_train`, `n_test`, `mae_j_m2` (empty for classes), `balanced_percent`, the mean balanced accuracy (empty for
        energies), `published_percent`, `splits_below_published_percent`, the share of the splits whose accuracy is lower
        than the published one (50: it lies in the middle of the spread), and `published_z`, how many standard deviations
        of the splits it lies above the mean (empty if they do not spread).

    Raises:
        ValueError: there are no accuracies.
    """
    accuracy = scores[scores["metric"] == "accuracy_percent"]
    if accuracy.empty:
        raise ValueError("the scores hold no metric accuracy_percent")
    means = scores.groupby(["metric", "target", "representation"])["value"].mean()
    known = (
        {} if published is None else published.set_index(["property", "representation"])["accuracy_percent"].to_dict()
    )
    rows = []
    for target in in_usual_order(accuracy["target"]):
        of_target = accuracy[accuracy["target"] == target]
        for name in in_usual_order(of_target["representation"]):
            splits = of_target[of_target["representation"] == name]
            published_percent = known.get((target, name))
            mean, std = splits["value"].mean(), splits["value"].std(ddof=0)
            below = z = None
            if published_percent is not None:
                below = 100 * (splits["value"] < published_percent).mean()
                z = (published_percent - mean) / std if std > 0 else None
            rows.append(
                {
                    "target": target,
                    "representation": name,
                    "mean_percent": mean,
                    "std_percent": std,
                    "n_splits": len(splits),
                    "n_train": int(splits["n_train"].iloc[0]),
                    "n_test": int(splits["n_test"].iloc[0]),
                    "mae_j_m2": means.get(("mae_j_m2", target, name)),
                    "balanced_percent": means.get(("balanced_accuracy_percent", target, name)),
                    "published_percent": published_percent,
                    "splits_below_published_percent": below,
                    "published_z": z,
                }
            )
    return pd.DataFrame(rows)


def write_accuracies(data: pd.DataFrame, path: str | Path) -> None:
    """Write the accuracies as an HTML table: a row a representation or model, a column a property."""
    targets = in_usual_order(data["target"])
    cells = {(r["representation"], r["target"]): _cell(r) for r in data.to_dict("records")}
    rows = [
        {"Accuracy in %": representation_label(name)} | {target_label(t): cells.get((name, t), "") for t in targets}
        for name in in_usual_order(data["representation"])
    ]
    # Properties that are not known of every boundary have fewer.
    numbers = data[["n_splits", "n_train", "n_test"]].drop_duplicates().itertuples(index=False)
    splits = " or ".join(
        f"{n} random splits into {train} training and {test} test boundaries" for n, train, test in numbers
    )
    caption = (
        f"Mean and standard deviation over {splits}. Accuracy of an energy: 100 (1 - mean |dE| / E). Balanced: mean of the "
        "accuracies of the classes. Published: with the distance from our mean in our standard deviations, and the share of "
        "our splits that are below it."
    )
    write_html_table(path, pd.DataFrame(rows), "Accuracies", caption)


def _cell(row: Mapping[Hashable, Any]) -> str:
    details = [] if pd.isna(row["mae_j_m2"]) else [f"MAE {row['mae_j_m2']:.3f} J/m²"]
    details += [] if pd.isna(row["balanced_percent"]) else [f"balanced {row['balanced_percent']:.1f}"]
    if not pd.isna(row["published_percent"]):
        distance = "" if pd.isna(row["published_z"]) else f"{row['published_z']:+.1f} s.d., "
        below = row["splits_below_published_percent"]
        details.append(f"published {row['published_percent']:g} ({distance}above {below:.0f} % of splits)")
    return f"{row['mean_percent']:.1f} ± {row['std_percent']:.1f}" + ("\n" + "; ".join(details) if details else "")
