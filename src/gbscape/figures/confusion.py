"""Which classes are taken for which: a confusion matrix for each representation and model."""

from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from gbscape.figures.columns import require_columns, single_target
from gbscape.figures.labels import class_label, in_usual_order, representation_label, target_label
from gbscape.figures.panels import panel_grid
from gbscape.figures.style import draw_message
from gbscape.learn.tables import CONFUSION_COLUMNS

COLUMNS = [
    "representation",
    "target",
    "y_true",
    "y_pred",
    "mean_count",
    "share_percent",
    "balanced_percent",
    "n_splits",
]

_MOST_PANELS = 9
"""More representations than this: those of the highest balanced accuracy."""


def confusion_data(confusion: pd.DataFrame, target: str) -> pd.DataFrame:
    """Average the confusion matrices over the splits, columns `COLUMNS`.

    `mean_count` test boundaries a split of the class `y_true` were taken for `y_pred`, `share_percent` of all of that class in
    all splits. `balanced_percent` is the mean of the shares that were right, the same in all rows of a representation.
    Classes stand from the most to the least frequent one.

    Args:
        confusion: columns CONFUSION_COLUMNS of `gbscape.learn.tables`; may have no rows.
        target: the property that was learned; one of energies gives no rows.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(confusion, CONFUSION_COLUMNS, "the table of confusions")
    of_target = confusion[confusion["target"] == target]
    # One order for all: their panels share axes.
    totals = of_target.groupby("y_true", sort=False)["count"].sum()
    order = totals.sort_values(ascending=False, kind="stable").index
    frames = []
    for name in in_usual_order(of_target["representation"]):
        rows = of_target[of_target["representation"] == name]
        counts = rows.pivot_table(index="y_true", columns="y_pred", values="count", aggfunc="sum", sort=False)
        counts = counts.loc[order, order]
        shares = 100 * counts.div(counts.sum(axis=1), axis=0)
        n_splits = rows["split"].nunique()
        frames.append(
            pd.DataFrame(
                {
                    "representation": name,
                    "target": target,
                    "y_true": np.repeat(order, len(order)),
                    "y_pred": np.tile(order, len(order)),
                    "mean_count": counts.to_numpy(float).ravel() / n_splits,
                    "share_percent": shares.to_numpy().ravel(),
                    "balanced_percent": float(np.diag(shares).mean()),
                    "n_splits": n_splits,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)[COLUMNS] if frames else pd.DataFrame(columns=COLUMNS)


def plot_confusion(data: pd.DataFrame, path: str | Path) -> None:
    """Draw a matrix for each representation: rows true classes, columns predicted ones, shares of the true class in percent
    with the mean number of test boundaries a split beneath.

    Of more than nine representations those of the highest balanced accuracy are drawn.

    Args:
        data: as `confusion_data` returns it.
        path: the picture (.svg, .png or .pdf).

    Raises:
        ValueError: a column is missing, or there is more than one target.
    """
    require_columns(data, COLUMNS, "the data of the confusions")
    if data.empty:
        draw_message(path, "There is no confusion matrix: no classes were learned.")
        return
    target = single_target(data, "a picture of confusions")
    balanced = data.groupby("representation")["balanced_percent"].first()
    names = in_usual_order(balanced.nlargest(_MOST_PANELS).index)
    side = 0.72 * data["y_true"].nunique()
    width = max(1.9, side + 0.3)
    with panel_grid(path, len(names), width_inch=width, height_inch=side + 0.7) as (fig, axes):
        for ax, name in zip(axes, names, strict=True):
            image = _draw(ax, data[data["representation"] == name])
            title = f"{fill(representation_label(name), int(11 * width))}\nbalanced {balanced[name]:.1f} %"
            ax.set_title(title, fontsize=8)
        left_out = f", the best {len(names)} of {len(balanced)}" if len(names) < len(balanced) else ""
        fig.suptitle(f"{target_label(target)}{left_out}", x=0.01, ha="left", fontsize=9.5)
        fig.supxlabel("predicted class", fontsize=9)
        fig.supylabel("true class", fontsize=9)
        bar = fig.colorbar(image, ax=axes, fraction=0.03, aspect=30)
        bar.set_label("share of the true class (%)", fontsize=8)


def _draw(ax: Axes, rows: pd.DataFrame) -> AxesImage:
    classes = list(dict.fromkeys(rows["y_true"]))
    shares, counts = (
        rows.pivot(index="y_true", columns="y_pred", values=column).loc[classes, classes].to_numpy(float)
        for column in ("share_percent", "mean_count")
    )
    image = ax.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    for (i, j), share in np.ndenumerate(shares):
        colour = "white" if share > 60 else "#222222"
        ax.text(j, i, f"{share:.0f} %\n{counts[i, j]:.1f}", ha="center", va="center", fontsize=7, color=colour)
    labels = [fill(class_label(str(name)), 12) for name in classes]
    ax.set_xticks(range(len(classes)), labels, fontsize=6.5, rotation=35, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(classes)), labels, fontsize=6.5)
    ax.tick_params(length=0)
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return image
