"""The picture of a sweep and its table."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gbscape.figures.sweep import COLUMNS, plot_sweep, sweep_data
from gbscape.learn.tables import SCORE_COLUMNS


def scores(names: list[str]) -> pd.DataFrame:
    """Two splits of each, with accuracies 90 + i and 92 + i, and half of their errors."""
    rows = [
        (name, "energy", split, metric, value, 10, 10)
        for i, name in enumerate(names)
        for split in (0, 1)
        for metric, value in (("accuracy_percent", 90.0 + i + 2 * split), ("mae_j_m2", 0.1 - 0.01 * i))
    ]
    return pd.DataFrame(rows, columns=SCORE_COLUMNS)


GRID = [f"soap~cutoff_angstrom={r}~l_max={order}" for r in (10.0, 4.0) for order in (4, 12)]


def test_members_are_averaged_and_their_parameters_are_columns() -> None:
    data = sweep_data(scores(["soap", *GRID, "st~engine=torch"]), "energy")
    assert list(data)[: len(COLUMNS)] == COLUMNS
    assert list(data)[len(COLUMNS) :] == ["cutoff_angstrom", "l_max", "engine"]
    assert "soap" not in data["member"].tolist()  # is not swept
    row = data[data["member"] == GRID[0]].iloc[0]
    assert (row["accuracy_mean_percent"], row["accuracy_std_percent"], row["n_splits"]) == (92.0, 1.0, 2)
    assert row["mae_mean_j_m2"] == pytest.approx(0.09)
    assert (row["cutoff_angstrom"], row["l_max"]) == (10.0, 4.0)
    assert pd.isna(row["engine"])
    assert data["cutoff_angstrom"].tolist()[:4] == [4.0, 4.0, 10.0, 10.0]


def test_classes_have_no_energy_error() -> None:
    table = scores(GRID)
    data = sweep_data(table[table["metric"] == "accuracy_percent"], "energy")
    assert data["mae_mean_j_m2"].isna().all()


@pytest.mark.parametrize(
    "names",
    [
        GRID,
        ["soap~l_max=4", "soap~l_max=6"],
        ["st~engine=torch", "st~engine=kymatio"],
        [f"{name}~n_max={n}" for name in GRID for n in (4, 6)],
        ["soap"],
    ],
    ids=["map", "line", "words", "three", "none"],
)
def test_pictures_are_drawn(names: list[str], tmp_path: Path) -> None:
    plot_sweep(sweep_data(scores(names), "energy"), tmp_path / "sweep.svg")
    assert (tmp_path / "sweep.svg").stat().st_size > 1000


def test_a_map_shows_each_value_once(tmp_path: Path) -> None:
    plot_sweep(sweep_data(scores(GRID), "energy"), tmp_path / "a.png")
    plot_sweep(sweep_data(scores(GRID[::-1]), "energy"), tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()
    assert np.array_equal(np.sort(sweep_data(scores(GRID), "energy")["accuracy_mean_percent"]), [91, 92, 93, 94])
