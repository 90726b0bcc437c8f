"""Energies of all atoms of a model where they are known: by the potential that relaxed it."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gbscape.store.arrays import read_arrays


def exact_energies(model_h5: str | Path, reference_json: str | Path) -> NDArray[np.float64]:
    """Energies (n,) in eV of all atoms over that of an atom of the perfect crystal."""
    zero = json.loads(Path(reference_json).read_text(encoding="utf-8"))["energy_ev"]
    return np.asarray(read_arrays(model_h5, ["energies_ev"])["energies_ev"] - zero)
