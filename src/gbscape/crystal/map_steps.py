"""A map in steps that jobs can share: which boxes, a shard of them, all of a level, the finished map.

A map that is refined has levels: each level's boxes are chosen by the map of those before it. One that is not has a
single level with all boxes.
"""

from collections.abc import Sequence
from pathlib import Path

import ase.io
import h5py
import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from gbscape.config.crystal import Map
from gbscape.crystal.classification import PASSES, load_model
from gbscape.crystal.map_file import StridedMap, join_maps, map_provenance, read_map, write_map
from gbscape.crystal.refinement import boxes_to_check, compare_interpolated, first_level, interpolated, next_level
from gbscape.crystal.strided import BoxedSample, boxed_sample, boxes_of_shard, classify_boxes
from gbscape.planning import costs
from gbscape.store.new_hdf5 import new_hdf5
from gbscape.store.provenance import Provenance, check_agreement
from gbscape.store.tables import write_csv


def choose_boxes(
    sample_xyz: str | Path, before_h5: str | Path | None, out: str | Path, settings: Map, level: int
) -> None:
    """Write the numbers of the boxes of one level.

    Args:
        sample_xyz: the sample.
        before_h5: map of the levels before; None for level 0.
        out: `boxes` (n,) in an HDF5 file.
        settings: of the map.
        level: number of the level, from 0.
    """
    boxed = _boxed(sample_xyz, settings)
    if settings.refinement is None:
        boxes = np.arange(len(boxed.grid))
    elif before_h5 is None:
        boxes = first_level(boxed.grid, settings.refinement.levels)
    else:
        done = read_map(before_h5, hidden=False)
        boxes = next_level(done, boxed.n_atoms(), level - 1, settings.refinement, settings.fewest_atoms)
    with new_hdf5(out) as file:
        file["boxes"] = boxes


def classify_shard(
    sample_xyz: str | Path,
    boxes_h5: str | Path,
    model_file: str | Path,
    out: str | Path,
    settings: Map,
    shard: int,
    n_shards: int,
    code: str,
    threads: int = 1,
) -> None:
    """Classify the boxes of one shard of a level, balanced by their expected time.

    Args:
        sample_xyz: the sample.
        boxes_h5: of `choose_boxes`.
        model_file: the model.
        out: the map of these boxes (.h5).
        settings: of the map.
        shard, n_shards: number of this shard, from 0, and of all.
        code: hash of the code that computes this.
        threads: number of threads.
    """
    boxed = _boxed(sample_xyz, settings)
    with h5py.File(boxes_h5) as file:
        boxes = file["boxes"][:]
    work = costs.boxes(boxed.n_atoms()[boxes], settings.passes or PASSES, settings.fewest_atoms)
    chosen = boxes[boxes_of_shard(work, shard, n_shards)]
    layers = settings.clustering.layers if settings.clustering else ()
    found = _classified(boxed, model_file, chosen, settings, threads, layers)
    provenance = Provenance.of(
        settings.model_dump(mode="json"), code, {"sample": sample_xyz, "boxes": boxes_h5, "model": model_file}
    )
    write_map(out, found, provenance)


def join_level(shards: Sequence[str | Path], before_h5: str | Path | None, out: str | Path) -> None:
    """Join the shards of a level, and the levels before, into one map.

    Raises:
        ProvenanceMismatch: the shards were not made alike.
    """
    provenance = check_agreement({str(path): map_provenance(path) for path in shards})
    before = [] if before_h5 is None else [read_map(before_h5)]
    write_map(out, join_maps([*before, *(read_map(path) for path in shards)]), provenance)


def finish_map(sample_xyz: str | Path, levels_h5: str | Path, out: str | Path, settings: Map) -> None:
    """Write the map of all boxes of the grid, in its order: those that no level has classified are interpolated."""
    done = read_map(levels_h5)
    if settings.refinement is None:
        finished = done.take(np.argsort(done.grid_index))
    else:
        n_atoms = _boxed(sample_xyz, settings).n_atoms()
        finished = interpolated(done, n_atoms, settings.refinement.levels, settings.fewest_atoms)
    write_map(out, finished, map_provenance(levels_h5))


def check_interpolation(
    sample_xyz: str | Path,
    map_h5: str | Path,
    model_file: str | Path,
    out_csv: str | Path,
    settings: Map,
    threads: int = 1,
) -> None:
    """Classify some of the boxes that were interpolated, and write both answers side by side.

    Args:
        sample_xyz: the sample.
        map_h5: its finished map, a refined one.
        model_file: the model.
        out_csv: table of `gbscape.crystal.refinement.compare_interpolated`.
        settings: of the map.
        threads: number of threads.
    """
    assert settings.refinement is not None
    refined = read_map(map_h5, hidden=False)
    boxes = boxes_to_check(refined, settings.refinement)
    found = _classified(_boxed(sample_xyz, settings), model_file, boxes, settings, threads)
    write_csv(out_csv, compare_interpolated(refined, found))


def read_sample(path: str | Path) -> Atoms:
    """A sample as the rules keep it."""
    atoms = ase.io.read(path, format="extxyz")
    assert isinstance(atoms, Atoms)
    return atoms


def _boxed(sample_xyz: str | Path, settings: Map) -> BoxedSample:
    return boxed_sample(read_sample(sample_xyz), settings.box_angstrom, settings.stride_angstrom, settings.padding)


def _classified(
    boxed: BoxedSample,
    model_file: str | Path,
    boxes: NDArray[np.int64],
    settings: Map,
    threads: int,
    hidden_layers: Sequence[int] = (),
) -> StridedMap:
    """Boxes classified as the settings of the map say."""
    return classify_boxes(
        boxed, load_model(model_file), boxes, fewest_atoms=settings.fewest_atoms, passes=settings.passes or PASSES,
        hidden_layers=hidden_layers, threads=threads,
    )  # fmt: skip
