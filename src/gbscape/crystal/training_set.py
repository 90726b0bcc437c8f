"""Vectors of the structures that models are trained and tested on, class by class; and boxes that are of no class.

What is random depends on a seed, the class, the structure, the defect and the realisation alone, not on which other
classes, defects or realisations there are, nor on how the work is cut into shards.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gbscape.config.crystal import Augmentation, Background
from gbscape.config.crystal_descriptor import CrystalDescriptor, DefectGrid, TrainingGrid
from gbscape.crystal.defects import make_defects
from gbscape.crystal.descriptor import Pieces, describe, describe_substructures, find_substructures
from gbscape.crystal.prototypes import Prototype
from gbscape.crystal.supercells import Specimen, defect_hosts, pristine_specimens
from gbscape.store.shards import ShardError, open_shard

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

SETTINGS_COLUMNS = ["cutoff_nn", "sigma_nn", "extrinsic_scaling"]
"""Settings of the descriptor that vary among pristine rows."""
DEFECT_COLUMNS = ["displacement", "missing", "repeat"]
"""Defects of a row, and which realisation it is."""
SPECIMEN_COLUMNS = ["specimen", "replicas", "periodic", "n_atoms"]
"""Which structure of the class a row is of."""
FCC_PACKING = np.sqrt(2)
"""Atoms of a close-packed crystal in a cube whose edge is the nearest-neighbour distance."""

_TEST, _TRAINING = 0, 1
"""First of the numbers that random ones start from: test structures and training structures never share them."""


class Rows(NamedTuple):
    """Vectors with what they are of."""

    features: Floats
    """(n, features)."""
    table: pd.DataFrame
    """(n,) `label`, `SPECIMEN_COLUMNS`, and `SETTINGS_COLUMNS` or `DEFECT_COLUMNS`."""

    def class_numbers(self, classes: Sequence[str]) -> NDArray[np.int64]:
        """Place (n,) of the label of each row among the classes.

        Raises:
            ValueError: a row is of none of them.
        """
        numbers = pd.Index(classes).get_indexer(pd.Index(self.table["label"]))
        if (numbers < 0).any():
            raise ValueError(f"rows are of {self.table['label'].iloc[int(np.argmin(numbers))]}, which is no class here")
        return numbers.astype(np.int64)


def pristine_features(
    prototype: Prototype, descriptor: CrystalDescriptor, grid: TrainingGrid, threads: int = 1
) -> dict[str, Any]:
    """Vectors of the structures of a class without defects, under all settings of the grid.

    Returns:
        a record for `gbscape.store.shards`: the rows of `Rows`, settings within structures.

    Raises:
        ValueError: a structure cannot be described, and why.
    """
    specimens = pristine_specimens(prototype)
    variants = grid.settings(descriptor)
    substructures = find_substructures([specimen.atoms for specimen in specimens], threads)
    vectors = np.empty((len(specimens), len(variants), descriptor.n_features), np.float32)
    for number, settings in enumerate(variants):
        described = describe_substructures(substructures, settings, threads)
        _check(described.reasons, prototype.label, specimens)
        vectors[:, number] = described.vectors
    which = np.repeat(np.arange(len(specimens)), len(variants))
    columns = {name: np.tile([getattr(s, name) for s in variants], len(specimens)) for name in SETTINGS_COLUMNS}
    return _record(prototype.label, vectors.reshape(len(which), -1), specimens, which, columns)


def augmentation_features(
    prototype: Prototype, settings: Augmentation, descriptor: CrystalDescriptor, threads: int = 1
) -> dict[str, Any] | None:
    """Vectors of structures of a class with the defects that a model is also trained on; None if there are none.

    They are made in the structures in which models are tested, but other realisations.

    Raises:
        ValueError: a structure cannot be described, and why.
    """
    levels = augmentation_levels(settings)
    if not levels:
        return None
    return _with_defects(prototype, levels, settings.repeats, (_TRAINING, settings.seed), descriptor, threads)


def augmentation_levels(settings: Augmentation) -> tuple[tuple[float, float], ...]:
    """(displacement, missing) of each defect in training."""
    return (
        *((displacement, 0.0) for displacement in settings.displacements),
        *((0.0, missing) for missing in settings.missing),
        *settings.both,
    )


def defective_features(
    prototype: Prototype, defects: DefectGrid, descriptor: CrystalDescriptor, threads: int = 1
) -> dict[str, Any]:
    """Vectors of the structures of a class with the defects that models are tested on.

    Returns:
        a record for `gbscape.store.shards`: the rows of `Rows`, realisations within structures within defects.

    Raises:
        ValueError: a structure cannot be described, and why.
    """
    return _with_defects(prototype, defects.levels(), defects.repeats, (_TEST, defects.seed), descriptor, threads)


def defective_structure(
    specimen: Specimen, number: int, displacement: float, missing: float, repeat: int, seed: int
) -> Atoms:
    """The structure that is tested: also for other methods, so that all are asked about the same ones.

    Args:
        specimen: of `gbscape.crystal.supercells.defect_hosts`.
        number: its place there.
        displacement, missing: see `gbscape.crystal.defects.make_defects`.
        repeat: number of the realisation, from 0.
        seed: of the settings.
    """
    return _defective(specimen, number, displacement, missing, repeat, (_TEST, seed))


def read_rows(path: str | Path, only: Iterable[str] | None = None) -> Rows:
    """Read the records of `pristine_features` and the like out of a shard or a gathered file.

    Args:
        path: the file.
        only: labels of the classes that are wanted; None: all.

    Raises:
        ShardError: the file is damaged, or it has not all of the classes.
    """
    with open_shard(path) as shard:
        wanted = list(shard.ids if only is None else only)
        missing = sorted(set(wanted) - set(shard.ids))
        if missing or not wanted:
            raise ShardError(
                f"{path} has no rows of {', '.join(missing) or 'any class'}; it has {', '.join(shard.ids)}"
            )
        records = {label: shard.read(label) for label in wanted}
    features = np.concatenate([record.pop("features") for record in records.values()])
    table = pd.concat([pd.DataFrame({"label": label} | record) for label, record in records.items()], ignore_index=True)
    names = [name for name in (*SPECIMEN_COLUMNS, *SETTINGS_COLUMNS, *DEFECT_COLUMNS) if name in table]
    return Rows(features, table[["label", *names]])


def gas_boxes(
    n: int,
    edge_angstrom: float = 16.0,
    nearest_neighbour_angstrom: float = 2.5,
    closest: float = 0.0,
    seed: int = 0,
) -> Pieces:
    """Cubes of atoms of one species at random positions, as dense as a close-packed crystal.

    Args:
        n: number of cubes.
        edge_angstrom: of each.
        nearest_neighbour_angstrom: of the crystal.
        closest: no two atoms are closer than this, in nearest-neighbour distances: 0 is an ideal gas; up to 0.7.
        seed: of the positions; those of a cube do not depend on the number of cubes.

    Raises:
        ValueError: lengths that are not positive, a cube without two atoms, spheres that do not fit.
    """
    if n < 1 or not (edge_angstrom > 0 and nearest_neighbour_angstrom > 0):
        raise ValueError(
            f"boxes, edge and distance must be positive, got {n}, {edge_angstrom:g} and {nearest_neighbour_angstrom:g}"
        )
    if not 0 <= closest <= 0.7:
        raise ValueError(f"closest must be from 0 to 0.7 nearest-neighbour distances: more do not fit; got {closest!r}")
    n_atoms = round(FCC_PACKING * (edge_angstrom / nearest_neighbour_angstrom) ** 3)
    if n_atoms < 2:
        raise ValueError(
            f"a cube of {edge_angstrom:g} Angstrom holds {n_atoms} atoms at this density; take a larger one"
        )
    cubes = [
        _apart(n_atoms, edge_angstrom, closest * nearest_neighbour_angstrom, np.random.default_rng((seed, number)))
        for number in range(n)
    ]
    return Pieces(np.arange(n + 1) * n_atoms, np.concatenate(cubes), np.full(n * n_atoms, 29, dtype=np.int32))


def background_features(settings: Background, descriptor: CrystalDescriptor) -> list[Floats]:
    """Vectors (boxes, n_features) of each kind of gas that is the background of the classes."""
    found = []
    for closest, edge in product(settings.closest, settings.edges_nn):
        described = describe(gas_boxes(settings.boxes, edge, 1.0, closest, settings.seed), descriptor)
        found.append(np.delete(described.vectors, list(described.reasons), axis=0).astype(np.float32))
    return [vectors for vectors in found if len(vectors)]


def boxes_of(samples: Sequence[Atoms], n: int, edge_angstrom: float = 16.0, seed: int = 0) -> Pieces:
    """Cubes at random places of periodic samples, such as snapshots of a liquid, from each in turn.

    Args:
        samples: with cells along x, y and z, periodic along all.
        n: number of cubes.
        edge_angstrom: of each; shorter than the samples' periods.
        seed: of the places.

    Raises:
        ValueError: no samples; one that is not periodic in such a cell, or too small.
    """
    if not samples:
        raise ValueError("there are no samples to cut boxes from")
    for sample in samples:
        lengths = sample.cell.lengths()
        if not (
            sample.pbc.all() and np.allclose(sample.cell.array, np.diag(lengths)) and edge_angstrom < lengths.min()
        ):
            raise ValueError(
                f"boxes of {edge_angstrom:g} Angstrom need larger samples that are periodic along x, y and z, got pbc "
                f"{sample.pbc.tolist()} and the cell {sample.cell.array.tolist()}"
            )
    random = np.random.default_rng(seed)
    cut = []
    for number in range(n):
        sample = samples[number % len(samples)]
        lengths = sample.cell.lengths()
        positions = (sample.positions - random.random(3) * lengths) % lengths
        inside = (positions < edge_angstrom).all(axis=1)
        cut.append((positions[inside], sample.numbers[inside]))
    sizes = [len(numbers) for _, numbers in cut]
    return Pieces(
        np.concatenate([[0], np.cumsum(sizes)]),
        np.concatenate([positions for positions, _ in cut]),
        np.concatenate([numbers for _, numbers in cut]).astype(np.int32),
    )


def _with_defects(
    prototype: Prototype,
    levels: Sequence[tuple[float, float]],
    repeats: int,
    seed: tuple[int, int],
    descriptor: CrystalDescriptor,
    threads: int,
) -> dict[str, Any]:
    hosts = defect_hosts(prototype)
    which, repeat = (values.ravel() for values in np.mgrid[: len(hosts), :repeats])
    vectors = []
    for displacement, missing in levels:
        structures = [
            _defective(hosts[i], i, displacement, missing, r, seed)
            for i, r in zip(which.tolist(), repeat.tolist(), strict=True)
        ]
        described = describe(structures, descriptor, threads)
        _check(described.reasons, prototype.label, [hosts[i] for i in which], (displacement, missing))
        vectors.append(described.vectors.astype(np.float32))
    columns = {
        "displacement": np.repeat([displacement for displacement, _ in levels], len(which)),
        "missing": np.repeat([missing for _, missing in levels], len(which)),
        "repeat": np.tile(repeat, len(levels)),
    }
    return _record(prototype.label, np.concatenate(vectors), hosts, np.tile(which, len(levels)), columns)


def _defective(
    host: Specimen, number: int, displacement: float, missing: float, repeat: int, seed: tuple[int, int]
) -> Atoms:
    parts_per_million = (round(1e6 * displacement), round(1e6 * missing))
    return make_defects(
        host.atoms, displacement, missing, (*seed, crc32(host.label.encode()), number, *parts_per_million, repeat)
    )


def _record(
    label: str,
    features: Floats,
    specimens: Sequence[Specimen],
    which: NDArray[np.integer],
    columns: Mapping[str, NDArray],
) -> dict[str, Any]:
    return {
        "features": features,
        "specimen": which.astype(np.int16),
        "replicas": np.array([specimen.replicas for specimen in specimens], dtype=np.int16)[which],
        "periodic": np.array([specimen.periodic for specimen in specimens])[which],
        "n_atoms": np.array([len(specimen.atoms) for specimen in specimens], dtype=np.int32)[which],
    } | dict(columns)


def _check(
    reasons: Mapping[int, str],
    label: str,
    specimens: Sequence[Specimen],
    defects: tuple[float, float] = (0.0, 0.0),
) -> None:
    for number, reason in reasons.items():
        its = specimens[number]
        raise ValueError(
            f"{label}, {its.replicas} unit cells along each axis, {'periodic' if its.periodic else 'finite'}, displacement "
            f"{defects[0]:g}, missing {defects[1]:g}: {reason}"
        )


def _apart(n: int, edge: float, closest: float, random: np.random.Generator) -> Array:
    """Random points in a cube, of which later ones that are too close to earlier ones are drawn again."""
    points = random.uniform(0, edge, (n, 3))
    while closest > 0:
        pairs = cKDTree(points).query_pairs(closest, output_type="ndarray")
        if len(pairs) == 0:
            break
        again = np.unique(pairs.max(axis=1))
        points = np.concatenate([np.delete(points, again, axis=0), random.uniform(0, edge, (len(again), 3))])
    return points
