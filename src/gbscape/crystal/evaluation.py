"""How good a model is: accuracies under defects, calibration, and what it says to boxes that are of no class."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gbscape.crystal.classification import PASSES, SEED, distance_scores
from gbscape.crystal.training_set import Rows
from gbscape.learn.calibration import expected_calibration_error, reliability
from gbscape.learn.feature_space import KNOWN
from gbscape.learn.monte_carlo_dropout import predict
from gbscape.learn.network_file import NetworkModel

Defect = Literal["pristine", "displaced", "missing", "both"]

ACCURACY_COLUMNS = ["defect", "displacement", "missing", "rows", "accuracy", "mutual_information_bits"]
"""Of tables of accuracies; `label` comes first in those by class."""
CALIBRATION_COLUMNS = ["rows", "accuracy", "confidence", "expected_calibration_error"]
CONFIDENT_COLUMNS = ["boxes", "rule", "n", "confident"]
RULES = ("probability", "mutual_information", "probability_and_distance")
"""What makes a label confident, see `confident_labels`."""
BINS = 15
"""Of the reliability diagrams."""


class Judged(NamedTuple):
    """What a model says to n rows."""

    classes: tuple[str, ...]
    """Labels of the model."""
    probabilities: NDArray[np.float32]
    """(n, classes)."""
    mutual_information_bits: NDArray[np.float64]
    """(n,)."""
    distance_score: NDArray[np.float64] | None
    """(n,) None for a model that does not know where its classes are."""
    known: NDArray[np.bool_] | None
    """(n,) the distance is one of known structures."""

    @property
    def labels(self) -> NDArray[np.str_]:
        """(n,) most probable class."""
        return np.array(self.classes)[self.probabilities.argmax(axis=1)]


def judge(
    model: NetworkModel,
    features: ArrayLike,
    *,
    passes: int = PASSES,
    seed: int = SEED,
    temperature: float | None = None,
    threads: int = 1,
) -> Judged:
    """Ask a model about rows of features.

    Args:
        model: of `gbscape.crystal.load_model`.
        features: (n, features) under the model's settings.
        passes, seed: of the network with dropout.
        temperature: by which logits are divided; None: that of the model. 1 is the published behaviour.
        threads: number of threads.

    Raises:
        ValueError: features that do not fit or are not finite.
    """
    found = predict(
        model.networks, features, passes, seed, threads=threads,
        temperature=model.temperature if temperature is None else temperature,
    )  # fmt: skip
    distance = distance_scores(model, features)
    known = None if distance is None else distance <= KNOWN
    return Judged(model.classes, found.probabilities, found.mutual_information_bits, distance, known)


def accuracies(judged: Judged, table: pd.DataFrame, by_class: bool = False) -> pd.DataFrame:
    """Share of right labels, and mean uncertainty, at each level of defects.

    Args:
        judged: of the rows of the table.
        table: of `gbscape.crystal.training_set.Rows`; pristine rows need no columns of defects.
        by_class: a row for each class and level, instead of one for all classes.

    Returns:
        `ACCURACY_COLUMNS`, in the order of the levels in the table.
    """
    _check_rows(judged, table)
    frame = pd.DataFrame(
        {
            "label": table["label"].to_numpy(),
            "displacement": table["displacement"].to_numpy() if "displacement" in table else 0.0,
            "missing": table["missing"].to_numpy() if "missing" in table else 0.0,
            "right": judged.labels == table["label"].to_numpy(),
            "mutual_information_bits": judged.mutual_information_bits,
        }
    )
    keys = (["label"] if by_class else []) + ["displacement", "missing"]
    found = frame.groupby(keys, sort=False, as_index=False).agg(
        rows=("right", "size"), accuracy=("right", "mean"), mutual_information_bits=("mutual_information_bits", "mean")
    )
    found["defect"] = [_defect(d, m) for d, m in zip(found["displacement"], found["missing"], strict=True)]
    return found[(["label"] if by_class else []) + ACCURACY_COLUMNS]


def calibration(judged: Judged, table: pd.DataFrame, bins: int = BINS) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Whether probabilities are what they say.

    Returns:
        the reliability diagram of all rows (`gbscape.learn.calibration.RELIABILITY_COLUMNS`); and the expected calibration
        error of each kind of defect and of all, `defect` and `CALIBRATION_COLUMNS`.

    Raises:
        ValueError: a row is of none of the model's classes.
    """
    _check_rows(judged, table)
    true = Rows(np.empty((len(table), 0), np.float32), table).class_numbers(judged.classes)
    kinds = np.array(
        [_defect(d, m) for d, m in zip(table["displacement"], table["missing"], strict=True)]
        if "displacement" in table
        else ["pristine"] * len(table)
    )
    rows = []
    for kind in (*pd.unique(kinds), "all"):
        chosen = kinds == kind if kind != "all" else np.ones(len(kinds), dtype=bool)
        p, of_rows = judged.probabilities[chosen], true[chosen]
        error = expected_calibration_error(reliability(p, of_rows, bins))
        rows.append((kind, len(p), float((p.argmax(axis=1) == of_rows).mean()), float(p.max(axis=1).mean()), error))
    return reliability(judged.probabilities, true, bins), pd.DataFrame(rows, columns=["defect", *CALIBRATION_COLUMNS])


def confident_labels(
    judged: Judged, least_probability: float = 0.9, most_mutual_information_bits: float = 0.1
) -> dict[str, NDArray[np.bool_]]:
    """Which rows (n,) get a confident label, by each of `RULES`.

    Args:
        judged: the rows.
        least_probability: "probability": the most probable class has more than this, whatever else.
        most_mutual_information_bits: "mutual_information": the mutual information is less than this.

    "probability_and_distance" is the first rule for rows at a known distance; absent for models without distances.
    """
    confident = judged.probabilities.max(axis=1) > least_probability
    rules = {
        "probability": confident,
        "mutual_information": judged.mutual_information_bits < most_mutual_information_bits,
    }
    if judged.known is not None:
        rules["probability_and_distance"] = confident & judged.known
    return rules


def confident_shares(
    boxes: Mapping[str, Judged], least_probability: float = 0.9, most_mutual_information_bits: float = 0.1
) -> pd.DataFrame:
    """Share of boxes that get a confident label: for those of no class (gas, liquid) it should be 0, for crystals 1.

    Args:
        boxes: what the model says to boxes, by their kind.
        least_probability, most_mutual_information_bits: see `confident_labels`.

    Returns:
        `CONFIDENT_COLUMNS`, a row for each kind and rule.
    """
    return pd.DataFrame(
        [
            (kind, rule, len(confident), float(confident.mean()))
            for kind, judged in boxes.items()
            for rule, confident in confident_labels(judged, least_probability, most_mutual_information_bits).items()
        ],
        columns=CONFIDENT_COLUMNS,
    )


def _defect(displacement: float, missing: float) -> Defect:
    if displacement > 0:
        return "both" if missing > 0 else "displaced"
    return "missing" if missing > 0 else "pristine"


def _check_rows(judged: Judged, table: pd.DataFrame) -> None:
    if len(judged.probabilities) != len(table):
        raise ValueError(f"{len(judged.probabilities)} rows were judged, but the table has {len(table)}")
