"""Settings of the learning of boundary properties from feature matrices."""

from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from gbscape.config.base import Settings
from gbscape.config.features import RepresentationName

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
    published accuracies (Homer et al. 2019); xgboost's present defaults are 0.3 and 6. The draw of columns is ours, for
    speed: the paper's trees see every column (`columns_per_tree: null`, `columns_per_fit: null`).
    """

    learning_rate: float = Field(default=0.1, gt=0, le=1)
    """Shrinkage of each tree's contribution, dimensionless."""
    max_depth: int = Field(default=3, ge=1, le=20)
    """Greatest number of questions from the root to a leaf."""
    max_trees: int = Field(default=1000, ge=1)
    """Most boosting rounds tried; each round adds one tree (one a class when there are more than two classes)."""
    early_stopping_rounds: int = Field(default=10, ge=1)
    """Stop when the mean validation loss has not improved for this many rounds; not published. With 20 the accuracies of
    energies and 3 classes of mobility (SOAP, 220 boundaries) are the same within 0.1 %."""
    folds: int = Field(default=5, ge=2)
    """Folds of the cross-validation, inside the training rows, that chooses the number of trees."""
    columns_per_tree: int | None = Field(default=50, ge=1)
    """Columns drawn at random for each tree, with the same chance from each part of a concatenation; null: all. Neighbouring
    columns say nearly the same, so that a tree loses nothing by seeing a few: on 220 boundaries (SOAP, 3250 columns, the same
    20 splits) 100 columns instead of all take the accuracy of energies from 90.5 to 90.4 % (mean absolute error from 0.057 to
    0.055 J/m^2), that of the 3 classes of mobility from 75.4 to 77.7 %, in a fourteenth of the time; 50 instead of 100, on 5
    splits of 388 boundaries, from 92.5 to 92.6 % and from 81.2 to 80.1 %, in two thirds of that."""
    columns_per_fit: int | None = Field(default=1000, ge=1)
    """Columns drawn at random for each split, of those that vary among its training rows, with the same chance from each part
    of a concatenation; null: all. Only vectors longer than this are thinned. On the same 20 splits of 388 boundaries 1000
    columns instead of 4000 take the accuracy of energies from 93.3 to 93.3 % (SOAP) and from 93.9 to 93.6 % (SOAP+ST), that of
    the 3 classes of mobility from 80.5 to 80.8 % and from 80.8 to 80.8 %, in two thirds of the time. On 4 splits of
    220 boundaries SOAP beside ST of twenty times its length (that of 64 directions, repeated) takes the accuracy of energies to
    89.3 % so drawn and to 89.9 % with all columns, but to 86.7 % if parts are drawn from by their lengths."""
    tree_method: Literal["exact", "hist", "approx"] = "exact"
    """How splits are found. `exact` is the fastest and the most accurate for hundreds of boundaries; `hist` bins each
    feature and suits many thousands."""
    n_threads: int = Field(default=1, ge=1)
    """Threads that xgboost may use."""


class Smote(Settings):
    """Synthetic minority over-sampling, applied to training rows only."""

    k_neighbors: int = Field(default=5, ge=1)
    """Neighbours of its own class towards which a row is interpolated; reduced when a class has too few rows."""


Positive = Annotated[float, Field(gt=0)]


class FurtherModel(Settings):
    """What all models beside the boosted trees share."""

    kind: str
    targets: tuple[Target, ...] | None = Field(default=None, min_length=1)
    """Which of `learn.targets` it learns; null: all."""


class KernelModel(FurtherModel):
    """Kernel machine: ridge regression for energies, support vectors for classes.

    Columns are centred and divided by their standard deviation over the training rows. The kernel's length, the penalty and
    the cost are those that do best in cross-validation inside the training rows.
    """

    kind: Literal["kernel"] = "kernel"
    of: tuple[str, ...] = Field(min_length=1)
    """Representations whose columns are taken, side by side; members of sweeps by their full names."""
    kernel: Literal["linear", "gaussian", "matern"] = "matern"
    """Similarity of two boundaries at distance r, for length L: `linear` scalar product, `gaussian` exp(-r^2 / 2L^2), `matern`
    (1 + s + s^2/3) exp(-s) with s = sqrt(5) r / L."""
    lengths: tuple[Positive, ...] = Field(default=(0.5, 1.0, 2.0, 4.0, 8.0, 16.0), min_length=1)
    """Lengths L tried; 1 is the root mean square distance of a training boundary from their mean. Not for `linear`."""
    penalties: tuple[Positive, ...] = Field(default=(1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0), min_length=1)
    """Ridge penalties tried for energies."""
    costs: tuple[Positive, ...] = Field(default=(0.3, 1.0, 3.0, 10.0, 30.0, 100.0), min_length=1)
    """Costs C of a misclassified boundary tried for classes."""
    relative_error: bool = True
    """Weigh energies by 1/E^2, so that relative errors count; the accuracy is made of these. False: plain least squares."""
    balanced: bool = True
    """Weigh classes by the inverse of their numbers, also in the cross-validation: rare classes are found more often, at the
    cost of frequent ones; false: every boundary counts the same."""
    folds: int = Field(default=5, ge=2)
    """Folds of the cross-validation inside the training rows."""


