"""Everything that is measured of one descriptor, from the survey's files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

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


@dataclass(frozen=True)
class Descriptor:
    """A way to describe boundaries."""

    name: str
    describe: Describe
    survey: FeatureMatrix
    """What all boundaries of the survey are described by."""
    subunits: tuple[str, int] | None = None
    """How environments are told apart, one of `tables.FOUND` and `tables.LISTED`, and how many; None if they are not."""


def descriptor(
    name: str,
    representation: Computed | None,
    survey_h5: str | Path,
    features_h5: str | Path | None,
    dictionary_h5: str | Path | None,
) -> Descriptor:
    """A representation that the survey was described by, or a classification of atoms, by which it is described here.

    Args:
        name: of the representation, or of the classification.
        representation: its settings; None for a classification.
        survey_h5: gathered survey with boundary atoms.
        features_h5: gathered vectors of the representation.
        dictionary_h5: the unique environments of the survey, for local environments.

    Raises:
        ValueError: a representation without vectors, or local environments without a dictionary.
    """
    if representation is None:
        return _classification(cast(Classification, name), survey_h5)
    if features_h5 is None:
        raise ValueError(f"{name}: a representation needs the vectors of the survey's boundaries")
    if isinstance(representation, LocalEnvironments):
        if dictionary_h5 is None:
            raise ValueError(f"{name}: local environments need the dictionary of the survey's environments")
        environments = read_dictionary(dictionary_h5)
        describe = _by_environments(environments, representation)
        return Descriptor(name, describe, read_features(features_h5), (FOUND, len(environments)))
    return Descriptor(
        name, lambda atoms: featurize(atoms, atoms.arrays["boundary"], representation), read_features(features_h5)
    )


def measure_descriptor(
    described: Descriptor,
    survey_h5: str | Path,
    relaxed_again_h5: str | Path,
    boundaries_csv: str | Path | None,
    settings: DescriptorProperties,
    boundary_atoms: BoundaryAtoms,
    lattice: Lattice,
) -> pd.DataFrame:
    """Measure all that can be measured of a descriptor, columns `MEASUREMENT_COLUMNS`.

    Args:
        described: the descriptor.
        survey_h5: gathered survey with boundary atoms.
        relaxed_again_h5: the chosen boundaries relaxed again, see `relax_again`.
        boundaries_csv: table of the enumerated boundaries; None for structures of one's own.
        settings: what is measured.
        boundary_atoms: how the boundary's atoms are found.
        lattice: of the grains.
    """
    with open_shard(survey_h5) as survey:
        slabs = {item: atoms_from_record(survey.read(item)["structure"]) for item in settings.boundaries}
        relaxed = [*survey.ids, *survey.failures]
    tables = [
        measure(
            described.name,
            described.describe,
            described.survey,
            slabs,
            {item: _relaxed_again(relaxed_again_h5, item) for item in slabs},
            lambda atoms: select_boundary_atoms(atoms, boundary_atoms, lattice).mask,
            settings,
        ),
        coverage(
            described.name, described.survey.ids, relaxed, read_boundaries(boundaries_csv) if boundaries_csv else []
        ),
    ]
    if described.subunits is not None:
        quantity, number = described.subunits
        row = (described.name, "subunit discovery", quantity, None, None, number)
        tables.append(pd.DataFrame([row], columns=MEASUREMENT_COLUMNS))
    return pd.concat(tables, ignore_index=True)


def _classification(kind: Classification, survey_h5: str | Path) -> Descriptor:
    def describe(atoms: Atoms) -> NDArray[np.float64]:
        return classify(atoms, atoms.arrays["boundary"], kind)

    with open_shard(survey_h5) as survey:
        rows = [
            describe(atoms_from_record(record["structure"]))
            for _, record in progress(survey, len(survey.ids), "boundaries classified")
        ]
        vectors = FeatureMatrix(list(survey.ids), np.array(rows), [])
    types = CNA_TYPES if kind == "cna" else PTM_TYPES
    return Descriptor(kind, describe, vectors, (LISTED, len(types) - 1))  # the rest is of no type


def _by_environments(environments: NDArray[np.float32], settings: LocalEnvironments) -> Describe:
    """The fractions of a boundary's atoms whose nearest environment is each of these."""

    def describe(atoms: Atoms) -> NDArray[np.float64]:
        check_slab(atoms)
        mask = atoms.arrays["boundary"]
        check_surroundings(atoms, np.flatnonzero(mask), settings.cutoff_angstrom)
        nearest, _ = nearest_environments(power_spectrum(atoms, settings.parameters(), mask), environments)
        return np.asarray(np.bincount(nearest, minlength=len(environments)) / len(nearest))

    return describe


def _relaxed_again(path: str | Path, item: str) -> Sequence[Atoms]:
    """The relaxations that came back to the survey's energy."""
    with open_shard(path) as file:
        record = file.read(item)
    returned = np.flatnonzero(np.abs(record["differences_j_m2"]) <= SAME_ENERGY_J_M2)
    return [atoms_from_record(record[f"structure_{number + 1}"]) for number in returned]
