"""Strided maps for OVITO and ParaView: boxes and atoms as extended XYZ, fields over the grid as VTK image data."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from pyevtk.hl import imageToVTK
from scipy.spatial import cKDTree

from gbscape.crystal.map_file import MapError, StridedMap
from gbscape.store.atomic import atomic_path


def write_boxes_xyz(path: str | Path, strided_map: StridedMap) -> None:
    """Write the centres of the classified boxes as extended XYZ, which OVITO, ASE and ParaView (through OVITO) open.

    Columns: `class`, `class_index`, `probability` of the most probable class, `second_class` and
    `second_probability` where the map holds them, `mutual_information`, `predictive_entropy`, `distance_score` if there
    is one, `n_atoms`, `interpolated`, and the map's own columns. Every box is of the species X. The comment line names
    the number of boxes along x, y and z and their edges.

    Raises:
        MapError: no box is classified.
    """
    chosen = _classified(strided_map)
    centres = Atoms(f"X{len(chosen)}", positions=chosen.centres_angstrom())
    for name, values in _columns(chosen).items():
        centres.set_array(name, values)
    centres.info["grid"] = np.array(chosen.grid.shape)
    centres.info["box_angstrom"] = np.array(chosen.grid.edge_angstrom)
    _write_xyz(path, centres)


def write_atoms_xyz(path: str | Path, atoms: Atoms, strided_map: StridedMap) -> None:
    """Write atoms, each with the values of the nearest classified box, as extended XYZ.

    Columns: those of `write_boxes_xyz` behind the atoms' own, and `box_distance`, the distance to the centre of that box
    in Angstrom.

    Raises:
        MapError: no box is classified.
    """
    chosen = _classified(strided_map)
    distance, nearest = cKDTree(chosen.centres_angstrom()).query(atoms.positions)
    coloured = Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    own = {name: values for name, values in atoms.arrays.items() if name not in ("numbers", "positions")}
    of_box = {name: values[nearest] for name, values in _columns(chosen).items()}
    for name, values in {**own, **of_box, "box_distance": distance}.items():
        coloured.set_array(name, values)
    _write_xyz(path, coloured)


def write_vti(path: str | Path, strided_map: StridedMap, classes: Sequence[str]) -> None:
    """Write fields over the whole grid as VTK image data (.vti), which ParaView opens.

    The points of the image are the centres of the boxes. Fields: `probability <class>` of each of the classes asked for,
    `class_index` of the most probable, `mutual_information`, `predictive_entropy`, `distance_score` if there is
    one, `n_atoms`, `status`, and the map's own numeric columns. NaN, and -1 in whole numbers, where there is no value.

    Raises:
        MapError: the map has no such class.
        ValueError: the file name does not end in .vti.
    """
    path = Path(path)
    if path.suffix != ".vti":
        raise ValueError(f"VTK image data is written to a file that ends in .vti, got {path}")
    m = strided_map
    values: dict[str, NDArray[Any]] = {f"probability {label}": m.probability(label) for label in classes}
    values["class_index"] = m.top_class[:, 0]
    values |= {"mutual_information": m.mutual_information, "predictive_entropy": m.predictive_entropy}
    if m.distance_score is not None:
        values["distance_score"] = m.distance_score
    values |= {"n_atoms": m.n_atoms, "status": m.status}
    values |= {name: column for name, column in m.columns.items() if column.dtype.kind in "fiub"}
    fields = {}
    for name, column in values.items():
        whole = column.dtype.kind in "iub"
        kind = np.int32 if whole else np.float32
        fields[name] = np.asfortranarray(m.on_grid(column.astype(kind), -1 if whole else np.nan), dtype=kind)
    lower = m.grid.lower_angstrom
    origin = tuple(float(bounds[0] + edge / 2) for bounds, edge in zip(lower, m.grid.edge_angstrom, strict=True))
    # The spacing of an axis with one box means nothing, but must not be zero.
    spacing = tuple(
        float(bounds[1] - bounds[0]) if len(bounds) > 1 else edge
        for bounds, edge in zip(lower, m.grid.edge_angstrom, strict=True)
    )
    with atomic_path(path) as temporary:
        imageToVTK(str(temporary.with_suffix("")), origin=origin, spacing=spacing, pointData=fields)


def _classified(strided_map: StridedMap) -> StridedMap:
    if not strided_map.classified.any():
        raise MapError(f"none of the {len(strided_map)} boxes of the map is classified")
    return strided_map.take(strided_map.classified)


def _columns(m: StridedMap) -> dict[str, NDArray[Any]]:
    values: dict[str, NDArray[Any]] = {
        "class": m.labels,
        "class_index": m.top_class[:, 0].astype(np.int32),
        "probability": m.top_probability[:, 0],
    }
    if m.top_class.shape[1] > 1:
        values |= {
            "second_class": np.array(m.classes)[m.top_class[:, 1]],
            "second_probability": m.top_probability[:, 1],
        }
    values |= {"mutual_information": m.mutual_information, "predictive_entropy": m.predictive_entropy}
    if m.distance_score is not None:
        values["distance_score"] = m.distance_score
    values["n_atoms"] = m.n_atoms
    values["interpolated"] = np.zeros(len(m), bool) if m.interpolated is None else m.interpolated
    return values | dict(m.columns)


def _write_xyz(path: str | Path, atoms: Atoms) -> None:
    with atomic_path(path) as temporary:
        ase.io.write(temporary, atoms, format="extxyz")