class RandomisedTrees(FurtherModel):
    """Extremely randomised trees (Geurts et al. 2006), for energies and classes: nothing is tuned.

    Good at classes; energies, which trees only interpolate, are better left to `kernel`.
    """

    kind: Literal["randomised_trees"] = "randomised_trees"
    of: tuple[str, ...] = Field(min_length=1)
    """Representations whose columns are taken, side by side; members of sweeps by their full names."""
    n_trees: int = Field(default=300, ge=1)
    """Number of trees."""
    rows_per_leaf: int = Field(default=1, ge=1)
    """Fewest training boundaries in a leaf."""
    relative_error: bool = True
    """As for `kernel`."""
    balanced: bool = True
    """Weigh classes by the inverse of their numbers; false: every boundary counts the same."""


class Average(FurtherModel):
    """Mean of other models: of their energies, or of their probabilities of each class."""

    kind: Literal["average"] = "average"
    models: tuple[str, ...] = Field(min_length=2)
    """Names of the models, of kinds other than `average`; they may be of different representations."""


Model = Annotated[KernelModel | RandomisedTrees | Average, Field(discriminator="kind")]


class LearningCurve(Settings):
    """Error of the energy against the number of training boundaries."""

    fractions: list[float] = Field(default=[0.25, 0.4, 0.55, 0.7, 0.85, 1.0], min_length=1)
    """Training-set sizes, as increasing fractions (0 to 1] of the training rows of a split."""
    repeats: int = Field(default=5, ge=1)
    """Train-test splits over which the curve is repeated."""
    representations: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Names of the representations whose curves are made, members of sweeps by their full names; null: those of `learn`."""

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
    representations: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Names of the representations that boosted trees learn from, each a row of the tables, members of sweeps by their full
    names; null: all."""
    trees: BoostedTrees = BoostedTrees()
    """The model of these representations: gradient-boosted trees."""
    smote: Smote | None = Smote()
    """Over-sampling for the classification by boosted trees; null trains on the classes as they are."""
    models: dict[RepresentationName, Model] = {}
    """Further models, each one more row of the tables under its name, on the same splits. For example
    `pooled: {kind: kernel, of: [pooled_soap]}`."""
    learning_curve: LearningCurve = LearningCurve()
    """Error against the number of training boundaries."""

    @field_validator("targets")
    @classmethod
    def _distinct(cls, targets: list[Target]) -> list[Target]:
        if len(set(targets)) != len(targets):
            raise ValueError(f"each target may be given once, got {targets}")
        return targets

    @model_validator(mode="after")
    def _averages_are_of_models(self) -> "Learn":
        allowed = [name for name, model in self.models.items() if not isinstance(model, Average)]
        for name, model in self.models.items():
            if isinstance(model, Average):
                _require_known(f"models.{name}.models", model.models, allowed, "models")
        return self

    def parts(self, name: str) -> dict[str, KernelModel | RandomisedTrees]:
        """The models behind model `name`: those that it averages, or it alone."""
        model = self.models[name]
        names = model.models if isinstance(model, Average) else (name,)
        chosen = {part: self.models[part] for part in names}
        return {part: its for part, its in chosen.items() if not isinstance(its, Average)}

    def models_for(self, target: Target) -> list[str]:
        """Names of the models that learn `target`."""
        return [name for name, model in self.models.items() if model.targets is None or target in model.targets]

    def require_representations(self, names: Collection[str]) -> None:
        """Check what refers to representations against their names, sweeps expanded.

        Raises:
            ValueError: an unknown representation, or a model that has the name of one or of the baseline.
        """
        for name, model in self.models.items():
            if name in names or name == "random":
                raise ValueError(f"learn.models.{name}: a representation or the baseline has this name; choose another")
            if not isinstance(model, Average):
                _require_known(f"learn.models.{name}.of", model.of, names, "representations")
        for key, given in (
            ("learn.representations", self.representations),
            ("learn.learning_curve.representations", self.learning_curve.representations),
        ):
            _require_known(key, given or (), names, "representations")


def _require_known(key: str, given: tuple[str, ...], allowed: Collection[str], what: str) -> None:
    unknown = [name for name in given if name not in allowed]
    if unknown:
        raise ValueError(f"{key}: '{unknown[0]}' is not one of the {what} {list(allowed)}")
    if len(set(given)) < len(given):
        raise ValueError(f"{key}: each may be named once, got {list(given)}")
