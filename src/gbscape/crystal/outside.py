"""Vectors of boxes that are of no class, which no model should be sure about."""

from pathlib import Path

import numpy as np

from gbscape.config.crystal import Outside
from gbscape.config.crystal_descriptor import CrystalDescriptor
from gbscape.crystal.descriptor import Pieces, describe, identity
from gbscape.crystal.training_set import boxes_of, gas_boxes
from gbscape.simulate.melt import liquid
from gbscape.simulate.potentials import ReadyPotential
from gbscape.store.provenance import Provenance
from gbscape.store.shards import compute_shard

KINDS = ("gas", "gas without close pairs", "liquid")
CLOSEST = 0.7
"""No two atoms of the second kind of gas are closer, in nearest-neighbour distances of the crystal."""


def describe_outside(
    potential_json: str | Path, out: str | Path, settings: Outside, descriptor: CrystalDescriptor, code: str
) -> None:
    """Write the vectors of boxes of an ideal gas, of one without close pairs, and of a liquid metal.

    Args:
        potential_json: description of the metal's potential, its file beside it.
        out: a file of records (.h5) named as `KINDS`: `features` (n, features), of the boxes that can be described.
        settings: numbers, sizes and temperature.
        descriptor: settings of the vectors.
        code: hash of the code that computes this.
    """

    def boxes(kind: str) -> Pieces:
        if kind == "liquid":
            snapshots = liquid(
                ReadyPotential.read(potential_json), settings.atoms, settings.temperature_kelvin, settings.seed,
                snapshots=settings.snapshots,
            )  # fmt: skip
            return boxes_of(snapshots, settings.boxes, settings.edge_angstrom, settings.seed)
        closest = CLOSEST if kind == "gas without close pairs" else 0.0
        return gas_boxes(settings.boxes, settings.edge_angstrom, closest=closest, seed=settings.seed)

    def vectors(kind: str) -> dict[str, np.ndarray]:
        described = describe(boxes(kind), descriptor)
        sound = np.setdiff1d(np.arange(settings.boxes), list(described.reasons))
        return {"features": described.vectors[sound].astype(np.float32)}

    provenance = Provenance.of(
        {"descriptor": identity(descriptor), "outside": settings.model_dump(mode="json")},
        code, {"potential": potential_json}, settings.seed,
    )  # fmt: skip
    compute_shard(out, KINDS, vectors, provenance, what="kinds of boxes")
