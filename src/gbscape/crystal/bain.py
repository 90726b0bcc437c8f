"""The Bain path: tetragonal crystals from bcc to fcc, and what a model says to them (Leitherer's thesis (2021), section 5.3,
figures 5.2 and C.1)."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from gbscape.crystal.classification import PASSES, SEED, descriptor_of
from gbscape.crystal.descriptor import describe
from gbscape.learn.monte_carlo_dropout import predict
from gbscape.learn.network_file import NetworkModel

LATTICE_PARAMETERS_ANGSTROM = np.round(np.linspace(3.0, 6.0, 61), 2)
"""Of the published map, along both axes: 3 721 structures."""


@dataclass(frozen=True)
class BainMap:
    """What a model says to tetragonal crystals; the first axis of all arrays is a, the second c."""

    a_angstrom: NDArray[np.float64]
    """(n_a,)."""
    c_angstrom: NDArray[np.float64]
    """(n_c,)."""
    classes: tuple[str, ...]
    """Labels of the model's classes."""
    probabilities: NDArray[np.float32]
    """(n_a, n_c, classes)."""
    mutual_information_bits: NDArray[np.float64]
    """(n_a, n_c)."""

    @property
    def labels(self) -> NDArray[np.str_]:
        """(n_a, n_c) most probable class."""
        return np.array(self.classes)[self.probabilities.argmax(axis=2)]


def tetragonal(a_angstrom: float, c_angstrom: float, species: str = "Fe") -> Atoms:
    """Unit cell of a body-centred tetragonal crystal: bcc for c = a, fcc for c = sqrt(2) a."""
    return Atoms(
        [species] * 2,
        scaled_positions=[(0, 0, 0), (0.5, 0.5, 0.5)],
        cell=[a_angstrom, a_angstrom, c_angstrom],
        pbc=True,
    )


def bain_map(
    model: NetworkModel,
    a_angstrom: NDArray[np.float64] = LATTICE_PARAMETERS_ANGSTROM,
    c_angstrom: NDArray[np.float64] = LATTICE_PARAMETERS_ANGSTROM,
    *,
    passes: int = PASSES,
    seed: int = SEED,
    threads: int = 1,
) -> BainMap:
    """Classify body-centred tetragonal crystals, periodic, of all combinations of lattice parameters.

    Args:
        model: of `gbscape.crystal.load_model`.
        a_angstrom, c_angstrom: lattice parameters, ascending.
        passes, seed: of the network with dropout; 100 000 passes in the thesis.
        threads: number of threads.

    Raises:
        ValueError: lattice parameters that are not positive.
        ModelMismatch: the model is one for other vectors than this version computes.
    """
    a, c = np.asarray(a_angstrom, dtype=np.float64), np.asarray(c_angstrom, dtype=np.float64)
    if not ((a > 0).all() and (c > 0).all()):
        raise ValueError("lattice parameters must be positive")
    described = describe([tetragonal(one, other) for one in a for other in c], descriptor_of(model), threads=threads)
    for number, reason in described.reasons.items():
        raise ValueError(f"a = {a[number // len(c)]:g}, c = {c[number % len(c)]:g} Angstrom: {reason}")
    found = predict(model.networks, described.vectors, passes, seed, temperature=model.temperature, threads=threads)
    shape = (len(a), len(c))
    return BainMap(
        a,
        c,
        model.classes,
        found.probabilities.reshape(*shape, -1),
        found.mutual_information_bits.reshape(shape),
    )
