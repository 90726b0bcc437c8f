"""Settings of the Bayesian network: its architecture, training, prediction and the search for all of these.

Defaults are those of Leitherer, Ziletti and Ghiringhelli, Nat. Commun. 12, 6234 (2021), and of Leitherer's thesis
(2021), table 4.1 and section 4.3.3.3.
"""

from typing import Annotated

from pydantic import Field, model_validator

from gbscape.config.base import Settings

LayerSize = Annotated[int, Field(ge=1)]


class Network(Settings):
    """A fully connected network whose dropout stays on at prediction: Monte-Carlo dropout (Gal and Ghahramani 2016)."""

    hidden_sizes: tuple[LayerSize, ...] = Field(default=(256, 512, 256), min_length=1)
    """Units of each hidden layer, in the order from the input to the output."""
    dropout: float = Field(default=0.0317, ge=0, lt=1)
    """Probability that a unit is dropped, in training and in every forward pass at prediction."""
    dropout_on_input: bool = True
    """Also drop components of the input, as table 4.1 of the thesis has it; false: only units of the hidden layers."""
    learning_rate: float = Field(default=2.16e-4, gt=0)
    """Step of the Adam optimiser, dimensionless."""
    batch_size: int = Field(default=64, ge=1)
    """Rows of a training step."""
    epochs: int = Field(default=300, ge=1)
    """Times that all training rows are seen; the weights of the epoch with the best validation accuracy are kept."""
    validation_fraction: float = Field(default=0.2, gt=0, lt=1)
    """Fraction of the rows that are held out for validation."""
    seed: int = Field(default=42, ge=0, lt=2**31)
    """Seed of the split into training and validation rows, of the first weights, of the order of rows, and of the dropout
    in training and at prediction."""
    members: int = Field(default=1, ge=1)
    """Networks, trained from different first weights on the same rows, that predict together; 1: the published one."""
    passes: int = Field(default=1000, ge=1)
    """Forward passes at prediction, shared out evenly among the members."""

    @model_validator(mode="after")
    def _passes_for_each_member(self) -> "Network":
        if self.passes < self.members:
            raise ValueError(f"passes = {self.passes} are not enough for members = {self.members}: one each at least")
        return self


class NetworkSearch(Settings):
    """Search for the network by the tree-structured Parzen estimator (TPE), and the choice among the best.

    The ranges of the published search are not known. Ours contain its result (table 4.1), and the sizes and batches tried
    for the authors' earlier network (github.com/angeloziletti/ai4materials, scripts/cnn_polycrystals_GPU_hyperopt.py).
    """

    trials: int = Field(default=50, ge=1)
    """Networks trained."""
    epochs: int | None = Field(default=None, ge=1)
    """Epochs of a trial; null: as many as in the final training."""
    fewest_layers: int = Field(default=1, ge=1)
    """Fewest hidden layers."""
    most_layers: int = Field(default=4, ge=1)
    """Most hidden layers."""
    layer_sizes: tuple[LayerSize, ...] = Field(default=(32, 64, 128, 256, 512), min_length=1)
    """Numbers of units tried for each hidden layer."""
    lowest_dropout: float = Field(default=0.01, ge=0, lt=1)
    """Lowest dropout probability."""
    highest_dropout: float = Field(default=0.25, ge=0, lt=1)
    """Highest dropout probability."""
    batch_sizes: tuple[LayerSize, ...] = Field(default=(32, 64, 128), min_length=1)
    """Batch sizes tried."""
    lowest_learning_rate: float = Field(default=1e-5, gt=0)
    """Lowest learning rate; they are tried on a logarithmic scale."""
    highest_learning_rate: float = Field(default=1e-2, gt=0)
    """Highest learning rate."""
    candidates: int = Field(default=15, ge=1)
    """So many networks of the best validation accuracy are compared by how robust they are against defects."""

    @model_validator(mode="after")
    def _ranges_are_not_empty(self) -> "NetworkSearch":
        for low, high in (
            ("fewest_layers", "most_layers"),
            ("lowest_dropout", "highest_dropout"),
            ("lowest_learning_rate", "highest_learning_rate"),
        ):
            if getattr(self, low) > getattr(self, high):
                raise ValueError(f"{low} = {getattr(self, low)} is above {high} = {getattr(self, high)}")
        return self
