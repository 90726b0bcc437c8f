"""One boundary in motion: its energy against time, and how well the energies of snapshots are learned."""

from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from gbscape.figures.columns import require_columns
from gbscape.figures.labels import in_usual_order, representation_colours, representation_label
from gbscape.figures.style import BLUE, GREY, INK, VERMILION, draw_message, figure
from gbscape.snapshots.correlation import autocorrelation
from gbscape.snapshots.tables import CHECK_COLUMNS, PREDICTION_COLUMNS, SCORE_COLUMNS, TIME_COLUMNS

ENERGY_COLUMNS = [
    "id", "time_ps", "energy_j_m2", "temperature_kelvin", "quenched_difference_j_m2", "lag_ps", "autocorrelation"
]  # fmt: skip
LEARNING_COLUMNS = [
    "representation", "model", "id", "y_true", "y_pred_mean", "y_pred_std", "n_splits", "n_train", "n_test",
    "mae_mean_j_m2", "mae_std_j_m2", "r2_mean", "baseline_mae_j_m2", "published_mae_j_m2",
]  # fmt: skip

_MODELS = {"boosted_trees": "boosted trees", "ridge": "ridge regression"}
_LAGS = 30


def snapshot_energies_data(energies: pd.DataFrame, checks: pd.DataFrame) -> pd.DataFrame:
    """A row for each snapshot, columns `ENERGY_COLUMNS`.

    `quenched_difference_j_m2` is the energy after minimisation less that of the relaxed boundary, where it is known. The
    last two columns have nothing to do with the snapshot of their row: autocorrelation of the energy against lag.

    Args:
        energies: columns TIME_COLUMNS of `gbscape.snapshots.tables`.
        checks: columns CHECK_COLUMNS there.

    Raises:
        ValueError: a column is missing, or the checks have no relaxed energy.
    """
    require_columns(energies, TIME_COLUMNS, "the table of snapshots")
    require_columns(checks, CHECK_COLUMNS, "the table of checks")
    relaxed = checks.loc[checks["quantity"] == "relaxed_energy", "value"]
    if len(relaxed) != 1:
        raise ValueError(f"the table of checks has {len(relaxed)} rows of the relaxed energy, it needs one")
    data = energies.assign(
        quenched_difference_j_m2=energies["quenched_energy_j_m2"] - relaxed.iloc[0],
        lag_ps=energies["time_ps"] - energies["time_ps"].iloc[0],
        autocorrelation=autocorrelation(energies["energy_j_m2"]),
    )
    return data[ENERGY_COLUMNS]


