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
from gbscape.features.names import environment_names, feature_names
from gbscape.store.provenance import Provenance
from gbscape.store.shards import open_shard, write_shard


@dataclass(frozen=True)
class FeatureMatrix:
    """Features of n items."""

    ids: list[str]
    """Ids of the rows (n,)."""
    values: NDArray[Any]
    """Features (n, d), in single precision if all are stored so."""
    names: list[str]
    """Names of the columns (d,)."""
    part_sizes: tuple[int, ...] = ()
    """Numbers of columns of the parts of a concatenation, in their order; empty for others."""


def read_features(path: str | Path) -> FeatureMatrix:
    """Read a gathered file of feature vectors, written by `gather_shards` or `concatenate_files`.

    Raises:
        ValueError: vectors of different lengths, or of another length than their settings say.
    """
    with open_shard(path) as shard:
        settings = json.loads(shard.provenance.settings)
        parts = [(f"{part}: ", _names(its)) for part, its in settings.get("of", [])] or [("", _names(settings))]
        names = [prefix + name for prefix, own in parts for name in own]
        precision = shard.read(shard.ids[0])["vector"].dtype if shard.ids else np.float64
        values = np.empty(
            (len(shard.ids), len(names)), precision
        )  # filled row by row: long vectors are not there twice
        wrong: dict[str, int] = {}
        for row, (item, record) in zip(values, shard, strict=True):
            if len(record["vector"]) == len(names):
                row[:] = record["vector"]
            else:
                wrong[item] = len(record["vector"])
        if wrong:
            raise ValueError(f"{path}: vectors should have {len(names)} features, but have {wrong}")
        part_sizes = tuple(len(own) for _, own in parts) if "of" in settings else ()
        return FeatureMatrix(list(shard.ids), values, names, part_sizes)


def concatenate_files(paths: Sequence[str | Path], out: str | Path, code: str) -> None:
    """Put the vectors of the same items in several files one after the other.

    An item that failed in one of the files is left out, and listed as failed with the reason it had there. Vectors are in
    single precision if those of one file are: a scattering vector beside a short one of double precision would otherwise
    take twice the space.

    Raises:
        ValueError: the files are not about the same items.
    """
    rows: list[dict[str, NDArray[Any]]] = []
    precision: type[np.floating[Any]] = np.float64
    failures: dict[str, str] = {}
    settings: list[tuple[str, dict[str, Any]]] = []  # a list: the order is that of the columns
    about: list[set[str]] = []
    for path in paths:
        features = read_features(path)
        rows.append(dict(zip(features.ids, features.values, strict=True)))
        if features.values.dtype == np.float32:
            precision = np.float32
        with open_shard(path) as shard:
            failures |= {item: f"{Path(path).stem}: {reason}" for item, reason in shard.failures.items()}
            about.append({*shard.ids, *shard.failures})
            settings.append((Path(path).stem, json.loads(shard.provenance.settings)))
        if about[-1] != about[0]:
            raise ValueError(f"{path} and {paths[0]} are not about the same items: {about[-1] ^ about[0]}")
    provenance = Provenance.of({"of": settings}, code, inputs={Path(path).stem: path for path in paths})
    joined = {
        item: {"vector": np.concatenate([row[item] for row in rows], dtype=precision, casting="same_kind")}
        for item in rows[0]
        if all(item in row for row in rows)
    }
    write_shard(out, joined, provenance, failures)


def _names(settings: dict[str, Any]) -> list[str]:
    if "n_environments" in settings:
        return environment_names(settings["n_environments"])
    return feature_names(TypeAdapter(Computed).validate_python(settings))
