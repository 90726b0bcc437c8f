"""A relaxed survey as one compact file that travels with the project, and back."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gbscape.config.survey import Enumeration, Potential
from gbscape.store.columns import read_columns, write_columns
from gbscape.store.provenance import Provenance
from gbscape.store.shards import OnFailure, ShardError, check_failures, open_shard, write_shard
from gbscape.survey.boundary import read_boundaries


def ship_survey(
    survey_h5: str | Path,
    out: str | Path,
    enumeration: Enumeration,
    potential: Potential,
    code: str,
    joined: Sequence[str | Path] = (),
) -> None:
    """Write a gathered survey as one compact file: structures, energies, candidates and the local search.

    Positions and energies of atoms are rounded to single precision (4e-6 Angstrom), energies of boundaries are not. The
    provenance says with which enumeration and potential, and holds the survey's own.

    Args:
        survey_h5: gathered survey, before its boundary atoms are marked.
        out: file to write.
        enumeration: which boundaries it holds.
        potential: the interatomic potential.
        code: hash of the code that computes this.
        joined: files of this kind whose boundaries are added where the survey lacks them or has them at a higher energy.
            The provenance names the boundaries that are of each.

    Raises:
        ShardError: the survey lacks boundaries that failed.
        ValueError: a file is for another potential.
    """
    with open_shard(survey_h5) as survey:
        check_failures(survey.failures, "relax them", "stop")
        records, made_by = dict(survey), json.loads(survey.provenance.to_json())
    taken: list[dict[str, Any]] = []  # files of different runs may have one name
    for path in joined:
        theirs, provenance = read_columns(path)
        _check_potential(path, provenance, potential)
        better = [
            item
            for item, record in theirs.items()
            if item not in records or record["energy_j_m2"] < records[item]["energy_j_m2"]
        ]
        records |= {item: theirs[item] for item in better}
        taken.append(
            {"file": Path(path).name, "provenance": json.loads(provenance.to_json()), "boundaries": sorted(better)}
        )
    settings = {
        "enumeration": enumeration.model_dump(mode="json"),
        "potential": potential.model_dump(mode="json"),
        "survey": made_by,
        "joined": taken,
    }
    inputs = {"survey": survey_h5} | {f"joined_{number}": path for number, path in enumerate(joined)}
    write_columns(out, dict(sorted(records.items())), Provenance.of(settings, code, inputs=inputs))


def read_shipped_survey(
    shipped: str | Path,
    boundaries_csv: str | Path,
    out: str | Path,
    potential: Potential,
    code: str,
    on_failure: OnFailure = "stop",
) -> None:
    """Write the boundaries of a table that `shipped` holds as a gathered survey.

    Args:
        shipped: file written by `ship_survey`.
        boundaries_csv: table of the boundaries that are wanted.
        out: gathered survey (.h5), as the relaxations'.
        potential: the potential that is configured.
        code: hash of the code that computes this.
        on_failure: what happens when boundaries are not in the file.

    Raises:
        ValueError: the file is for another potential.
        ShardError: it is damaged, or lacks boundaries and `on_failure` is "stop".
    """
    records, made_by = read_columns(shipped)
    _check_potential(shipped, made_by, potential)
    ids = [b.id for b in read_boundaries(boundaries_csv)]
    lacking = {item: f"not in {Path(shipped).name}" for item in ids if item not in records}
    if len(lacking) == len(ids):
        raise ShardError(f"{shipped} holds none of the boundaries of {boundaries_csv}; set survey.source to compute")
    check_failures(lacking, "set survey.source to compute", on_failure)
    provenance = Provenance.of(
        json.loads(made_by.settings), code, inputs={"shipped": shipped, "boundaries": boundaries_csv}
    )
    write_shard(out, {item: records[item] for item in ids if item in records}, provenance, lacking)


def _check_potential(path: str | Path, made_by: Provenance, potential: Potential) -> None:
    theirs = Potential.model_validate(json.loads(made_by.settings)["potential"])
    if theirs != potential:
        raise ValueError(
            f"{path} holds boundaries relaxed with {_named(theirs)}, but survey.potential is {_named(potential)}; set "
            "survey.source to compute"
        )


def _named(potential: Potential) -> str:
    return f"{potential.name or potential.file} ({potential.species})"
