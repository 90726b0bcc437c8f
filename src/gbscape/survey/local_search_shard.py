"""Improve one shard of relaxed boundaries by local moves."""

import math
from collections.abc import Mapping
from pathlib import Path

from gbscape.config.survey import LocalSearch, Relaxation
from gbscape.planning import costs
from gbscape.simulate.potentials import ReadyPotential
from gbscape.store.balance import balance
from gbscape.store.provenance import Provenance
from gbscape.store.records import Record, atoms_from_record, atoms_to_record
from gbscape.store.shards import compute_shard, open_shard
from gbscape.survey.local_search import search_locally


def local_search_shard(
    boundaries_csv: str | Path,
    potential_json: str | Path,
    relaxed_h5: str | Path,
    out: str | Path,
    settings: LocalSearch,
    relaxation: Relaxation,
    shard: int,
    n_shards: int,
    code: str,
    known_j_m2: Mapping[str, float] | None = None,
) -> None:
    """Search locally from the relaxed boundaries of one shard and write the better structures.

    Args:
        boundaries_csv: table of all boundaries of the survey.
        potential_json: description of the potential, its file beside it.
        relaxed_h5: gathered relaxed boundaries.
        out: the shard (.h5): the records of `relaxed_h5` with the structure, energy and convergence of the better
            structure, and `local_search` with the energy before, the moves tried, those accepted, and, where a better
            structure was found, the one before.
        settings: the search.
        relaxation: tolerances of the minimisation.
        shard: number of this shard, from 0.
        n_shards: number of shards of the survey.
        code: hash of the code that computes this.
        known_j_m2: energies, by id, that some structure is known to have; above them the search is more patient.
    """
    known = known_j_m2 or {}
    potential = ReadyPotential.read(potential_json)
    with open_shard(relaxed_h5) as relaxed:
        cells = [relaxed.value(item, "structure/cell") for item in relaxed.ids]
        above = [relaxed.value(item, "energy_j_m2") > known.get(item, math.inf) for item in relaxed.ids]
        work = costs.local_search([cell[1, 1] * cell[2, 2] for cell in cells], settings, above).tolist()
        ids = balance(dict(zip(relaxed.ids, work, strict=True)), n_shards)[shard]

        def improve(item: str) -> Record:
            record = relaxed.read(item)
            improved = search_locally(
                atoms_from_record(record["structure"]),
                potential,
                settings,
                relaxation.force_tolerance_ev_angstrom,
                relaxation.max_steps,
                item,
                known.get(item, math.inf),
            )
            record["local_search"] = improved.record(record["energy_j_m2"])
            if improved.max_force_ev_angstrom is not None:
                record["local_search"]["structure_before"] = record["structure"]
                record["structure"] = atoms_to_record(improved.atoms)
                record["energy_j_m2"] = improved.energy_j_m2
                record["max_force_ev_angstrom"] = improved.max_force_ev_angstrom
                record["converged"] = improved.max_force_ev_angstrom <= relaxation.force_tolerance_ev_angstrom
            return record

        inputs = {"boundaries": boundaries_csv, "potential": potential_json, "relaxed": relaxed_h5}
        parameters = {
            "local_search": settings.model_dump(mode="json"),
            "relaxation": relaxation.model_dump(mode="json"),
            "known_j_m2": {item: known[item] for item in relaxed.ids if item in known},
        }
        compute_shard(
            out, ids, improve, Provenance.of(parameters, code, inputs, settings.seed), what="boundaries improved"
        )
