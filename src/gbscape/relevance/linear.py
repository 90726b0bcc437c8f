"""A linear model of the boundary energy, in memory and in a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gbscape.store.provenance import Provenance
from gbscape.store.shards import open_shard, write_shard

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LinearModel:
    """energy = weights . features + intercept, in J/m^2."""

    weights: Array
    """(d,) in J/m^2 over the feature's unit."""
    intercept_j_m2: float
    """Energy that the model gives to features that are all zero: to empty space."""
    penalty: float
    """Ridge penalty on the standardised weights, scaled by the square root of their number."""
    train_ids: list[str]
    """Ids of what it was trained on."""

    def predict(self, features: Array) -> Array:
        """Energies (n,) of features (n, d), or the energy of (d,)."""
        return np.asarray(features @ self.weights + self.intercept_j_m2)


def write_models(path: str | Path, models: Sequence[LinearModel], provenance: Provenance) -> None:
    """Write models, one item a split, `split_0`, `split_1` and so on."""
    write_shard(path, {f"split_{number}": vars(model) for number, model in enumerate(models)}, provenance, {})


def read_models(path: str | Path) -> list[LinearModel]:
    """Read what `write_models` wrote, in the order of the splits.

    Raises:
        ShardError: the file is damaged or of another kind.
    """
    with open_shard(path) as shard:
        return [LinearModel(**record) for _, record in shard]
