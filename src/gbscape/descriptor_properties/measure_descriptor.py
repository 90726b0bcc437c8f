"""Everything that is measured of one descriptor, from the survey's files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from gbscape.config.descriptor_properties import Classification, DescriptorProperties
from gbscape.config.features import Computed
from gbscape.config.soap import LocalEnvironments
from gbscape.config.survey import BoundaryAtoms, Lattice
from gbscape.descriptor_properties.classifications import CNA_TYPES, PTM_TYPES, classify
from gbscape.descriptor_properties.coverage import coverage
from gbscape.descriptor_properties.measure import measure
from gbscape.descriptor_properties.tables import FOUND, LISTED, MEASUREMENT_COLUMNS, Describe
from gbscape.features.checks import check_slab, check_surroundings
from gbscape.features.local_environments import nearest_environments
from gbscape.features.matrix import FeatureMatrix, read_features
from gbscape.features.representation import featurize
from gbscape.features.soap import power_spectrum
from gbscape.store.progress import progress
from gbscape.store.records import atoms_from_record
from gbscape.store.shards import open_shard
from gbscape.structure.boundary_atoms import select_boundary_atoms
from gbscape.survey.boundary import read_boundaries
from gbscape.survey.local_environment_shards import read_dictionary

SAME_ENERGY_J_M2 = 1e-3
"""A relaxation that ends further from the survey's energy has found another structure."""


def measure_representation(
    survey_h5: str | Path,
    features_h5: str | Path,
    dictionary_h5: str | Path | None,
    relaxed_again_h5: str | Path,
    boundaries_csv: str | Path | None,
    name: str,
    representation: Computed,
    settings: DescriptorProperties,
    boundary_atoms: BoundaryAtoms,
    lattice: Lattice,
) -> pd.DataFrame:
    """Measure a representation that the survey was described by, columns `MEASUREMENT_COLUMNS`.

    Args:
        survey_h5: gathered survey with boundary atoms.
        features_h5: gathered vectors of the representation.
        dictionary_h5: the unique environments of the survey, for local environments; None for others.
        relaxed_again_h5: the chosen boundaries relaxed again, see `relax_again`.
        boundaries_csv: table of the enumerated boundaries; None for structures of one's own.
        name: of the representation.
        representation: its settings.
        settings: what is measured.
        boundary_atoms: how the boundary's atoms are found.
        lattice: of the grains.

    Raises:
        ValueError: local environments without a dictionary.
    """
    vectors = read_features(features_h5)
    rows: list[tuple[object, ...]] = []
    if isinstance(representation, LocalEnvironments):
        if dictionary_h5 is None:
            raise ValueError(f"{name}: local environments need the dictionary of the survey's environments")
        environments = read_dictionary(dictionary_h5)
        describe = _by_environments(environments, representation)
        rows.append((name, "subunit discovery", FOUND, None, None, len(environments)))
    else:

        def describe(atoms: Atoms) -> NDArray[np.float64]:
            return featurize(atoms, atoms.arrays["boundary"], representation)

    table = _measure(
        survey_h5, relaxed_again_h5, boundaries_csv, name, describe, vectors, settings, boundary_atoms, lattice
    )
    return _with_rows(table, rows)


def measure_classification(
    survey_h5: str | Path,
    relaxed_again_h5: str | Path,
    boundaries_csv: str | Path | None,
    classification: Classification,
    settings: DescriptorProperties,
    boundary_atoms: BoundaryAtoms,
    lattice: Lattice,
) -> pd.DataFrame:
    """The same of a classification of atoms, by which the survey is described here; arguments as there."""

    def describe(atoms: Atoms) -> NDArray[np.float64]:
        return classify(atoms, atoms.arrays["boundary"], classification)

    with open_shard(survey_h5) as survey:
        rows = [
            describe(atoms_from_record(record["structure"]))
            for _, record in progress(survey, len(survey.ids), "boundaries classified")
        ]
        vectors = FeatureMatrix(list(survey.ids), np.array(rows), [])
    table = _measure(
        survey_h5,
        relaxed_again_h5,
        boundaries_csv,
        classification,
        describe,
        vectors,
        settings,
        boundary_atoms,
        lattice,
    )
    types = CNA_TYPES if classification == "cna" else PTM_TYPES
    return _with_rows(table, [(classification, "subunit discovery", LISTED, None, None, len(types) - 1)])


def _by_environments(environments: NDArray[np.float32], settings: LocalEnvironments) -> Describe:
    """The fractions of a boundary's atoms whose nearest environment is each of these."""

    def describe(atoms: Atoms) -> NDArray[np.float64]:
        check_slab(atoms)
        mask = atoms.arrays["boundary"]
        check_surroundings(atoms, np.flatnonzero(mask), settings.cutoff_angstrom)
        nearest, _ = nearest_environments(power_spectrum(atoms, settings.parameters(), mask), environments)
        return np.asarray(np.bincount(nearest, minlength=len(environments)) / len(nearest))

    return describe


def _with_rows(table: pd.DataFrame, rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    if not rows:
        return table
    return pd.concat([table, pd.DataFrame(rows, columns=MEASUREMENT_COLUMNS)], ignore_index=True)


def _measure(
    survey_h5: str | Path,
    relaxed_again_h5: str | Path,
    boundaries_csv: str | Path | None,
    name: str,
    describe: Describe,
    vectors: FeatureMatrix,
    settings: DescriptorProperties,
    boundary_atoms: BoundaryAtoms,
    lattice: Lattice,
) -> pd.DataFrame:
    with open_shard(survey_h5) as survey:
        slabs = {item: atoms_from_record(survey.read(item)["structure"]) for item in settings.boundaries}
        relaxed = [*survey.ids, *survey.failures]
    measured = measure(
        name,
        describe,
        vectors,
        slabs,
        {item: _relaxed_again(relaxed_again_h5, item) for item in slabs},
        lambda atoms: select_boundary_atoms(atoms, boundary_atoms, lattice).mask,
        settings,
    )
    boundaries = read_boundaries(boundaries_csv) if boundaries_csv else []
    return pd.concat([measured, coverage(name, vectors.ids, relaxed, boundaries)], ignore_index=True)


def _relaxed_again(path: str | Path, item: str) -> Sequence[Atoms]:
    """The relaxations that came back to the survey's energy."""
    with open_shard(path) as file:
        record = file.read(item)
    returned = np.flatnonzero(np.abs(record["differences_j_m2"]) <= SAME_ENERGY_J_M2)
    return [atoms_from_record(record[f"structure_{number + 1}"]) for number in returned]
