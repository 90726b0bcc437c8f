"""Whether models are right as often as they say: reliability diagrams."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.ticker import PercentFormatter

from gbscape.figures.columns import require_columns
from gbscape.figures.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, draw_message, figure
from gbscape.learn.calibration import RELIABILITY_COLUMNS, expected_calibration_error

COLUMNS = ["model", *RELIABILITY_COLUMNS, "expected_calibration_error"]

_COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)


def reliability_data(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One table of the reliability diagrams of several models, `COLUMNS`.

    Args:
        tables: of `gbscape.learn.calibration.reliability`, by the name of the model as it is to be printed.

    Raises:
        ValueError: a column is missing.
    """
    parts = []
    for model, table in tables.items():
        require_columns(table, RELIABILITY_COLUMNS, f"the reliability of {model}")
        parts.append(table.assign(model=model, expected_calibration_error=expected_calibration_error(table))[COLUMNS])
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def with_and_without_temperature(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The diagrams of models with their temperature and without it, each by a name as it is to be printed.

    Args:
        tables: of `gbscape.crystal.judge_model`, by the name of the model.
    """
    return {
        f"{model}, with temperature" if calibrated else model: rows
        for model, table in tables.items()
        for calibrated, rows in table.groupby(table["calibrated"].astype(bool), sort=False)
    }


def plot_reliability(data: pd.DataFrame, path: str | Path) -> None:
    """Draw accuracy against confidence, with the number of structures at each confidence beneath.

    Args:
        data: as `reliability_data` returns it.
        path: the picture.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, COLUMNS, "the data of the reliability diagram")
    if data.empty:
        draw_message(path, "No model was tested for its calibration.")
        return
    models = list(dict.fromkeys(data["model"]))
    with figure(path, 6.6, 4.6) as fig:
        upper, lower = fig.subplots(2, 1, sharex=True, height_ratios=[2.4, 1])
        upper.plot([0, 1], [0, 1], color=GREY, lw=0.8, ls=(0, (3, 2)), label="as often right as said")
        for number, model in enumerate(models):
            colour = _COLOURS[number % len(_COLOURS)]
            rows = data[data["model"] == model]
            filled = rows[rows["count"] > 0]
            error = 100 * float(rows["expected_calibration_error"].iloc[0])
            # Few structures make an uncertain accuracy: one standard deviation of a share.
            share, count = filled["accuracy"].to_numpy(float), filled["count"].to_numpy(float)
            deviation = np.sqrt(np.maximum(share * (1 - share), 0.25 / count) / count)
            bars = np.stack([np.minimum(deviation, share), np.minimum(deviation, 1 - share)])
            upper.errorbar(
                filled["confidence"], share, bars, color=colour, marker="o", ms=4, lw=1.3, elinewidth=0.7,
                label=f"{model}\nexpected calibration error {error:.2f} %",
            )  # fmt: skip
            edges = [*rows["lowest_confidence"], rows["highest_confidence"].iloc[-1]]
            lower.stairs(rows["count"], edges, color=colour, lw=1.3)
        upper.set(ylim=(-0.02, 1.02), ylabel="Right")
        lower.set(
            yscale="log",
            ylim=(0.8, None),
            ylabel="Structures",
            xlabel="Confidence: probability of the most likely class",
        )
        lower.set_xlim(-0.02, 1.02)
        for ax in (upper, lower):
            ax.grid(axis="y")
        for axis in (upper.yaxis, lower.xaxis):
            axis.set_major_formatter(PercentFormatter(1.0))
        fig.legend(loc="outside right upper")
