"""How well energies of cells are learned and carried to cells unlike those of the training: other concentrations, larger cells."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedShuffleSplit

from gbscape.alloy.dataset import read_dataset
from gbscape.alloy.regression import REGRESSIONS, Fitted
from gbscape.config.alloy import Alloy, Regression
from gbscape.learn.orthogonal_least_squares import mean_absolute_errors, orthogonal_least_squares
from gbscape.store.progress import progress
from gbscape.store.shards import open_shard
from gbscape.store.tables import write_csv

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

ERROR_COLUMNS = [
    "task",
    "model",
    "seed",
    "n_train",
    "n_test",
    "n_features",
    "mae_mev",
    "rmse_mev",
    "within_one_percent",
]
PREDICTION_COLUMNS = ["task", "model", "seed", "cell", "concentration", "energy_ev", "predicted_ev", "spread_ev"]
PATH_COLUMNS = ["model", "seed", "n_features", "training_mev", "test_mev"]
UNSEEN = "unseen cells"
LARGER = "larger cells"
SOAP_RIDGE = "soap ridge"
"""The model on another description, which the others are compared with."""


@dataclass(frozen=True)
class Cells:
    """A dataset as matrices."""

    names: list[str]
    energies: Array
    """(n,) eV an atom over a mean of the species that is fitted to the whole dataset: a shift by composition, which no model has to
    learn."""
    concentrations: Array
    """(n,) nominal."""
    n_atoms: Rows
    vectors: Mapping[str, Array]
    """(n, d) by description."""


@dataclass(frozen=True)
class Task:
    """Cells to learn from, and cells to predict."""

    name: str
    train: Rows
    test: Rows


def read_cells(dataset_xyz: str | Path, vectors_h5: Mapping[str, str | Path], species: tuple[str, str]) -> Cells:
    """A dataset with the gathered vectors of its cells; cells that could not be described are left out."""
    cells = read_dataset(dataset_xyz, species)
    rows: dict[str, dict[str, Array]] = {}
    for description, path in vectors_h5.items():
        with open_shard(path) as gathered:
            rows[description] = {name: record["vector"] for name, record in gathered}
    kept = [cell for cell in cells if all(cell.name in its for its in rows.values())]
    share = np.array([cell.atoms.get_chemical_symbols().count(species[0]) / len(cell.atoms) for cell in kept])
    composition = np.column_stack([share, 1 - share])
    energies = np.array([cell.energy_ev_atom for cell in kept])
    pure = np.linalg.lstsq(composition, energies, rcond=None)[0]
    return Cells(
        [cell.name for cell in kept],
        energies - composition @ pure,
        np.array([cell.concentration for cell in kept]),
        np.array([len(cell.atoms) for cell in kept]),
        {description: np.array([its[cell.name] for cell in kept]) for description, its in rows.items()},
    )


def tasks(cells: Cells, settings: Regression, seed: int) -> Iterator[Task]:
    """What is asked of a model in one draw: unseen cells of all concentrations; each concentration left out in turn, learned from
    the others; the largest third of cells, learned from the smaller ones.

    The first is another draw for each seed; the others have one training set, of which a seed leaves a tenth out.
    """
    labels = np.unique(cells.concentrations, return_inverse=True)[1]
    split = StratifiedShuffleSplit(n_splits=1, test_size=settings.test_fraction, random_state=seed)
    train, test = next(split.split(labels, labels))
    yield Task(UNSEEN, np.sort(train), np.sort(test))
    rng = np.random.default_rng([settings.seed, seed])
    for concentration in settings.left_out:
        left = np.isclose(cells.concentrations, concentration)
        if left.any() and not left.all():
            yield Task(f"without {concentration:g}", _thinned(np.flatnonzero(~left), rng), np.flatnonzero(left))
    large = cells.n_atoms > np.quantile(cells.n_atoms, 2 / 3)
    if large.any() and not large.all():
        yield Task(LARGER, _thinned(np.flatnonzero(~large), rng), np.flatnonzero(large))


def _thinned(rows: Rows, rng: np.random.Generator) -> Rows:
    return np.sort(rng.permutation(rows)[: max(4, round(0.9 * len(rows)))])


def evaluate(
    dataset_xyz: str | Path,
    vectors_h5: Mapping[str, str | Path],
    errors_csv: str | Path,
    predictions_csv: str | Path,
    settings: Alloy,
    seeds: Sequence[int],
) -> None:
    """Write the errors of all models on all tasks, `ERROR_COLUMNS`, and the predictions of unseen cells, `PREDICTION_COLUMNS`.

    Args:
        dataset_xyz: of `gbscape.alloy.dataset`.
        vectors_h5: gathered vectors of `gbscape.alloy.describe`, by description.
        errors_csv, predictions_csv: the tables.
        settings: of the alloy.
        seeds: draws.
    """
    cells = read_cells(dataset_xyz, vectors_h5, settings.species)
    asked = [(seed, task) for seed in seeds for task in tasks(cells, settings.regression, seed)]
    errors, predictions = [], []
    for seed, task in progress(asked, len(asked), "tasks"):
        for model, (description, _) in models(settings.regression).items():
            fitted, predicted, errors_of_model = _judged(cells, task, model, seed, settings.regression)
            true = cells.energies[task.test]
            spread = None if fitted.spread is None else fitted.spread(cells.vectors[description][task.test])
            within = None if spread is None else 100 * (np.abs(predicted - true) <= spread).mean()
            errors.append(errors_of_model | {"within_one_percent": within})
            if task.name == UNSEEN:
                predictions.append(
                    pd.DataFrame(
                        {
                            "task": task.name,
                            "model": model,
                            "seed": seed,
                            "cell": [cells.names[row] for row in task.test],
                            "concentration": cells.concentrations[task.test],
                            "energy_ev": true,
                            "predicted_ev": predicted,
                            "spread_ev": np.nan if spread is None else spread,
                        }
                    )
                )
    write_csv(errors_csv, pd.DataFrame(errors, columns=ERROR_COLUMNS))
    write_csv(predictions_csv, pd.concat(predictions)[PREDICTION_COLUMNS])


def _judged(
    cells: Cells, task: Task, model: str, seed: int, settings: Regression
) -> tuple[Fitted, Array, dict[str, Any]]:
    """A model that was fitted, the energies that it predicts, and its errors, columns of `ERROR_COLUMNS`."""
    description, fit = models(settings)[model]
    features = cells.vectors[description]
    fitted = REGRESSIONS[fit](features[task.train], cells.energies[task.train], settings, seed)
    predicted = fitted.predict(features[task.test])
    error = predicted - cells.energies[task.test]
    return (
        fitted,
        predicted,
        {
            "task": task.name,
            "model": model,
            "seed": seed,
            "n_train": len(task.train),
            "n_test": len(task.test),
            "n_features": fitted.n_features,
            "mae_mev": 1e3 * np.abs(error).mean(),
            "rmse_mev": 1e3 * np.sqrt((error**2).mean()),
        },
    )


def models(settings: Regression) -> dict[str, tuple[str, str]]:
    """Description and regression of each model, by its name."""
    return {name: ("scattering", name) for name in settings.models} | {SOAP_RIDGE: ("soap", "ridge")}


def learning_curve(
    dataset_xyz: str | Path,
    vectors_h5: Mapping[str, str | Path],
    out_csv: str | Path,
    settings: Alloy,
    seeds: Sequence[int],
    shares: Sequence[float] = (0.1, 0.2, 0.35, 0.5, 0.7, 1.0),
) -> None:
    """Write the errors of unseen cells for parts of the training set, `ERROR_COLUMNS`."""
    cells = read_cells(dataset_xyz, vectors_h5, settings.species)
    rows = []
    for seed in progress(seeds, len(seeds), "draws"):
        whole = next(tasks(cells, settings.regression, seed))
        order = np.random.default_rng([settings.regression.seed, seed, 1]).permutation(whole.train)
        for share in shares:
            train = np.sort(order[: max(10, round(share * len(order)))])
            task = Task(UNSEEN, train, whole.test)
            for model in models(settings.regression):
                if model in (*settings.regression.curves, SOAP_RIDGE):
                    rows.append(_judged(cells, task, model, seed, settings.regression)[2])
    write_csv(out_csv, pd.DataFrame(rows).reindex(columns=ERROR_COLUMNS))


def error_by_size(
    dataset_xyz: str | Path,
    vectors_h5: Mapping[str, str | Path],
    out_csv: str | Path,
    settings: Alloy,
    seeds: Sequence[int],
) -> None:
    """Write training and test errors of greedy models of 0, 1, 2, ... features, `PATH_COLUMNS`: of one that sees all features at each
    step, and of one that sees a random part of them."""
    cells = read_cells(dataset_xyz, {"scattering": vectors_h5["scattering"]}, settings.species)
    features, its = cells.vectors["scattering"], settings.regression
    tables = []
    for seed in progress(seeds, len(seeds), "draws"):
        task = next(tasks(cells, its, seed))
        for model, subset in (("greedy", 1.0), ("greedy among random features", its.subset)):
            path = orthogonal_least_squares(
                features[task.train],
                cells.energies[task.train],
                its.most_features,
                None,
                subset,
                np.random.default_rng(seed),
            )
            of_training, of_test = (
                1e3 * mean_absolute_errors(path, features[rows], cells.energies[rows])
                for rows in (task.train, task.test)
            )
            tables.append(
                pd.DataFrame(
                    {
                        "model": model,
                        "seed": seed,
                        "n_features": np.arange(len(of_test)),
                        "training_mev": of_training,
                        "test_mev": of_test,
                    }
                )
            )
    write_csv(out_csv, pd.concat(tables)[PATH_COLUMNS])
