"""A strided map as data: what was found in each box, and where the box is; in memory and as an HDF5 file.

The boxes of a map are some or all of those of one regular grid, in any order. An adaptive map, coarse where nothing
happens, lists boxes of the finest grid only, and says of each whether it was evaluated or interpolated.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import IntEnum
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from gbscape.crystal.boxes import BoxGrid
from gbscape.store.new_hdf5 import new_hdf5
from gbscape.store.provenance import Provenance

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]

_BOXES_IN_A_CHUNK = 4096


class MapError(ValueError):
    """A map that contradicts itself, or a file that holds none."""


class BoxStatus(IntEnum):
    """What became of a box."""

    CLASSIFIED = 0
    """It has probabilities, evaluated or interpolated."""
    EMPTY = 1
    """No atom is inside."""
    TOO_FEW_ATOMS = 2
    """Fewer atoms are inside than a classification needs."""
    FAILED = 3
    """It could not be classified, for the reason given."""


@dataclass(frozen=True, eq=False)
class StridedMap:
    """What was found in n boxes. Values of boxes that are not `CLASSIFIED` are NaN, and their classes -1."""

    grid: BoxGrid
    """The grid that the boxes belong to; the finest one of an adaptive map."""
    classes: tuple[str, ...]
    """Labels of the classes."""
    grid_index: IntArray
    """(n,) number of each box in the grid, each at most once, in any order."""
    n_atoms: IntArray
    """(n,) atoms inside."""
    status: NDArray[np.uint8]
    """(n,) values of `BoxStatus`."""
    top_class: IntArray
    """(n, k) numbers of the most probable classes, the most probable first."""
    top_probability: FloatArray
    """(n, k) their probabilities, averaged over the passes of the network."""
    mutual_information: FloatArray
    """(n,) between prediction and network weights, in bits: the uncertainty of the model."""
    predictive_entropy: FloatArray
    """(n,) of the averaged probabilities, in bits."""
    interpolated: NDArray[np.bool_] | None = None
    """(n,) true where values come from neighbouring boxes; None: all boxes were evaluated."""
    distance_score: FloatArray | None = None
    """(n,) distance from the training set in the space of representations: what the network has never seen."""
    probabilities: FloatArray | None = None
    """(n, classes) of all classes; None where only the most probable ones are kept."""
    hidden: Mapping[str, FloatArray] = field(default_factory=dict)
    """(n, width) representations by name of the layer."""
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """(n,) further values by name, such as the cluster of each box."""
    reasons: Mapping[int, str] = field(default_factory=dict)
    """Why boxes `FAILED`, by their numbers in the grid."""

    def __post_init__(self) -> None:
        _check(self)

    def __len__(self) -> int:
        return len(self.grid_index)

    @property
    def classified(self) -> NDArray[np.bool_]:
        """(n,) true for the boxes that have probabilities."""
        return self.status == BoxStatus.CLASSIFIED

    @property
    def labels(self) -> NDArray[np.str_]:
        """(n,) label of the most probable class, empty where there is none."""
        return np.append(self.classes, "")[self.top_class[:, 0]]

    def most_frequent(self, most: int) -> list[str]:
        """Labels of the classes that are most often the most probable one, at most so many, the most frequent first."""
        counts = np.bincount(self.top_class[self.classified, 0], minlength=len(self.classes))
        order = np.argsort(-counts, kind="stable")[:most]
        return [self.classes[number] for number in order if counts[number]]

    def centres_angstrom(self) -> NDArray[np.float64]:
        """Centres (n, 3) of the boxes."""
        index = np.unravel_index(self.grid_index, self.grid.shape)
        lower = [bounds[of_axis] for bounds, of_axis in zip(self.grid.lower_angstrom, index, strict=True)]
        return np.stack(lower, axis=1) + np.array(self.grid.edge_angstrom) / 2

    def probability(self, label: str) -> FloatArray:
        """Probability (n,) of a class. Where only the most probable classes are kept, 0 if it is not one of them.

        Raises:
            MapError: the map has no such class.
        """
        if label not in self.classes:
            raise MapError(f"the map has no class {label!r}; it has {', '.join(self.classes)}")
        number = self.classes.index(label)
        if self.probabilities is not None:
            return self.probabilities[:, number]
        found = np.where(self.top_class == number, self.top_probability, 0).sum(axis=1)
        return np.where(self.classified, found, np.nan)

    def on_grid(self, values: ArrayLike, missing: float = np.nan) -> NDArray[Any]:
        """Values (n, ...) of the boxes as an array (*grid.shape, ...); `missing` where the map has no box.

        Raises:
            MapError: not one value a box.
        """
        values = np.asarray(values)
        if values.shape[:1] != (len(self),):
            raise MapError(f"expected one value for each of {len(self)} boxes, got {values.shape}")
        kind = np.result_type(values, np.float32) if np.isnan(missing) else values.dtype
        full = np.full((len(self.grid), *values.shape[1:]), missing, dtype=kind)
        full[self.grid_index] = values
        return full.reshape(self.grid.shape + values.shape[1:])

    def take(self, which: ArrayLike) -> "StridedMap":
        """The map of some of the boxes, chosen by a mask or by their places in the list."""
        which = np.asarray(which)
        chosen = self.grid_index[which]
        arrays: dict[str, Any] = {
            name: value[which]
            for name in (f.name for f in fields(self))
            if isinstance(value := getattr(self, name), np.ndarray)
        }
        return replace(
            self,
            **arrays,
            hidden={name: values[which] for name, values in self.hidden.items()},
            columns={name: values[which] for name, values in self.columns.items()},
            reasons={int(box): self.reasons[int(box)] for box in chosen if int(box) in self.reasons},
        )


def most_probable(probabilities: ArrayLike, k: int) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """Numbers and probabilities (n, k) of the k most probable of (n, classes), the most probable first; equal ones in
    the order of the classes. Rows of NaN give -1 and NaN.

    Raises:
        MapError: k is not from 1 to the number of classes.
    """
    p = np.asarray(probabilities)
    if p.ndim != 2 or not 1 <= k <= p.shape[1]:
        raise MapError(f"cannot take the {k} most probable of probabilities of shape {p.shape}")
    order = np.argsort(-p, axis=1, kind="stable")[:, :k]
    values = np.take_along_axis(p, order, axis=1)
    return np.where(np.isnan(values), -1, order).astype(np.int16), values.astype(np.float32)


def join_maps(maps: Sequence[StridedMap]) -> StridedMap:
    """One map of the boxes of all, in their order.

    Raises:
        MapError: no maps; of other grids, classes, layers or columns; a box in two of them.
    """
    if not maps:
        raise MapError("there are no maps to join")
    first = maps[0]
    for other in maps[1:]:
        if not _same_grid(first.grid, other.grid) or first.classes != other.classes:
            raise MapError("maps to be joined must have the same grid and the same classes")
        if _contents(first) != _contents(other):
            raise MapError(
                f"maps to be joined must hold the same values; one has {', '.join(sorted(_contents(first)))}, another "
                f"{', '.join(sorted(_contents(other)))}"
            )
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in maps])
        for name in (f.name for f in fields(first))
        if isinstance(getattr(first, name), np.ndarray)
    }
    return replace(
        first,
        **arrays,
        hidden={name: np.concatenate([part.hidden[name] for part in maps]) for name in first.hidden},
        columns={name: np.concatenate([part.columns[name] for part in maps]) for name in first.columns},
        reasons={box: reason for part in maps for box, reason in part.reasons.items()},
    )


def write_map(path: str | Path, strided_map: StridedMap, provenance: Provenance) -> None:
    """Write a map as HDF5: datasets named as the fields, chunked and compressed, numbers in single precision."""
    with new_hdf5(path) as file:
        # Datasets, not attributes: an attribute holds 64 kB at most.
        file["provenance"] = provenance.to_json()
        file["classes"] = json.dumps(strided_map.classes)
        file["reasons"] = json.dumps({str(box): reason for box, reason in strided_map.reasons.items()})
        for axis, lower in zip("xyz", strided_map.grid.lower_angstrom, strict=True):
            file[f"grid/lower_{axis}_angstrom"] = lower
        file["grid/edge_angstrom"] = strided_map.grid.edge_angstrom
        for name, values in _arrays(strided_map).items():
            if values.dtype == np.float64:
                values = values.astype(np.float32)
            if values.dtype.kind == "U":
                values = values.astype(h5py.string_dtype())
            chunks = (min(len(values), _BOXES_IN_A_CHUNK), *values.shape[1:]) if values.size else None
            file.create_dataset(
                f"boxes/{name}", data=values, chunks=chunks, compression="gzip" if chunks else None,
                shuffle=bool(chunks), track_times=False,
            )  # fmt: skip


def read_map(path: str | Path, hidden: bool = True) -> StridedMap:
    """Read what `write_map` wrote; without the hidden representations if they are not wanted.

    Raises:
        MapError: the file is damaged or of another kind.
    """
    with _open(path) as file:
        try:
            lower = tuple(file[f"grid/lower_{axis}_angstrom"][()] for axis in "xyz")
            edge = tuple(float(value) for value in file["grid/edge_angstrom"])
            boxes: dict[str, Any] = {
                name: node[()] for name, node in file["boxes"].items() if isinstance(node, h5py.Dataset)
            }
            for group in ("hidden", "columns"):
                wanted = group in file["boxes"] and (hidden or group != "hidden")
                members = file["boxes"][group].items() if wanted else ()
                boxes[group] = {
                    name: np.array(node.asstr()[()], dtype=np.str_) if h5py.check_string_dtype(node.dtype) else node[()]
                    for name, node in members
                }
            return StridedMap(
                grid=BoxGrid((lower[0], lower[1], lower[2]), (edge[0], edge[1], edge[2])),
                classes=tuple(json.loads(file["classes"].asstr()[()])),
                reasons={int(box): reason for box, reason in json.loads(file["reasons"].asstr()[()]).items()},
                **boxes,
            )
        except MapError:
            raise
        except (KeyError, ValueError, TypeError) as error:
            raise MapError(f"{path} holds no strided map ({error})") from error


def map_provenance(path: str | Path) -> Provenance:
    """Where a map is from.

    Raises:
        MapError: the file is damaged or of another kind.
    """
    with _open(path) as file:
        try:
            return Provenance.from_json(file["provenance"].asstr()[()])
        except (KeyError, ValueError, TypeError) as error:
            raise MapError(f"{path} holds no strided map ({error})") from error


def _open(path: str | Path) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise MapError(f"{path} cannot be read ({error})") from error


def _arrays(strided_map: StridedMap) -> dict[str, NDArray[Any]]:
    """All values of boxes, by the name of their dataset."""
    found = {f.name: getattr(strided_map, f.name) for f in fields(strided_map)}
    grouped = {
        f"{group}/{name}": np.asarray(values)
        for group in ("hidden", "columns")
        for name, values in found[group].items()
    }
    return {name: value for name, value in found.items() if isinstance(value, np.ndarray)} | grouped


def _contents(strided_map: StridedMap) -> set[str]:
    return set(_arrays(strided_map))


def _same_grid(one: BoxGrid, other: BoxGrid) -> bool:
    return one.edge_angstrom == other.edge_angstrom and all(
        np.array_equal(a, b) for a, b in zip(one.lower_angstrom, other.lower_angstrom, strict=True)
    )


def _check(strided_map: StridedMap) -> None:
    """Refuse a map that contradicts itself."""
    n, n_classes = len(strided_map.grid_index), len(strided_map.classes)
    if len(set(strided_map.classes)) != n_classes or not all(label.split() == [label] for label in strided_map.classes):
        raise MapError("labels of classes must differ and be words without blanks, which columns of text files need")
    for name, values in _arrays(strided_map).items():
        if values.shape[:1] != (n,):
            raise MapError(f"{name} must have one entry for each of {n} boxes, got the shape {values.shape}")
    index = strided_map.grid_index
    if n and not (index.min() >= 0 and index.max() < len(strided_map.grid)):
        raise MapError(f"a grid of {len(strided_map.grid)} boxes has none of the number {index.min()} or {index.max()}")
    if len(np.unique(index)) != n:
        raise MapError("a box is in the map twice")
    if not np.isin(strided_map.status, list(BoxStatus)).all():
        raise MapError(f"the status of a box must be one of {', '.join(f'{s} ({s.name})' for s in BoxStatus)}")
    top, classified = strided_map.top_class, strided_map.classified
    if top.ndim != 2 or not 1 <= top.shape[1] <= n_classes or top.shape != strided_map.top_probability.shape:
        raise MapError(f"the most probable classes must be (n, k) with k from 1 to {n_classes}, got {top.shape}")
    if (n and not (top.min() >= -1 and top.max() < n_classes)) or ((top >= 0) != classified[:, None]).any():
        raise MapError(f"top_class must be from 0 to {n_classes - 1} in classified boxes and -1 in the others")
    full = strided_map.probabilities
    if full is not None and full.shape != (n, n_classes):
        raise MapError(f"probabilities must have the shape {(n, n_classes)}, got {full.shape}")
    for name in ("top_probability", "mutual_information", "predictive_entropy", "probabilities"):
        numbers = getattr(strided_map, name)
        if numbers is not None and not (
            np.isfinite(numbers[classified]).all() and np.isnan(numbers[~classified]).all()
        ):
            raise MapError(f"{name} must be finite in classified boxes and NaN in the others")
    if full is not None and not np.allclose(full[classified].sum(axis=1), 1, atol=1e-3):
        raise MapError("the probabilities of a box must add up to 1")
    failed = set(index[strided_map.status == BoxStatus.FAILED].tolist())
    if failed != set(strided_map.reasons):
        raise MapError("there must be a reason for each failed box and for no other")
