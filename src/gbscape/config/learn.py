"""Settings of the learning of boundary properties from feature matrices."""

from typing import Literal

from pydantic import Field, field_validator

from gbscape.config.base import Settings

Target = Literal["energy", "published_energy", "mobility_3_class", "mobility_4_class", "shear_class"]
Task = Literal["regression", "classification"]

TASKS: dict[Target, Task] = {
    "energy": "regression",
    "published_energy": "regression",
    "mobility_3_class": "classification",
    "mobility_4_class": "classification",
    "shear_class": "classification",
}
"""What kind of problem each target is."""


class BoostedTrees(Settings):
    """Gradient-boosted trees (xgboost). Only the number of trees is tuned, by early stopping in cross-validation.

    `learning_rate` and `max_depth` are the defaults of xgboost's scikit-learn interface in 2019, the year of the
    published accuracies (Homer et al. 2019); xgboost's present defaults are 0.3 and 6.
    """

    learning_rate: float = Field(default=0.1, gt=0, le=1)
    """Shrinkage of each tree's contribution, dimensionless."""
    max_depth: int = Field(default=3, ge=1, le=20)
    """Greatest number of questions from the root to a leaf."""
    max_trees: int = Field(default=1000, ge=1)
    """Most boosting rounds tried; each round adds one tree (one a class when there are more than two classes)."""
    early_stopping_rounds: int = Field(default=20, ge=1)
    """Stop when the mean validation loss has not improved for this many rounds."""
    folds: int = Field(default=5, ge=2)
    """Folds of the cross-validation, inside the training rows, that chooses the number of trees."""
    tree_method: Literal["exact", "hist", "approx"] = "exact"
    """How splits are found. `exact` is the fastest and the most accurate for hundreds of boundaries; `hist` bins each
    feature and suits many thousands."""
    n_threads: int = Field(default=1, ge=1)
    """Threads that xgboost may use."""


class Smote(Settings):
    """Synthetic minority over-sampling, applied to training rows only."""

    k_neighbors: int = Field(default=5, ge=1)
    """Neighbours of its own class towards which a row is interpolated; reduced when a class has too few rows."""


class LearningCurve(Settings):
    """Error of the energy against the number of training boundaries."""

    fractions: list[float] = Field(default=[0.25, 0.4, 0.55, 0.7, 0.85, 1.0], min_length=1)
    """Training-set sizes, as increasing fractions (0 to 1] of the training rows of a split."""
    repeats: int = Field(default=5, ge=1)
    """Train-test splits over which the curve is repeated."""

    @field_validator("fractions")
    @classmethod
    def _increasing(cls, fractions: list[float]) -> list[float]:
        bounds = [0.0, *fractions]
        if fractions[-1] > 1 or any(low >= high for low, high in zip(bounds, fractions, strict=False)):
            raise ValueError(f"must increase strictly and lie in (0, 1], got {fractions}")
        return fractions


class Learn(Settings):
    """Learning of boundary properties from features."""

    targets: list[Target] = ["energy"]
    """Properties to learn; `energy` is the computed one, the others are published. Empty: nothing is learned."""
    test_fraction: float = Field(default=0.5, gt=0, lt=1)
    """Fraction of the boundaries held out for testing."""
    n_splits: int = Field(default=20, ge=1)
    """Random train-test splits over which scores are averaged."""
    trees: BoostedTrees = BoostedTrees()
    """The model: gradient-boosted trees."""
    smote: Smote | None = Smote()
    """Over-sampling for classification; null trains on the classes as they are."""
    learning_curve: LearningCurve = LearningCurve()
    """Error against the number of training boundaries."""

    @field_validator("targets")
    @classmethod
    def _distinct(cls, targets: list[Target]) -> list[Target]:
        if len(set(targets)) != len(targets):
            raise ValueError(f"each target may be given once, got {targets}")
        return targets