def plot_snapshot_energies(data: pd.DataFrame, path: str | Path) -> None:
    """Draw energy against time with its distribution, the autocorrelation, and the energies after minimisation.

    Args:
        data: as `snapshot_energies_data` returns it.
        path: the picture (.svg, .png or .pdf).

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, ENERGY_COLUMNS, "the data of the energies of snapshots")
    time, energy = data["time_ps"].to_numpy(float) / 1000, data["energy_j_m2"].to_numpy(float)
    mean, spread = energy.mean(), energy.std(ddof=1)
    with figure(path, 6.8, 4.6) as fig:
        rows = fig.add_gridspec(2, 1, height_ratios=(1.3, 1))
        above, below = rows[0].subgridspec(1, 2, width_ratios=(5, 1)), rows[1].subgridspec(1, 2)
        series = fig.add_subplot(above[0])
        series.axhspan(mean - spread, mean + spread, color=BLUE, alpha=0.12, lw=0)
        series.axhline(mean, color=INK, lw=0.8)
        series.plot(time, energy, color=BLUE, lw=0.4, marker=".", ms=2.5, alpha=0.8)
        series.set(xlabel="Time (ns)", ylabel="Energy (J m$^{-2}$)")
        series.margins(x=0.01)
        histogram = fig.add_subplot(above[1], sharey=series)
        histogram.hist(energy, bins=max(5, round(len(energy) ** 0.5)), orientation="horizontal", color=BLUE, alpha=0.7)
        histogram.tick_params(labelleft=False)
        histogram.set_xlabel("Snapshots")
        series.set_title(f"mean {mean:.4f} J m$^{{-2}}$, standard deviation {spread:.4f} J m$^{{-2}}$", fontsize=8)
        _draw_autocorrelation(fig.add_subplot(below[0]), data)
        _draw_quenched(fig.add_subplot(below[1]), data)


def snapshot_learning_data(
    scores: pd.DataFrame,
    predictions: pd.DataFrame,
    published: pd.DataFrame | None,
    boundary: str,
    temperature_kelvin: float,
) -> pd.DataFrame:
    """Average what was predicted of each snapshot over the splits in which it was a test row, columns `LEARNING_COLUMNS`.

    The columns from `n_train` on are the same in all rows of a representation and model: means and standard deviation of the
    scores over the splits, and the published error of the representation where it is known for this boundary, temperature
    and number of training snapshots.

    Args:
        scores: columns SCORE_COLUMNS of `gbscape.snapshots.tables`.
        predictions: columns PREDICTION_COLUMNS there.
        published: columns boundary, temperature_kelvin, representation, n_train, n_test, mae_j_m2; None for none.
        boundary: id of the boundary.
        temperature_kelvin: of the run.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(scores, SCORE_COLUMNS, "the table of scores")
    require_columns(predictions, PREDICTION_COLUMNS, "the table of predictions")
    frames = []
    for name in in_usual_order(scores["representation"]):
        for model in [m for m in _MODELS if m in set(scores["model"])]:
            its = scores[(scores["representation"] == name) & (scores["model"] == model)]
            of_model = predictions[(predictions["representation"] == name) & (predictions["model"] == model)]
            by_id = of_model.groupby("id")
            n_train, n_test = int(its["n_train"].iloc[0]), int(its["n_test"].iloc[0])
            frames.append(
                pd.DataFrame(
                    {
                        "representation": name,
                        "model": model,
                        "y_true": by_id["y_true"].first(),
                        "y_pred_mean": by_id["y_pred"].mean(),
                        "y_pred_std": by_id["y_pred"].std(ddof=0),
                        "n_splits": by_id.size(),
                        "n_train": n_train,
                        "n_test": n_test,
                        "mae_mean_j_m2": its["mae_j_m2"].mean(),
                        "mae_std_j_m2": its["mae_j_m2"].std(ddof=0),
                        "r2_mean": its["r2"].mean(),
                        "baseline_mae_j_m2": its["baseline_mae_j_m2"].mean(),
                        "published_mae_j_m2": _published_mae(
                            published, boundary, temperature_kelvin, name, n_train, n_test
                        ),
                    }
                ).reset_index()
            )
    return pd.concat(frames, ignore_index=True)[LEARNING_COLUMNS]


