"""Sets of atoms of a model: those of a strategy, of a test set, of rounds, of a shard."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gbscape.config.replica import WITHOUT_CHANCE
from gbscape.replica.tables import REFERENCE


def points_of(points: pd.DataFrame, strategy: str, seed: int) -> NDArray[np.int64]:
    """Atoms of one strategy in the order chosen; those of a strategy without chance whatever the seed."""
    rows = points[(points["strategy"] == strategy) & (points["seed"] == (0 if strategy in WITHOUT_CHANCE else seed))]
    return rows.sort_values("order")["atom"].to_numpy(np.int64)


def reference_atoms(points_csv: str | Path) -> NDArray[np.int64]:
    """Atoms whose mean energy is the zero of all; none where that is the perfect crystal."""
    return points_of(pd.read_csv(points_csv), REFERENCE, 0)


def atoms_of_rounds(points: pd.DataFrame, rounds_csv: Sequence[str | Path], first_points: int) -> NDArray[np.int64]:
    """Atoms that rounds have asked for: the first points of uncertainty reduction, then those of each round."""
    first = points_of(points, "uncertainty", 0)[:first_points]
    return np.concatenate([first, *(pd.read_csv(path)["atom"].to_numpy(np.int64) for path in rounds_csv)])


def with_energies(atoms: NDArray[np.int64], computed: "pd.Series[float]") -> NDArray[np.int64]:
    """Those of the atoms that have an energy (computed, by atom), in their order."""
    return atoms[np.isin(atoms, computed.index)]


def atoms_of_batch(atoms_csv: str | Path, before_csv: Sequence[str | Path]) -> NDArray[np.int64]:
    """Distinct atoms of a table with the column `atom` that are in none of those before it, ascending."""
    atoms = np.unique(pd.read_csv(atoms_csv)["atom"].to_numpy(np.int64))
    for path in before_csv:
        atoms = np.setdiff1d(atoms, pd.read_csv(path)["atom"].to_numpy(np.int64))
    return atoms
