"""How well energies learned from each strategy's atoms predict those of others (Tamura et al. 2020, section III B)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gbscape.config.replica import ROUNDS, WITHOUT_CHANCE
from gbscape.learn.ridge import Ridge, fit_ridge
from gbscape.replica.points import atoms_of_rounds, points_of, with_energies
from gbscape.replica.tables import ERROR_COLUMNS, PREDICTION_COLUMNS, REFERENCE, TEST
from gbscape.store.arrays import read_arrays
from gbscape.store.tables import write_csv

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


def evaluate_strategies(
    vectors_h5: str | Path,
    points_csv: str | Path,
    energies_csv: str | Path,
    rounds_csv: Sequence[str | Path],
    errors_csv: str | Path,
    predictions_csv: str | Path,
    sizes: Sequence[int],
    ridge_lambda: float | None,
    first_points: int,
    exact_ev: Array | None = None,
    also_chosen_csv: Sequence[str | Path] = (),
) -> None:
    """Write the errors of every strategy and seed against the size of the training set, `ERROR_COLUMNS`, and the predictions
    of the largest, `PREDICTION_COLUMNS`.

    The test atoms are unseen: those that are in a training set of any strategy of the same seed are left out, whatever vectors it
    chose by, so that all are asked for the same.

    Args:
        vectors_h5: vectors of all atoms.
        points_csv: atoms of the strategies and test sets.
        energies_csv: computed energies; atoms without one are left out.
        rounds_csv: atoms of the rounds, which are a strategy of their own after the first points of uncertainty reduction.
        errors_csv, predictions_csv: the tables.
        sizes: of the training sets; more than a strategy has atoms means all.
        ridge_lambda: of the regression; None: by cross-validation.
        first_points: number of points before the first round.
        exact_ev: (n,) energies of all atoms where they are known, on the same zero; None leaves the last two columns of
            the errors empty.
        also_chosen_csv: atoms chosen by other vectors.

    Raises:
        ValueError: no test atom that is unseen has an energy.
    """
    points = pd.read_csv(points_csv)
    if rounds_csv:
        points = with_rounds(points, rounds_csv, first_points)
    errors, predictions = _evaluated(
        vectors_h5,
        points,
        _strategies(points),
        unseen(points, also_chosen_csv),
        energies_csv,
        sizes,
        ridge_lambda,
        exact_ev,
    )
    write_csv(errors_csv, errors)
    write_csv(predictions_csv, predictions)


def evaluate_alternative(
    vectors_h5: str | Path,
    points_csv: str | Path,
    chosen_csv: str | Path,
    energies_csv: str | Path,
    out_csv: str | Path,
    size: int,
    ridge_lambda: float | None,
    exact_ev: Array | None = None,
    also_chosen_csv: Sequence[str | Path] = (),
) -> None:
    """Write the errors with other vectors, of their own uncertainty reduction (`chosen_csv`) and of Random 1 where that is
    among the points, on the test atoms of `evaluate_strategies`, `ERROR_COLUMNS`.

    Other arguments and errors are those of `evaluate_strategies`; `also_chosen_csv` has the atoms of the rounds and of all other vectors.
    """
    points = pd.read_csv(points_csv)
    test_sets = unseen(points, [chosen_csv, *also_chosen_csv])
    chosen = pd.read_csv(chosen_csv).assign(strategy="uncertainty", seed=0)
    points = pd.concat([points[points["strategy"] != "uncertainty"], chosen], ignore_index=True)
    strategies = [name for name in ("uncertainty", "random_1") if (points["strategy"] == name).any()]
    errors, _ = _evaluated(vectors_h5, points, strategies, test_sets, energies_csv, [size], ridge_lambda, exact_ev)
    write_csv(out_csv, errors)


def unseen(points: pd.DataFrame, also_chosen_csv: Sequence[str | Path]) -> dict[int, Rows]:
    """Test atoms by seed that no strategy of that seed learns from, nor any of the atoms chosen besides."""
    also = [pd.read_csv(path)["atom"].to_numpy() for path in also_chosen_csv]
    return {
        seed: np.setdiff1d(
            points_of(points, TEST, seed),
            np.concatenate([*also, *(points_of(points, strategy, seed) for strategy in _strategies(points))]),
        )
        for seed in sorted(points.loc[points["strategy"] == TEST, "seed"].unique())
    }


def _strategies(points: pd.DataFrame) -> list[str]:
    return [name for name in points["strategy"].unique() if name not in (TEST, REFERENCE)]


def _evaluated(
    vectors_h5: str | Path,
    points: pd.DataFrame,
    strategies: Sequence[str],
    test_sets: Mapping[int, Rows],
    energies_csv: str | Path,
    sizes: Sequence[int],
    ridge_lambda: float | None,
    exact_ev: Array | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    vectors = read_arrays(vectors_h5, ["vectors"])["vectors"]
    computed = pd.read_csv(energies_csv).set_index("atom")["energy_ev"]
    over_all: dict[tuple[str, int], dict[str, float]] = {}  # of strategies without chance, the same for every seed
    errors, predictions = [], []
    for seed, atoms_to_test in test_sets.items():
        asked = {strategy: points_of(points, strategy, seed) for strategy in strategies}
        test = with_energies(atoms_to_test, computed)
        if len(test) == 0:
            raise ValueError(f"{energies_csv} has no atom of test set {seed} that no strategy learns from")
        for strategy, atoms in asked.items():
            for size in sorted({min(size, len(atoms)) for size in sizes}):
                training = with_energies(atoms[:size], computed)
                model = fit_ridge(vectors[training], computed[training].to_numpy(), ridge_lambda)
                residual = model.predict(vectors[test]) - computed[test].to_numpy()
                row = {
                    "strategy": strategy, "seed": seed, "size": size, "n_training": len(training), "n_test": len(test),
                    **_errors(residual, ""),
                }  # fmt: skip
                if exact_ev is not None:
                    known = over_all.get((strategy, size)) if strategy in WITHOUT_CHANCE else None
                    over_all[strategy, size] = known or _errors(model.predict(vectors) - exact_ev, "all_")
                    row |= over_all[strategy, size]
                errors.append(row)
            predictions += [
                _predictions(strategy, seed, name, its, vectors, computed, model)
                for name, its in (("training", training), ("test", test))
                if name == "test" or strategy not in WITHOUT_CHANCE or seed == 0
            ]
    return pd.DataFrame(errors).reindex(columns=ERROR_COLUMNS), pd.concat(predictions, ignore_index=True)


def with_rounds(points: pd.DataFrame, rounds_csv: Sequence[str | Path], first_points: int) -> pd.DataFrame:
    """The points with those of the rounds as one more strategy."""
    atoms = atoms_of_rounds(points, rounds_csv, first_points)
    rows = pd.DataFrame({"strategy": ROUNDS, "seed": 0, "order": np.arange(len(atoms)), "atom": atoms})
    return pd.concat([points, rows], ignore_index=True)


def _errors(residual: Array, suffix: str) -> dict[str, float]:
    return {
        f"rmse_{suffix}ev": float(np.sqrt((residual**2).mean())),
        f"max_error_{suffix}ev": float(np.abs(residual).max()),
    }


def _predictions(
    strategy: str,
    seed: int,
    name: str,
    atoms: Rows,
    vectors: Array,
    computed: "pd.Series[float]",
    model: Ridge,
) -> pd.DataFrame:
    columns = {
        "strategy": strategy,
        "seed": seed,
        "set": name,
        "atom": atoms,
        "computed_ev": computed[atoms].to_numpy(),
        "predicted_ev": model.predict(vectors[atoms]),
        "standard_deviation_ev": model.standard_deviation(vectors[atoms]),
    }
    return pd.DataFrame(columns)[PREDICTION_COLUMNS]
