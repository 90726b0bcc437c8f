"""How well energies of cells are learned, and carried to concentrations that were left out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedShuffleSplit

from gbscape.alloy.dataset import DatasetError, read_cells, shares
from gbscape.alloy.regression import REGRESSIONS, Fitted, standardised
from gbscape.alloy.tables import ERROR_COLUMNS, PREDICTION_COLUMNS, SIZE_COLUMNS, SOAP_RIDGE, UNSEEN
from gbscape.config.alloy import Regression
from gbscape.learn.orthogonal_least_squares import ModelPath, mean_absolute_errors, orthogonal_least_squares
from gbscape.store.progress import progress
from gbscape.store.shards import open_shard
from gbscape.store.tables import write_csv

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


FEWEST_CELLS = 10
"""With fewer nothing can be learned and tested."""
_LEFT_OUT, _CELLS_OF_A_CONCENTRATION = 4, 5
"""Concentrations that are left out where the settings name none, and the fewest cells that each of them has."""


@dataclass(frozen=True)
class Described:
    """A dataset as matrices."""

    names: list[str]
    energies_ev_atom: Array
    """(n,)."""
    shares: Array
    """(n, 2) parts of each species."""
    concentrations: Array
    """(n,) nominal."""
    vectors: Mapping[str, Array]
    """(n, d) by description."""


def _of_species(parts: Array, energies: Array) -> Array:
    return np.asarray(np.linalg.lstsq(parts, energies, rcond=None)[0], dtype=float)


@dataclass(frozen=True)
class Task:
    """Cells to learn from, and cells to predict."""

    name: str
    train: Rows
    test: Rows


def read_described(
    cells_xyz: Sequence[str | Path], vectors_h5: Mapping[str, str | Path], species: tuple[str, str]
) -> Described:
    """Cells with their gathered vectors; cells that could not be described are left out.

    Args:
        cells_xyz: of `gbscape.alloy.dataset`.
        vectors_h5: gathered vectors by description.
        species: the alloy's.

    Raises:
        DatasetError: cells that cannot be used, or fewer than can be learned from.
    """
    cells = read_cells(cells_xyz, species)
    rows: dict[str, dict[str, Array]] = {}
    for description, path in vectors_h5.items():
        with open_shard(path) as gathered:
            rows[description] = {name: record["vector"] for name, record in gathered}
    kept = [cell for cell in cells if all(cell.name in its for its in rows.values())]
    if len(kept) < FEWEST_CELLS:
        raise DatasetError(
            f"{', '.join(map(str, cells_xyz))}: {len(kept)} cells with vectors, {FEWEST_CELLS} are the least"
        )
    return Described(
        [cell.name for cell in kept],
        np.array([cell.energy_ev_atom for cell in kept]),
        shares(kept, species),
        np.array([cell.concentration for cell in kept]),
        {description: np.array([its[cell.name] for cell in kept]) for description, its in rows.items()},
    )


class Model(NamedTuple):
    """A regression of what the species alone do not explain."""

    of_species_ev: Array
    """(2,) energy of an atom of each species, fitted first."""
    rest: Fitted

    def predict(self, vectors: Array, shares: Array) -> Array:
        """(n,) energies an atom in eV."""
        return shares @ self.of_species_ev + self.rest.predict(vectors)


def fit(cells: Described, rows: Rows, model: str, settings: Regression, seed: int) -> Model:
    """Fit one of `models` to some cells."""
    description, regression = models(settings)[model]
    energies, parts = cells.energies_ev_atom[rows], cells.shares[rows]
    of_species = _of_species(parts, energies)
    vectors = cells.vectors[description][rows]
    rest = REGRESSIONS[regression](vectors, energies - parts @ of_species, settings, _of_draw(settings, seed))
    return Model(of_species, rest)


def tasks(cells: Described, settings: Regression, seed: int) -> Iterator[Task]:
    """What is asked of a model in one draw: unseen cells, of all concentrations alike; each concentration left out in turn, learned from
    the others.

    The first is another draw for each seed; the others have one training set, of which a seed leaves a tenth out.
    """
    labels = _strata(cells, settings.test_fraction)
    split = StratifiedShuffleSplit(n_splits=1, test_size=settings.test_fraction, random_state=_of_draw(settings, seed))
    train, test = next(split.split(labels, labels))
    yield Task(UNSEEN, np.sort(train), np.sort(test))
    rng = np.random.default_rng([settings.seed, seed])
    for concentration in left_out(cells.concentrations, settings):
        left = np.isclose(cells.concentrations, concentration)
        yield Task(
            f"concentration {concentration:g} left out", thinned(np.flatnonzero(~left), rng), np.flatnonzero(left)
        )


def left_out(concentrations: Array, settings: Regression) -> tuple[float, ...]:
    """Concentrations that are left out in turn: those of the settings, or some of those that a dataset has.

    Raises:
        DatasetError: no cell has one of the settings', or all have.
    """
    known, counts = np.unique(concentrations, return_counts=True)
    if settings.left_out is None:
        frequent = known[counts >= _CELLS_OF_A_CONCENTRATION]
        if len(known) == 1:
            return ()
        evenly = np.unique(np.linspace(0, len(frequent) - 1, min(_LEFT_OUT, len(frequent))).round().astype(int))
        return tuple(frequent[evenly].tolist())
    for concentration in settings.left_out:
        left = np.isclose(concentrations, concentration)
        if not left.any() or left.all():
            having = ", ".join(f"{its:g}" for its in known[:20])
            raise DatasetError(
                f"alloy.regression.left_out: {'all cells have' if left.any() else 'no cell has'} the concentration "
                f"{concentration:g}; the dataset has {having}{' ...' if len(known) > 20 else ''}"
            )
    return settings.left_out


def _of_draw(settings: Regression, seed: int) -> int:
    """A seed for a draw: of the settings, and of its number."""
    return int(np.random.SeedSequence([settings.seed, seed]).generate_state(1)[0])


def _strata(cells: Described, test_fraction: float) -> Rows:
    """(n,) classes of which a test set takes an equal share: the concentrations or, where these are too many for it or single cells,
    cells of like composition."""
    labels = np.unique(cells.concentrations, return_inverse=True)[1]
    n_test = int(np.ceil(test_fraction * len(labels)))
    most = min(n_test, len(labels) - n_test)
    if np.bincount(labels).min() >= 2 and labels.max() < most:
        return labels
    n_bins = max(1, min(most, len(labels) // 4))
    order = np.argsort(np.argsort(cells.shares[:, 0], kind="stable"), kind="stable")
    return order * n_bins // len(labels)


def thinned(rows: Rows, rng: np.random.Generator) -> Rows:
    """Nine tenths of rows, by chance."""
    return np.sort(rng.permutation(rows)[: max(4, round(0.9 * len(rows)))])


def evaluate(
    dataset_xyz: str | Path,
    vectors_h5: Mapping[str, str | Path],
    errors_csv: str | Path,
    predictions_csv: str | Path,
    species: tuple[str, str],
    settings: Regression,
    seed: int,
) -> None:
    """Write the errors of all models on all tasks of a draw, `ERROR_COLUMNS`, and their predictions of unseen cells,
    `PREDICTION_COLUMNS`.

    Args:
        dataset_xyz: of `gbscape.alloy.dataset`.
        vectors_h5: gathered vectors of `gbscape.alloy.describe`, by description.
        errors_csv, predictions_csv: the tables.
        species: the alloy's.
        settings: of the learning.
        seed: of the draw.
    """
    cells = read_described([dataset_xyz], vectors_h5, species)
    asked = [(task, model) for task in tasks(cells, settings, seed) for model in models(settings)]
    errors, predictions = [], []
    for task, model in progress(asked, len(asked), "models"):
        fitted, predicted, errors_of_model = _judged(cells, task, model, seed, settings)
        errors.append(errors_of_model)
        if task.name == UNSEEN:
            vectors = cells.vectors[models(settings)[model][0]][task.test]
            spread = np.full(len(vectors), np.nan) if fitted.rest.spread is None else fitted.rest.spread(vectors)
            predictions.append(
                pd.DataFrame(
                    {
                        "model": model,
                        "seed": seed,
                        "cell": [cells.names[row] for row in task.test],
                        "concentration": cells.concentrations[task.test],
                        "energy_ev_atom": cells.energies_ev_atom[task.test],
                        "predicted_ev_atom": predicted,
                        "spread_ev_atom": spread,
                    }
                )
            )
    write_csv(errors_csv, pd.DataFrame(errors, columns=ERROR_COLUMNS))
    write_csv(predictions_csv, pd.concat(predictions)[PREDICTION_COLUMNS])


def _judged(
    cells: Described, task: Task, model: str, seed: int, settings: Regression
) -> tuple[Model, Array, dict[str, Any]]:
    """A model that was fitted, the energies that it predicts, and its errors, columns of `ERROR_COLUMNS`."""
    fitted = fit(cells, task.train, model, settings, seed)
    vectors = cells.vectors[models(settings)[model][0]]
    predicted = fitted.predict(vectors[task.test], cells.shares[task.test])
    error = predicted - cells.energies_ev_atom[task.test]
    return (
        fitted,
        predicted,
        {
            "task": task.name,
            "model": model,
            "seed": seed,
            "n_train": len(task.train),
            "n_test": len(task.test),
            "n_features": fitted.rest.n_features,
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
    species: tuple[str, str],
    settings: Regression,
    seed: int,
    shares_learned: Sequence[float] = (0.1, 0.2, 0.35, 0.5, 0.7, 1.0),
) -> None:
    """Write the errors of unseen cells of a draw for parts of the training set, `ERROR_COLUMNS`."""
    cells = read_described([dataset_xyz], vectors_h5, species)
    whole = next(tasks(cells, settings, seed))
    order = np.random.default_rng([settings.seed, seed, 1]).permutation(whole.train)
    parts = [np.sort(order[: max(10, round(share * len(order)))]) for share in shares_learned]
    asked = [
        (Task(UNSEEN, part, whole.test), model)
        for part in parts
        for model in models(settings)
        if model in (*settings.curves, SOAP_RIDGE)
    ]
    rows = [_judged(cells, task, model, seed, settings)[2] for task, model in progress(asked, len(asked), "models")]
    write_csv(out_csv, pd.DataFrame(rows, columns=ERROR_COLUMNS))


def error_by_size(
    dataset_xyz: str | Path,
    vectors_h5: Mapping[str, str | Path],
    out_csv: str | Path,
    species: tuple[str, str],
    settings: Regression,
    seed: int,
) -> None:
    """Write training and test errors of models of 0, 1, 2, ... features for each way to select them, `SIZE_COLUMNS`.

    The ways: greedy; greedy among a random part of the features at each step; those that correlate best with the energies; any.
    """
    cells = read_described([dataset_xyz], vectors_h5, species)
    task = next(tasks(cells, settings, seed))
    energies = cells.energies_ev_atom
    of_species = _of_species(cells.shares[task.train], energies[task.train])
    features, rest = cells.vectors["scattering"], energies - cells.shares @ of_species
    tables = []
    for selection, path in selections(features[task.train], rest[task.train], settings, seed).items():
        of_training, of_test = (
            1e3 * mean_absolute_errors(path, features[rows], rest[rows]) for rows in (task.train, task.test)
        )
        tables.append(
            pd.DataFrame(
                {
                    "selection": selection,
                    "seed": seed,
                    "n_features": np.arange(len(of_test)),
                    "training_mev": of_training,
                    "test_mev": of_test,
                }
            )
        )
    write_csv(out_csv, pd.concat(tables)[SIZE_COLUMNS])


def selections(features: Array, targets: Array, settings: Regression, seed: int) -> dict[str, ModelPath]:
    """Models of growing size by each way to select features."""
    rng = np.random.default_rng(seed)
    correlation = np.abs(standardised(features)[0].T @ (targets - targets.mean()))
    ways: dict[str, dict[str, Any]] = {
        "greedy": {},
        "greedy among random features": {"subset": settings.subset, "rng": rng},
        "best correlated": {"order": np.argsort(-correlation, kind="stable")},
        "random": {"order": rng.permutation(features.shape[1])},
    }
    return {
        name: orthogonal_least_squares(features, targets, settings.most_features, **way) for name, way in ways.items()
    }
