"""The sample of a map: read from a file, built, or taken from the survey."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms

from gbscape.config.crystal import (
    Defects,
    FileSample,
    FourGrains,
    Polycrystal,
    Sample,
    Superalloy,
    SurveyBoundary,
)
from gbscape.crystal.classification import check_atoms
from gbscape.crystal.defects import make_defects
from gbscape.crystal.prototypes import build, load_prototypes
from gbscape.store.records import atoms_from_record
from gbscape.store.shards import open_shard
from gbscape.structure.four_grains import four_grains
from gbscape.structure.nearest_neighbours import nearest_neighbour_distance
from gbscape.structure.polycrystal import random_grains, voronoi_polycrystal
from gbscape.structure.structure_file import read_structure
from gbscape.structure.superalloy import superalloy


class SampleError(ValueError):
    """A sample that cannot be read or built; the message says which and why."""


def make_sample(
    sample: Sample,
    defects: Defects | None,
    prototype_files: Sequence[str | Path] = (),
    survey_h5: str | Path | None = None,
) -> Atoms:
    """The atoms of a sample, with the arrays that say what is where in a built one (`grain`, `distance_to_boundary`, `phase`).

    Args:
        sample: which.
        defects: put into it; None: none.
        prototype_files: tables of classes, for polycrystals.
        survey_h5: the gathered survey, for boundaries.

    Raises:
        SampleError: a file that cannot be read, a class or boundary that there is not, no atoms, unknown species,
            positions that are not finite.
    """
    match sample:
        case FileSample():
            atoms = _read(sample)
        case FourGrains():
            atoms = four_grains(
                sample.species, sample.edge_angstrom, sample.thickness_angstrom, sample.orientation_seed
            )
        case Superalloy():
            atoms = superalloy(
                sample.edge_angstrom,
                precipitate_edge_angstrom=sample.precipitate_edge_angstrom,
                aluminium_fraction=sample.aluminium_fraction,
                orientation_seed=sample.orientation_seed,
                seed=sample.seed,
            )
        case Polycrystal():
            atoms = _polycrystal(sample, prototype_files)
        case SurveyBoundary():
            if survey_h5 is None:
                raise SampleError(f"boundary {sample.id} needs the survey")
            atoms = _boundary(sample, survey_h5)
    try:
        check_atoms(atoms)
        if defects is not None:
            atoms = make_defects(atoms, defects.displacement, defects.missing, defects.seed)
    except ValueError as error:
        what = (isinstance(sample, FileSample) and sample.path) or sample.kind
        raise SampleError(f"{what}: {error}") from None
    return atoms


def _read(sample: FileSample) -> Atoms:
    if sample.path is None:
        raise SampleError("no structure is named")
    try:
        return read_structure(sample.path, sample.format)
    except ValueError as error:
        raise SampleError(str(error)) from None


def _polycrystal(sample: Polycrystal, prototype_files: Sequence[str | Path]) -> Atoms:
    prototypes = load_prototypes(prototype_files)
    crystals = []
    for label in sample.classes:
        if label not in prototypes:
            raise SampleError(f"a polycrystal of {label!r}: there is no such class; known: {', '.join(prototypes)}")
        crystal = build(prototypes[label])
        if not crystal.pbc.all():
            raise SampleError(f"a polycrystal of {label!r}: only crystals with three periods fill space")
        if sample.nearest_neighbour_angstrom is not None:
            factor = sample.nearest_neighbour_angstrom / nearest_neighbour_distance(crystal)
            crystal.set_cell(crystal.cell.array * factor, scale_atoms=True)
        if sample.species is not None:
            crystal.symbols[:] = sample.species
        crystals.append(crystal)
    grains = random_grains(sample.grains, crystals, sample.edge_angstrom, np.random.default_rng(sample.seed))
    return voronoi_polycrystal(sample.edge_angstrom, grains)


def _boundary(sample: SurveyBoundary, survey_h5: str | Path) -> Atoms:
    with open_shard(survey_h5) as survey:
        if sample.id not in survey.ids:
            raise SampleError(f"the survey has no boundary {sample.id}")
        atoms = atoms_from_record(survey.read(sample.id)["structure"])
    repeats = np.ceil(sample.min_length_angstrom / atoms.cell.lengths() - 1e-9).astype(int)
    return atoms.repeat([max(n, 1) if periodic else 1 for n, periodic in zip(repeats, atoms.pbc, strict=True)])
