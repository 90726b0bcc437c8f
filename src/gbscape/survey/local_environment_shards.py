"""The local environment representation of a survey: candidates by shard, one dictionary, fractions by shard.

Each boundary has its own unique environments, the candidates; the unique ones among these are the dictionary of the whole
survey. Neither depends on the shards. Every environment is within the threshold of one of its boundary's candidates, and
that of one in the dictionary, so that in the worst case it is twice the threshold away from the nearest; in the Ni survey
one in a thousand is further than the threshold, by less than a tenth. The vectors of a boundary are in memory at a time,
and the candidates' when they are merged.
"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from gbscape.config.soap import LocalEnvironments
from gbscape.features.checks import check_mask, check_slab, check_surroundings
from gbscape.features.local_environments import Single, nearest_environments, unique_environments
from gbscape.features.soap import power_spectrum
from gbscape.store.provenance import Provenance
from gbscape.store.records import Record, atoms_from_record
from gbscape.store.shards import OnFailure, compute_shard, gather_shards, open_shard, write_shard
from gbscape.survey.balanced import boundaries_of_shard

MOST_ENVIRONMENTS = 5000
"""More are not what the representation is for, and would take long to find."""
_ENVIRONMENTS = "environments"


def candidate_shard(
    survey_h5: str | Path, out: str | Path, settings: LocalEnvironments, shard: int, n_shards: int, code: str
) -> None:
    """Write the unique environments of each boundary of one shard.

    Args:
        survey_h5: gathered survey with the arrays `boundary` in its structures.
        out: the shard (.h5): for each boundary `vectors` (k, d) in single precision, `atoms` (k,), their indices in the
            structure, and `n_atoms` (k,) of the boundary to which each is the nearest.
        settings: without a sweep.
        shard: number of this shard, from 0.
        n_shards: number of shards.
        code: hash of the code that computes this.
    """
    with open_shard(survey_h5) as survey:

        def candidates(item: str) -> Record:
            atoms = atoms_from_record(survey.read(item)["structure"])
            vectors = _soap(atoms, settings).astype(np.float32)
            unique = unique_environments(vectors, settings.threshold)
            nearest, _ = nearest_environments(vectors, vectors[unique])
            return {
                "vectors": vectors[unique],
                "atoms": np.flatnonzero(atoms.arrays["boundary"])[unique],
                "n_atoms": np.bincount(nearest, minlength=len(unique)),
            }

        ids = boundaries_of_shard(survey, shard, n_shards)
        provenance = Provenance.of(settings.model_dump(mode="json"), code, inputs={"survey": survey_h5})
        compute_shard(out, ids, candidates, provenance, what="boundaries searched for environments")


def merge_candidates(
    survey_h5: str | Path,
    shards: Sequence[str | Path],
    out: str | Path,
    settings: LocalEnvironments,
    code: str,
    on_failure: OnFailure = "stop",
) -> int:
    """Write the dictionary of a survey's unique environments; print and return how many there are.

    Args:
        survey_h5: gathered survey.
        shards: all shards of `candidate_shard`.
        out: the dictionary (.h5): one item `environments` with `vectors` (k, d) in single precision, and for each the
            `boundary` and the `atom` that it was found at.
        settings: without a sweep.
        code: hash of the code that computes this.
        on_failure: what happens when boundaries failed.

    Raises:
        ProvenanceMismatch: shards were made from different settings, inputs or code.
        ShardError: boundaries are missing, or failed and `on_failure` is "stop".
        ValueError: far too many environments are different.
    """
    with open_shard(survey_h5) as survey:
        ids = survey.ids
    vectors, weights, boundaries, atoms = [], [], [], []
    with TemporaryDirectory(dir=Path(out).parent) as folder:
        candidates = Path(folder) / "candidates.h5"
        gather_shards(shards, candidates, ids, on_failure)
        with open_shard(candidates) as gathered:
            for item, record in gathered:
                vectors.append(record["vectors"])
                weights.append(record["n_atoms"])
                atoms.append(record["atoms"])
                boundaries += [item] * len(record["atoms"])
    if not vectors:
        raise ValueError(f"{out}: no boundary has environments to be found")
    n_boundaries, joined = len(vectors), np.concatenate(vectors)
    del vectors  # as large as what they were joined to
    unique = unique_environments(joined, settings.threshold, np.concatenate(weights), MOST_ENVIRONMENTS)
    print(f"{len(unique)} unique environments among {len(joined)} candidates of {n_boundaries} boundaries", flush=True)
    dictionary = {
        "vectors": joined[unique],
        "boundary": [boundaries[index] for index in unique],
        "atom": np.concatenate(atoms)[unique],
    }
    inputs = {f"candidates_{number}": path for number, path in enumerate(shards)}
    provenance = Provenance.of(settings.model_dump(mode="json"), code, inputs={"survey": survey_h5} | inputs)
    write_shard(out, {_ENVIRONMENTS: dictionary}, provenance, {})
    return len(unique)


def fraction_shard(
    survey_h5: str | Path,
    dictionary_h5: str | Path,
    out: str | Path,
    settings: LocalEnvironments,
    shard: int,
    n_shards: int,
    code: str,
) -> None:
    """Write the fractions of the atoms of each boundary of one shard that are in each unique environment.

    Args:
        survey_h5: gathered survey with the arrays `boundary` in its structures.
        dictionary_h5: from `merge_candidates`.
        out: the shard (.h5): for each boundary `vector` (k,); `environment` (n,), the number from 0 of the nearest
            environment of each of its atoms in the order of the structure, and the `distance` (n,) to it. The number of
            environments is in the provenance's settings.
        settings: without a sweep.
        shard: number of this shard, from 0.
        n_shards: number of shards.
        code: hash of the code that computes this.
    """
    environments = read_dictionary(dictionary_h5)
    with open_shard(survey_h5) as survey:

        def fractions(item: str) -> Record:
            vectors = _soap(atoms_from_record(survey.read(item)["structure"]), settings)
            nearest, distances = nearest_environments(vectors, environments)
            return {
                "vector": np.bincount(nearest, minlength=len(environments)) / len(nearest),
                "environment": nearest.astype(np.int32),
                "distance": distances.astype(np.float32),
            }

        ids = boundaries_of_shard(survey, shard, n_shards)
        provenance = Provenance.of(
            settings.model_dump(mode="json") | {"n_environments": len(environments)},
            code,
            inputs={"survey": survey_h5, "dictionary": dictionary_h5},
        )
        compute_shard(out, ids, fractions, provenance, what="boundaries described")


def read_dictionary(dictionary_h5: str | Path) -> Single:
    """SOAP vectors (k, d) of the unique environments."""
    with open_shard(dictionary_h5) as shard:
        vectors: Single = shard.read(_ENVIRONMENTS)["vectors"]
        return vectors


def tabulate_environments(dictionary_h5: str | Path, features_h5: str | Path) -> pd.DataFrame:
    """A row for each unique environment of a survey.

    Args:
        dictionary_h5: from `merge_candidates`.
        features_h5: the gathered shards of `fraction_shard`.

    Returns:
        Columns `environment` (number from 0, as in the names of the features), `n_atoms` and `n_boundaries` in which it is
        found, `largest_distance` of its atoms from it, and the `boundary` and `atom` (index in the structure) that it is
        the environment of.
    """
    with open_shard(dictionary_h5) as shard:
        found_at = shard.read(_ENVIRONMENTS)
    count = len(found_at["atom"])
    n_atoms, n_boundaries, largest = np.zeros(count, int), np.zeros(count, int), np.zeros(count)
    with open_shard(features_h5) as features:
        for _, record in features:
            of_boundary = np.bincount(record["environment"], minlength=count)
            n_atoms += of_boundary
            n_boundaries += of_boundary > 0
            np.maximum.at(largest, record["environment"], record["distance"])
    return pd.DataFrame(
        {
            "environment": np.arange(count),
            "n_atoms": n_atoms,
            "n_boundaries": n_boundaries,
            "largest_distance": largest,
            "boundary": found_at["boundary"],
            "atom": found_at["atom"],
        }
    )


def _soap(atoms: Atoms, settings: LocalEnvironments) -> NDArray[np.float64]:
    """SOAP vectors of norm 1 of the boundary's atoms, in the order of the structure."""
    mask = atoms.arrays["boundary"]
    check_mask(atoms, mask)
    check_slab(atoms)
    check_surroundings(atoms, np.flatnonzero(mask), settings.cutoff_angstrom)
    return power_spectrum(atoms, settings.parameters(), mask)
