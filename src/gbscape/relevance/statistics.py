"""How much of a map lies on the atoms of the structural units, and how it compares with the energies of the atoms."""

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import pearsonr, rankdata

from gbscape.relevance.map_file import RelevanceMap
from gbscape.relevance.symmetry import broken_share, find_symmetry

Array = NDArray[np.float64]

STATISTICS_COLUMNS = [
    "map", "split", "explained_was_in_training", "prediction_j_m2", "reference_j_m2", "completeness_error_j_m2",
    "n_atoms", "unit_share_of_atoms", "unit_share_of_relevance", "unit_share_of_energy", "auc_of_magnitude", "auc_of_value",
    "pearson_with_energy", "spearman_with_energy", "pearson_with_energy_in_units", "pearson_between_splits",
    "broken_by_translation", "broken_by_symmetry",
]  # fmt: skip
MEAN = "mean"
"""Name under which the mean over the splits is listed; as the models are linear, it is the map of their mean."""


def area_under_curve(values: Array, positive: NDArray[np.bool_]) -> float:
    """Probability (ROC AUC) that a positive's value is above that of another one; ties count half.

    Args:
        values: (n,).
        positive: (n,) true for the positives.

    Raises:
        ValueError: all are positive, or none.
    """
    n_positive = int(positive.sum())
    if n_positive in (0, len(positive)):
        raise ValueError(f"{n_positive} of {len(positive)} atoms are positive; some must be and some not")
    ranks = rankdata(values)[positive].sum() - n_positive * (n_positive + 1) / 2
    return float(ranks / (n_positive * (len(positive) - n_positive)))


def tabulate_statistics(maps: Sequence[RelevanceMap]) -> pd.DataFrame:
    """A row for each map and split, and for the mean over the splits, columns `STATISTICS_COLUMNS`.

    Structural units are the atoms that are not bulk crystal by adaptive common-neighbour analysis of the relaxed boundary: it
    knows nothing of the model. `unit_share_of_relevance` is their share of the sum of the magnitudes, to be compared with
    `unit_share_of_atoms` and, for a model that is right about every atom, with `unit_share_of_energy`. `auc_...` are the
    probability that an atom of a unit ranks above another one, by magnitude or by signed value. `pearson_with_...` and
    `spearman_...` compare relevances with the energies of the atoms, `pearson_between_splits` is the mean correlation of the
    maps of two splits, and `broken_by_...` are as in `gbscape.relevance.symmetry.broken_share`. What is not known is empty.
    """
    rows = []
    for item in maps:
        known = len(item.energies_j_m2) > 0
        symmetry = find_symmetry(item.positions, item.cell)
        between = [_pearson(*pair) for pair in itertools.combinations(item.of_atoms, 2)]
        splits = [(str(split), [split]) for split in range(len(item.of_atoms))]
        if len(splits) > 1:
            splits.append((MEAN, list(range(len(item.of_atoms)))))
        for label, of in splits:
            relevance = item.of_atoms[of].mean(axis=0)
            rows.append(
                {
                    "map": item.name,
                    "split": label,
                    "explained_was_in_training": bool(item.in_training[of].any()),
                    "prediction_j_m2": item.predictions_j_m2[of].mean(),
                    "reference_j_m2": item.references_j_m2[of].mean(),
                    "completeness_error_j_m2": max(item.errors_j_m2[of], key=abs),
                    "n_atoms": len(relevance),
                    "unit_share_of_atoms": item.in_unit.mean(),
                    "unit_share_of_relevance": _share(relevance, item.in_unit),
                    "unit_share_of_energy": _share(item.energies_j_m2, item.in_unit) if known else np.nan,
                    "auc_of_magnitude": area_under_curve(np.abs(relevance), item.in_unit),
                    "auc_of_value": area_under_curve(relevance, item.in_unit),
                    **(_with_energy(relevance, item) if known else {}),
                    "pearson_between_splits": np.mean(between) if between else np.nan,
                    "broken_by_translation": broken_share(relevance, symmetry.translation_orbits),
                    "broken_by_symmetry": broken_share(relevance, symmetry.orbits),
                }
            )
    return pd.DataFrame(rows, columns=STATISTICS_COLUMNS)


def _with_energy(relevance: Array, item: RelevanceMap) -> dict[str, float]:
    energies, units = item.energies_j_m2, item.in_unit
    return {
        "pearson_with_energy": _pearson(relevance, energies),
        "spearman_with_energy": _pearson(rankdata(relevance), rankdata(energies)),
        "pearson_with_energy_in_units": _pearson(relevance[units], energies[units]),
    }


def _pearson(a: Array, b: Array) -> float:
    """Correlation coefficient; not a number for fewer than three values, or where all are the same but for rounding."""
    if len(a) < 3 or min(np.ptp(v) / np.abs(v).max() if v.any() else 0.0 for v in (a, b)) < 1e-9:
        return float("nan")
    return float(pearsonr(a, b).statistic)


def _share(values: Array, chosen: NDArray[np.bool_]) -> float:
    magnitude = np.abs(values)
    return float(magnitude[chosen].sum() / magnitude.sum())
