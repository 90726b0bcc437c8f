"""Feature vectors of many items as one matrix, with the names of its columns."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from gbscape.config.features import Computed
from gbscape.features.representation import concatenate, feature_names
from gbscape.store.provenance import Provenance
from gbscape.store.shards import compute_shard, open_shard


@dataclass(frozen=True)
class FeatureMatrix:
    """Features of n items."""

    ids: list[str]
    """Ids of the rows (n,)."""
    values: NDArray[np.float64]
    """Features (n, d)."""
    names: list[str]
    """Names of the columns (d,)."""


def read_features(path: str | Path) -> FeatureMatrix:
    """Read a gathered file of feature vectors, written by `gather_shards` or `concatenate_files`.

    Raises:
        ValueError: vectors of different lengths, or of another length than their settings say.
    """
    with open_shard(path) as shard:
        vectors = {item: record["vector"] for item, record in shard}
        names = _names(json.loads(shard.provenance.settings))
    wrong = {item: len(v) for item, v in vectors.items() if len(v) != len(names)}
    if wrong:
        raise ValueError(f"{path}: vectors should have {len(names)} features, but have {wrong}")
    return FeatureMatrix(list(vectors), np.array(list(vectors.values())), names)


def concatenate_files(paths: Sequence[str | Path], out: str | Path, code: str) -> None:
    """Put the vectors of the same items in several files one after the other.

    Raises:
        ValueError: the files do not hold the same items.
    """
    parts = [read_features(path) for path in paths]
    rows = [dict(zip(part.ids, part.values, strict=True)) for part in parts]
    for path, part in zip(paths, parts, strict=True):
        if part.ids != parts[0].ids:
            raise ValueError(f"{path} and {paths[0]} do not hold the same items: {set(part.ids) ^ set(parts[0].ids)}")
    settings = [[Path(path).stem, _settings(path)] for path in paths]  # a list: the order is that of the columns
    provenance = Provenance.of({"of": settings}, code, inputs={Path(path).stem: path for path in paths})
    compute_shard(
        out, parts[0].ids, lambda item: {"vector": concatenate([row[item] for row in rows])}, provenance, what="vectors"
    )


def _settings(path: str | Path) -> dict[str, Any]:
    with open_shard(path) as shard:
        settings: dict[str, Any] = json.loads(shard.provenance.settings)
        return settings


def _names(settings: dict[str, Any]) -> list[str]:
    if "of" in settings:
        return [f"{part}: {name}" for part, its in settings["of"] for name in _names(its)]
    return feature_names(TypeAdapter(Computed).validate_python(settings))
