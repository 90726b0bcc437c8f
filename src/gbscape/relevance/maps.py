"""Maps of relevance of one boundary: at rest, and of its displacements in motion."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gbscape.config.scattering import OrientedScattering, Scattering
from gbscape.relevance.attribution import relevance_from_nothing, relevance_from_reference
from gbscape.relevance.density import boundary_density, cell_length_angstrom
from gbscape.relevance.linear import LinearModel, read_models
from gbscape.relevance.map_file import RelevanceMap
from gbscape.store.progress import progress
from gbscape.store.records import atoms_from_record
from gbscape.store.shards import open_shard
from gbscape.structure.slab_cell import periodic_tree
from gbscape.structure.units import EV_PER_ANGSTROM2_IN_J_M2

Array = NDArray[np.float64]

SAME_SITE_ANGSTROM = 0.8
"""An atom in motion that is nearer than this to a site of the relaxed boundary belongs to it; sites are 2 Angstrom or more
apart."""


def map_boundary(
    name: str,
    boundary: str,
    record: dict[str, Any],
    models: Sequence[LinearModel],
    parameters: Scattering | OrientedScattering,
) -> RelevanceMap:
    """Relevance from nothing of the relaxed boundary, by each model.

    Args:
        name: of the map.
        boundary: id of the boundary.
        record: its record in the gathered survey, with boundary atoms.
        models: trained on features of these settings.
        parameters: settings of the transform.
    """
    atoms = atoms_from_record(record["structure"])
    mask = atoms.get_array("boundary").astype(bool)
    density = boundary_density(atoms, mask, parameters)
    found = [
        relevance_from_nothing(density, parameters, model)
        for model in progress(models, len(models), "models explained")
    ]
    energies = np.empty(0)
    if atoms.has("energy_ev") and "cohesive_energy_ev" in record:
        excess_ev = atoms.get_array("energy_ev")[mask] - record["cohesive_energy_ev"]
        energies = excess_ev / density.area_angstrom2 * EV_PER_ANGSTROM2_IN_J_M2
    return RelevanceMap(
        name=name,
        number=int(atoms.numbers[0]),
        positions=density.positions,
        cell=density.cell,
        in_unit=_disordered(atoms)[mask],
        energies_j_m2=energies,
        of_points=found[0].of_points,
        of_atoms=np.array([f.of_atoms for f in found]),
        predictions_j_m2=np.array([f.prediction_j_m2 for f in found]),
        references_j_m2=np.array([f.reference_j_m2 for f in found]),
        errors_j_m2=np.array([f.error_j_m2 for f in found]),
        n_train=np.array([len(model.train_ids) for model in models]),
        in_training=np.array([boundary in model.train_ids for model in models]),
    )


def map_displacements(
    name: str,
    record: dict[str, Any],
    snapshots: Sequence[Atoms],
    explained: Sequence[int],
    rest: Sequence[int],
    model: LinearModel,
    parameters: Scattering | OrientedScattering,
    path_points: int,
) -> RelevanceMap:
    """Mean relevance of the displacements of atoms in motion, from the atoms at rest.

    Rest is the mean of the positions. For harmonic vibrations the virial theorem gives every atom of a snapshot the same
    mean energy, 3/2 kT, wherever it is: so a map of the energy itself is flat but for the outermost atoms, whose bonds go to
    atoms that are not counted.

    Args:
        name: of the map.
        record: the relaxed boundary's record in the gathered survey, with boundary atoms.
        snapshots: slabs in motion with the arrays `boundary`, the same atoms in each, and `energy_ev`; the survey's slab
            or repetitions of it.
        explained: numbers of the snapshots that are explained.
        rest: numbers of the snapshots over which positions are averaged.
        model: trained on snapshots.
        parameters: settings of the transform.
        path_points: points of the quadrature, see `gbscape.relevance.attribution.relevance_from_reference`.

    Raises:
        ValueError: an atom in motion is not near a site of the relaxed boundary.
    """
    mask = snapshots[0].get_array("boundary").astype(bool)
    relaxed = atoms_from_record(record["structure"])
    positions = _unwrapped([s.positions[mask] for s in snapshots], snapshots[0].cell.lengths())
    sites = _sites(positions[0], relaxed)
    middle_angstrom = positions[:, :, 0].mean(axis=1)
    positions[:, :, 0] -= middle_angstrom[:, None]
    length = max(cell_length_angstrom(positions[i, :, 0], parameters) for i in explained)
    at_rest = positions[list(rest)].mean(axis=0) + np.array([length / 2, 0.0, 0.0])
    found = []
    for i in progress(explained, len(explained), "snapshots explained"):
        still = snapshots[i].copy()
        still.positions[:, 0] -= middle_angstrom[i]  # the crystal beside the boundary goes with it
        still.positions[mask] = positions[i]
        density = boundary_density(still, mask, parameters, length)
        found.append(relevance_from_reference(density, at_rest, parameters, model, path_points))
    energies_ev = np.mean([snapshots[i].get_array("energy_ev")[mask] for i in explained], axis=0, dtype=float)
    thermal = np.empty(0)
    if relaxed.has("energy_ev"):
        thermal_ev = energies_ev - relaxed.get_array("energy_ev")[sites]
        thermal = thermal_ev / density.area_angstrom2 * EV_PER_ANGSTROM2_IN_J_M2
    return RelevanceMap(
        name=name,
        number=int(relaxed.numbers[0]),
        positions=at_rest,
        cell=density.cell,
        in_unit=_disordered(relaxed)[sites],
        energies_j_m2=thermal,
        of_points=np.mean([f.of_points for f in found], axis=0),
        of_atoms=np.mean([f.of_atoms for f in found], axis=0)[None],
        predictions_j_m2=np.array([np.mean([f.prediction_j_m2 for f in found])]),
        references_j_m2=np.array([found[0].reference_j_m2]),
        errors_j_m2=np.array([max((f.error_j_m2 for f in found), key=abs)]),
        n_train=np.array([len(model.train_ids)]),
        in_training=np.array([False]),
    )


def map_boundary_of_files(
    models_h5: str | Path,
    survey_h5: str | Path,
    name: str,
    boundary: str,
    parameters: Scattering | OrientedScattering,
) -> RelevanceMap:
    """`map_boundary` of a boundary in a gathered survey.

    Raises:
        ValueError: the survey has no such boundary.
    """
    return map_boundary(name, boundary, _record(survey_h5, boundary), read_models(models_h5), parameters)


def map_displacements_of_files(
    models_h5: str | Path,
    survey_h5: str | Path,
    snapshots_h5: str | Path,
    name: str,
    boundary: str,
    parameters: Scattering | OrientedScattering,
    n_explained: int,
    path_points: int,
) -> RelevanceMap:
    """`map_displacements` by the first model, of evenly spread snapshots that it was not trained on.

    Raises:
        ValueError: the survey has no such boundary, or it is not that of the snapshots.
    """
    model = read_models(models_h5)[0]
    trained_on = set(model.train_ids)
    with open_shard(snapshots_h5) as shard:
        ids = shard.ids
        snapshots = [atoms_from_record(record["structure"]) for _, record in shard]
    rest = [number for number, item in enumerate(ids) if item in trained_on]
    others = [number for number, item in enumerate(ids) if item not in trained_on]
    chosen = np.linspace(0, len(others) - 1, min(n_explained, len(others))).round().astype(int)
    explained = [others[number] for number in chosen]
    record = _record(survey_h5, boundary)
    return map_displacements(name, record, snapshots, explained, rest, model, parameters, path_points)


def _record(survey_h5: str | Path, boundary: str) -> dict[str, Any]:
    with open_shard(survey_h5) as survey:
        if boundary not in survey.ids:
            reason = survey.failures.get(boundary, f"it has {len(survey.ids)} others, e.g. {survey.ids[:3]}")
            raise ValueError(f"relevance.boundary: the survey has no boundary {boundary!r}: {reason}")
        return survey.read(boundary)


def _disordered(atoms: Atoms) -> NDArray[np.bool_]:
    """True (n,) for atoms that are not of the structure type that most atoms of the slab have."""
    structure_type = atoms.get_array("structure_type").astype(int)
    return np.asarray(structure_type != np.bincount(structure_type).argmax())


def _unwrapped(positions: Sequence[Array], lengths: Array) -> Array:
    """(k, n, 3): positions nearest to those of the first, images in y and z included."""
    unwrapped = np.array(positions, dtype=np.float64)
    for axis in (1, 2):
        moved = unwrapped[:, :, axis] - unwrapped[0, :, axis]
        unwrapped[:, :, axis] -= lengths[axis] * np.round(moved / lengths[axis])
    return unwrapped


def _sites(positions: Array, relaxed: Atoms) -> NDArray[np.int64]:
    """Numbers (n,) of the atoms of the relaxed slab whose places, repeated in y and z, are nearest to the positions."""
    tree: cKDTree = periodic_tree(relaxed)
    wrapped = positions.copy()
    for axis in (1, 2):
        wrapped[:, axis] %= relaxed.cell.lengths()[axis]
        wrapped[wrapped[:, axis] >= relaxed.cell.lengths()[axis], axis] = 0.0
    distances, sites = tree.query(wrapped)
    far = int(distances.argmax())
    if distances[far] > SAME_SITE_ANGSTROM:
        raise ValueError(
            f"boundary atom {far} of the first snapshot is {distances[far]:.2f} Angstrom from the nearest site of the relaxed "
            f"boundary, more than {SAME_SITE_ANGSTROM:g}: the snapshots are of another structure"
        )
    return np.asarray(sites, dtype=np.int64)
