"""Which of the classes of a model a structure is, and how sure that is: ARISE (Leitherer, Ziletti and Ghiringhelli,
Nat. Commun. 12, 6234 (2021))."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from gbscape.config.crystal_descriptor import CrystalDescriptor
from gbscape.config.network import Network
from gbscape.crystal.descriptor import describe_one, identity
from gbscape.features.checks import COINCIDENCE_ANGSTROM
from gbscape.learn.feature_space import KNOWN, outlier_score
from gbscape.learn.monte_carlo_dropout import predict
from gbscape.learn.network_file import NetworkModel, load_network

Array = NDArray[np.float64]

SHIPPED_MODEL = Path("resources/models/arise.safetensors")
"""Path of the model that comes with the project, in its folder."""
PASSES: int = Network().passes
"""Passes of the network at prediction, as published."""
SEED: int = Network().seed
"""Of the masks of these passes."""

_PROJECT = Path(__file__).resolve().parents[3]
_NAMED = 5
"""So many atoms are named in a message."""


class ModelMismatch(ValueError):
    """A model that was trained on vectors of other settings than those asked for."""


@dataclass(frozen=True)
class Classification:
    """What a structure is. Entropies are in bits."""

    label: str
    """The most probable class."""
    ranking: tuple[tuple[str, float], ...]
    """All classes and their probabilities, the most probable first."""
    mutual_information_bits: float
    """Uncertainty of the model: mutual information of prediction and network weights."""
    predictive_entropy_bits: float
    """Entropy of the probabilities: uncertainty of model and data together."""
    distance_score: float | None
    """How far it is from all classes, see `gbscape.learn.feature_space.outlier_score`; None for a model that does not know
    where they are."""
    known: bool | None
    """Whether this is the score of a known structure, up to 1; None for a model without scores."""
    hidden: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    """(units,) mean activations of the hidden layers asked for, by `layer_<number>`."""


def load_model(path: str | Path | None = None, descriptor: CrystalDescriptor | None = None) -> NetworkModel:
    """Load a trained model.

    Args:
        path: of the file; None takes the one that comes with the project.
        descriptor: settings that its vectors must have; None takes whatever it was trained on.

    Raises:
        FileNotFoundError: there is no such file; says how to train one.
        NetworkFileError: the file is damaged or of another kind.
        ModelMismatch: the model is one for vectors of other settings.
    """
    file = _PROJECT / SHIPPED_MODEL if path is None else Path(path)
    if not file.is_file():
        raise FileNotFoundError(
            f"no model: {file} does not exist. Train one with `snakemake --configfile config/leitherer2021.yaml`, or name "
            "the file of another one"
        )
    model = load_network(file)
    try:
        check_descriptor(model, descriptor)
    except ModelMismatch as error:
        raise ModelMismatch(f"{file}: {error}") from None
    return model


def descriptor_of(model: NetworkModel) -> CrystalDescriptor:
    """Settings of the vectors that a model is for.

    Raises:
        ModelMismatch: it is for another kind or version of vectors than this code computes.
    """
    names = CrystalDescriptor.model_fields
    settings = CrystalDescriptor.model_validate({k: v for k, v in model.descriptor.items() if k in names})
    differing = _differences(model.descriptor, identity(settings))
    if differing:
        raise ModelMismatch(
            f"the model is for vectors that this version does not compute ({differing}): train it again"
        )
    return settings


def check_descriptor(model: NetworkModel, wanted: CrystalDescriptor | None) -> CrystalDescriptor:
    """Settings of the vectors that a model is for, which must be the wanted ones, if any are.

    Raises:
        ModelMismatch: they are not, and which differ.
    """
    settings = descriptor_of(model)
    if wanted is not None and wanted != settings:
        raise ModelMismatch(
            f"the model was trained on vectors of other settings than those asked for ("
            f"{_differences(identity(settings), identity(wanted))}): change the settings, or train a model with them"
        )
    return settings


def classify(
    atoms: Atoms,
    model: NetworkModel,
    *,
    descriptor: CrystalDescriptor | None = None,
    passes: int = PASSES,
    seed: int = SEED,
    hidden_layers: Sequence[int] = (),
    threads: int = 1,
) -> Classification:
    """Say which class a structure is as a whole.

    Args:
        atoms: the structure; periodic where its `pbc` says so. Lengths in any unit.
        model: of `load_model`.
        descriptor: settings that the model's vectors must have; None takes them from the model.
        passes: of the network with dropout.
        seed: of the dropout.
        hidden_layers: numbers of the hidden layers, from 0, whose activations are wanted.
        threads: number of threads.

    Raises:
        ValueError: no atoms, an unknown species, positions that are not finite or coincide, a single atom that is not
            periodic, a cell without volume.
        ModelMismatch: the model is one for vectors of other settings.
    """
    settings = check_descriptor(model, descriptor)
    check_atoms(atoms)
    rows = describe_one(atoms, settings, threads)[None]
    found = predict(
        model.networks, rows, passes, seed, temperature=model.temperature, hidden_layers=hidden_layers,
        threads=threads, quiet=True,
    )  # fmt: skip
    p = found.probabilities[0]
    order = np.argsort(-p, kind="stable")
    distance = distance_scores(model, rows)
    return Classification(
        model.classes[order[0]],
        tuple((model.classes[i], float(p[i])) for i in order),
        float(found.mutual_information_bits[0]),
        float(found.predictive_entropy_bits[0]),
        None if distance is None else float(distance[0]),
        None if distance is None else bool(distance[0] <= KNOWN),
        {layer_name(number): values[0] for number, values in zip(hidden_layers, found.hidden, strict=True)},
    )


def distance_scores(model: NetworkModel, features: ArrayLike) -> Array | None:
    """Outlier score (n,) of vectors, from 0, above 1 for what is of no class; None for a model that does not know where
    its classes are.

    Row by row: what matrix products give for a row depends on how many there are, in the last digits.
    """
    space = model.feature_space
    if space is None:
        return None
    rows = np.asarray(features)
    found = [outlier_score(model.networks[0], space, rows[i : i + 1]) for i in range(len(rows))]
    return np.concatenate([np.empty(0), *found])


def layer_name(number: int) -> str:
    """Name of a hidden layer in classifications and maps."""
    return f"layer_{number}"


def check_atoms(atoms: Atoms) -> None:
    """Refuse what is no structure; coinciding atoms are left to `check_coincidence`.

    Raises:
        ValueError: no atoms, atoms of an unknown species, positions that are not finite; says which atoms.
    """
    if len(atoms) == 0:
        raise ValueError("the structure has no atoms")
    known = (atoms.numbers >= 1) & (atoms.numbers < len(chemical_symbols))
    if not known.all():
        raise ValueError(
            f"{_these(~known)} of an unknown species (X): give them the symbol of an element; any one serves where all are "
            "alike, since only who is of the same species counts"
        )
    finite = np.isfinite(atoms.positions).all(axis=1)
    if not finite.all():
        raise ValueError(f"{_these(~finite)} at positions that are not finite")


def check_coincidence(positions: Array, number: NDArray[np.integer]) -> None:
    """Refuse atoms that are (nearly) at the same place: nearer than 1e-3 of the typical nearest-neighbour distance.

    Args:
        positions: (n, 3).
        number: (n,) what to call each atom: images of an atom share its number.

    Raises:
        ValueError: says which atoms, and what to do.
    """
    if len(positions) < 2:
        return
    distances, nearest = cKDTree(positions).query(positions, k=2)
    apart = distances[distances[:, 1] > 0, 1]
    limit = 1.01 * COINCIDENCE_ANGSTROM * float(np.median(apart)) if len(apart) else np.inf
    close = np.flatnonzero(distances[:, 1] < limit)
    if len(close) == 0:
        return
    # coinciding atoms may come in either order: the other one is whichever is not the atom itself
    other = np.where(nearest[close, 0] == close, nearest[close, 1], nearest[close, 0])
    pairs = np.unique(np.sort(number[np.stack([close, other], axis=1)], axis=1), axis=0)
    listed = ", ".join(f"{a} and {b}" if a != b else f"{a} and its own image" for a, b in pairs[:_NAMED].tolist())
    more = f", and {len(pairs) - _NAMED} more pairs" if len(pairs) > _NAMED else ""
    raise ValueError(
        f"atoms {listed}{more} (from 0) are at the same place: leave out one of each, for instance with "
        "ase.geometry.get_duplicate_atoms(atoms, cutoff=0.1, delete=True), or mend the cell if they coincide across it"
    )


def _these(wrong: NDArray[np.bool_]) -> str:
    which = np.flatnonzero(wrong)
    listed = ", ".join(map(str, which[:_NAMED].tolist())) + (", ..." if len(which) > _NAMED else "")
    return f"atom {listed} (from 0) is" if len(which) == 1 else f"{len(which)} atoms ({listed}, from 0) are"


def _differences(one: dict, other: dict) -> str:
    return ", ".join(
        f"{key}: {one.get(key)!r} against {other.get(key)!r}"
        for key in sorted(one.keys() | other.keys())
        if one.get(key) != other.get(key)
    )
