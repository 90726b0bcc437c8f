"""Learn one property of the survey's boundaries from one representation, or by one of the further models."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gbscape.config.learn import TASKS, Learn, Target
from gbscape.features.matrix import FeatureMatrix, read_features
from gbscape.learn.evaluation import Evaluation, evaluate, evaluate_model, evaluate_random
from gbscape.learn.learning_curve import learning_curve
from gbscape.store.progress import progress

COLUMNS: dict[Target, str] = {
    "energy": "energy_j_m2",
    "published_energy": "published_energy_j_m2",
    "mobility_3_class": "mobility_3_class",
    "mobility_4_class": "mobility_4_class",
    "shear_class": "shear_class",
}
"""Column of the survey's table that holds each target."""


def learn_target(
    features_h5: str | Path, energies_csv: str | Path, target: Target, representation: str, settings: Learn, seed: int
) -> Evaluation:
    """Scores, predictions and importance of `representation` for `target`, over all splits.

    Boundaries without a value of the target are left out.

    Raises:
        ValueError: no boundary has a value of the target, or as `gbscape.learn.evaluation.evaluate`.
    """
    features, values = _aligned(features_h5, energies_csv, target)
    return evaluate(
        features.values,
        values,
        TASKS[target],
        settings,
        seed,
        representation=representation,
        target_name=target,
        ids=features.ids,
        feature_names=features.names,
        part_sizes=features.part_sizes,
        track=lambda splits: progress(splits, settings.n_splits, f"splits of {target} from {representation}"),
    )


def learn_target_by_model(
    features_h5: Mapping[str, str | Path],
    energies_csv: str | Path,
    target: Target,
    model: str,
    settings: Learn,
    seed: int,
) -> Evaluation:
    """Scores and predictions of one of `settings.models` for `target`, over all splits.

    Args:
        features_h5: file of each representation that the model is of. Boundaries that one of them lacks are left out.

    Raises:
        ValueError: as `learn_target`.
    """
    aligned = {name: _aligned(path, energies_csv, target) for name, path in features_h5.items()}
    matrices = [features for features, _ in aligned.values()]
    ids = [item for item in matrices[0].ids if all(item in features.ids for features in matrices)]
    rows = {name: [features.ids.index(item) for item in ids] for name, (features, _) in aligned.items()}
    first = next(iter(aligned))
    return evaluate_model(
        {name: features.values[rows[name]] for name, (features, _) in aligned.items()},
        aligned[first][1][rows[first]],
        TASKS[target],
        settings,
        seed,
        model=model,
        target_name=target,
        ids=ids,
        track=lambda splits: progress(splits, settings.n_splits, f"splits of {target} by {model}"),
    )


def learn_target_curve(
    features_h5: str | Path, energies_csv: str | Path, target: Target, representation: str, settings: Learn, seed: int
) -> pd.DataFrame:
    """Learning curve of `representation` for the regression target `target`, see `learning_curve`."""
    features, values = _aligned(features_h5, energies_csv, target)
    repeats = settings.learning_curve.repeats
    return learning_curve(
        features.values,
        values,
        settings,
        seed,
        representation=representation,
        target_name=target,
        part_sizes=features.part_sizes,
        track=lambda items: progress(items, repeats, f"learning curves of {target} from {representation}"),
    )


def learn_target_random(energies_csv: str | Path, target: Target, settings: Learn, seed: int) -> Evaluation:
    """The Random baseline for `target`."""
    values = _values(energies_csv, target)
    return evaluate_random(values.to_numpy(), TASKS[target], settings, seed, target_name=target, ids=list(values.index))


def _aligned(features_h5: str | Path, energies_csv: str | Path, target: Target) -> tuple[FeatureMatrix, NDArray[Any]]:
    values = _values(energies_csv, target)
    features = read_features(features_h5)
    known = np.array([item in values.index for item in features.ids])
    ids = [item for item, keep in zip(features.ids, known, strict=True) if keep]
    return FeatureMatrix(ids, features.values[known], features.names, features.part_sizes), values.loc[ids].to_numpy()


def _values(energies_csv: str | Path, target: Target) -> "pd.Series[Any]":
    table = pd.read_csv(energies_csv, index_col="id")
    values = table[COLUMNS[target]].dropna() if COLUMNS[target] in table else pd.Series(dtype=float)
    if values.empty:
        raise ValueError(f"{energies_csv} has no values of {target}; remove it from learn.targets")
    return values