def plot_snapshot_learning(data: pd.DataFrame, path: str | Path) -> None:
    """Draw predicted against true energies, a panel for each representation and model, and beneath them the errors.

    Args:
        data: as `snapshot_learning_data` returns it.
        path: the picture (.svg, .png or .pdf).

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, LEARNING_COLUMNS, "the data of learning snapshots")
    if data.empty:
        draw_message(path, "No energy of a snapshot was learned.")
        return
    names = in_usual_order(data["representation"])
    models = [m for m in _MODELS if m in set(data["model"])]
    colours = representation_colours(names)
    values = data[["y_true", "y_pred_mean"]].to_numpy(float)
    margin = 0.05 * float(np.ptp(values))
    ends = (float(values.min()) - margin, float(values.max()) + margin)
    with figure(path, max(4.5, 1.9 * len(names) + 0.6), 1.9 * len(models) + 2.3) as fig:
        grid = fig.add_gridspec(len(models) + 1, len(names), height_ratios=[*([1.0] * len(models)), 0.9])
        for row, model in enumerate(models):
            for column, name in enumerate(names):
                ax = fig.add_subplot(grid[row, column])
                _draw_parity(ax, data[(data["representation"] == name) & (data["model"] == model)], colours[name], ends)
                ax.tick_params(labelleft=column == 0, labelbottom=row == len(models) - 1)
                if row == 0:
                    ax.set_title(fill(representation_label(name), 30), fontsize=8.5)
                if row == len(models) - 1:
                    ax.set_xlabel("true (J m$^{-2}$)")
                if column == 0:
                    ax.set_ylabel(f"{_MODELS[model]}\npredicted (J m$^{{-2}}$)")
        _draw_errors(fig.add_subplot(grid[len(models), :]), data, names, models, colours)


def _published_mae(
    published: pd.DataFrame | None, boundary: str, kelvin: float, representation: str, n_train: int, n_test: int
) -> float:
    """The published error under these conditions; NaN where there is none."""
    if published is None:
        return float("nan")
    conditions = {
        "boundary": boundary,
        "temperature_kelvin": kelvin,
        "representation": representation,
        "n_train": n_train,
        "n_test": n_test,
    }
    same = published[np.logical_and.reduce([published[key] == value for key, value in conditions.items()])]
    return float(same["mae_j_m2"].iloc[0]) if len(same) else float("nan")


def _draw_autocorrelation(ax: Axes, data: pd.DataFrame) -> None:
    first = data.iloc[1 : _LAGS + 1]
    noise = 2 / np.sqrt(len(data))
    ax.axhspan(-noise, noise, color=GREY, alpha=0.2, lw=0)
    ax.axhline(0, color=GREY, lw=0.8)
    ax.vlines(first["lag_ps"], 0, first["autocorrelation"], color=BLUE, lw=1.2)
    ax.plot(first["lag_ps"], first["autocorrelation"], ls="", marker="o", ms=2.5, color=BLUE)
    reach = 1.15 * max(float(first["autocorrelation"].abs().max()), noise)
    ax.set(xlabel="Lag (ps)", ylabel="Autocorrelation", ylim=(-reach, reach))


def _draw_quenched(ax: Axes, data: pd.DataFrame) -> None:
    still = data.dropna(subset=["quenched_difference_j_m2"])
    difference = 1000 * still["quenched_difference_j_m2"]
    ax.axhline(0, color=GREY, lw=0.8)
    ax.plot(still["time_ps"] / 1000, difference, ls="", marker="o", ms=4, color=VERMILION)
    # Differences far below what matters for an energy are not blown up to fill the panel.
    reach = max(1.0, 1.2 * float(difference.abs().max()))
    ax.set(xlabel="Time (ns)", ylabel="Minimised − relaxed\n(mJ m$^{-2}$)", ylim=(-reach, reach))


def _draw_parity(ax: Axes, rows: pd.DataFrame, colour: str, ends: tuple[float, float]) -> None:
    ax.plot(ends, ends, color=GREY, lw=0.8, zorder=1)
    size = float(np.clip(1500 / len(rows), 3, 16))
    ax.scatter(rows["y_true"], rows["y_pred_mean"], s=size, c=colour, alpha=0.5, edgecolors="none", rasterized=True)
    ax.set(xlim=ends, ylim=ends)
    ax.set_aspect("equal")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    first = rows.iloc[0]
    r2 = f"{first['r2_mean']:.3f}".replace("-", "−")
    ax.text(
        0.96, 0.05, f"MAE {1000 * first['mae_mean_j_m2']:.2f} mJ m$^{{-2}}$\n$R^2$ {r2}", transform=ax.transAxes, ha="right",
        fontsize=7, linespacing=1.35, path_effects=[withStroke(linewidth=2, foreground="white")],
    )  # fmt: skip


def _draw_errors(ax: Axes, data: pd.DataFrame, names: list[str], models: list[str], colours: dict[str, str]) -> None:
    """Bars of the mean absolute errors in mJ/m^2, with the published ones and that of predicting the mean."""
    width = 0.8 / len(models)
    for place, name in enumerate(names):
        for number, model in enumerate(models):
            first = data[(data["representation"] == name) & (data["model"] == model)].iloc[0]
            x = place + (number - (len(models) - 1) / 2) * width
            ax.bar(
                x, 1000 * first["mae_mean_j_m2"], 0.9 * width, yerr=1000 * first["mae_std_j_m2"], color=colours[name],
                alpha=1.0 if number == 0 else 0.55, error_kw={"lw": 0.8, "capsize": 2},
            )  # fmt: skip
            above = 1000 * (first["mae_mean_j_m2"] + first["mae_std_j_m2"])
            text = f"{_MODELS[model].split()[0]}\n{1000 * first['mae_mean_j_m2']:.2f}"
            ax.annotate(
                text, (x, above), (0, 2), textcoords="offset points", ha="center", va="bottom", fontsize=6.5, zorder=5,
                path_effects=[withStroke(linewidth=2, foreground="white")],
            )  # fmt: skip
        published = float(first["published_mae_j_m2"])
        if np.isfinite(published):
            ax.hlines(1000 * published, place - 0.45, place + 0.45, color=INK, lw=1.6, zorder=4)
    baseline = 1000 * float(data["baseline_mae_j_m2"].mean())
    ax.axhline(baseline, color=GREY, ls="--", lw=1.0)
    ax.set_xticks(range(len(names)), [fill(representation_label(name), 24) for name in names])
    ax.set(xlim=(-0.6, len(names) - 0.4), ylim=(0, 1.25 * max(baseline, 1000 * data["mae_mean_j_m2"].max())))
    ax.set_ylabel("MAE (mJ m$^{-2}$)")
    handles = [Line2D([], [], color=GREY, ls="--", lw=1.0, label="predicting the mean")]
    if np.isfinite(data["published_mae_j_m2"]).any():
        handles.append(Line2D([], [], color=INK, lw=1.6, label="published (Homer et al. 2019)"))
    ax.legend(handles=handles, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, fontsize=7, borderaxespad=0.2)
