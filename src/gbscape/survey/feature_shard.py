"""Compute one representation of one shard of the survey's boundaries."""

from pathlib import Path
from typing import Any

import numpy as np

from gbscape.config.features import Computed
from gbscape.config.scattering import OrientedScattering, Scattering
from gbscape.features.representation import featurize
from gbscape.store.provenance import Provenance
from gbscape.store.records import Record, atoms_from_record
from gbscape.store.shards import compute_shard, open_shard
from gbscape.survey.balanced import boundaries_of_shard


def feature_shard(
    survey_h5: str | Path,
    out: str | Path,
    representation: Computed,
    shard: int,
    n_shards: int,
    code: str,
) -> None:
    """Write the feature vectors of the boundaries of one shard, balanced by their numbers of boundary atoms.

    Args:
        survey_h5: gathered survey with the arrays `boundary` in its structures.
        out: the shard (.h5): for each boundary `vector` (d,), in single precision if it was computed in that.
        representation: what is computed.
        shard: number of this shard, from 0.
        n_shards: number of shards.
        code: hash of the code that computes this.
    """
    with open_shard(survey_h5) as survey:
        ids = boundaries_of_shard(survey, shard, n_shards)

        def vector(item: str) -> Record:
            atoms = atoms_from_record(survey.read(item)["structure"])
            features = featurize(atoms, atoms.arrays["boundary"], representation)
            return {"vector": features.astype(_stored_type(representation))}

        provenance = Provenance.of(representation.model_dump(mode="json"), code, inputs={"survey": survey_h5})
        compute_shard(out, ids, vector, provenance, what="boundaries described")


def _stored_type(representation: Computed) -> type[np.floating[Any]]:
    if isinstance(representation, Scattering | OrientedScattering) and representation.precision == "single":
        return np.float32
    return np.float64
