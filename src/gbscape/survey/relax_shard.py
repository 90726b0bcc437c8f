"""Relax one shard of the survey's boundaries."""

from pathlib import Path

from gbscape.config.survey import Relaxation
from gbscape.planning.costs import relaxation
from gbscape.simulate.potentials import ReadyPotential
from gbscape.store.balance import balance
from gbscape.store.provenance import Provenance
from gbscape.store.records import Record, atoms_to_record
from gbscape.store.shards import compute_shard
from gbscape.survey.boundary import read_boundaries
from gbscape.survey.relaxation import relax_boundary


def relax_shard(
    boundaries_csv: str | Path,
    potential_json: str | Path,
    out: str | Path,
    settings: Relaxation,
    shard: int,
    n_shards: int,
    code: str,
) -> None:
    """Relax the boundaries of one shard and write their structures, energies and candidates.

    Which boundary is in which shard follows from the table and `n_shards` alone, balanced by expected cost.

    Args:
        boundaries_csv: table of all boundaries of the survey.
        potential_json: description of the potential, its file beside it.
        out: the shard (.h5): for each boundary its `structure`, `energy_j_m2`, and all `candidates`.
        settings: how boundaries are relaxed.
        shard: number of this shard, from 0.
        n_shards: number of shards of the survey.
        code: hash of the code that computes this.
    """
    boundaries = {b.id: b for b in read_boundaries(boundaries_csv)}
    potential = ReadyPotential.read(potential_json)
    work = relaxation([b.area_a0_squared for b in boundaries.values()], settings).tolist()
    ids = balance(dict(zip(boundaries, work, strict=True)), n_shards)[shard]

    def relax(item: str) -> Record:
        relaxed = relax_boundary(boundaries[item], potential, settings)
        return {
            "structure": atoms_to_record(relaxed.atoms),
            "energy_j_m2": relaxed.energy_j_m2,
            "cohesive_energy_ev": potential.cohesive_energy_ev,
            "converged": relaxed.converged,
            "max_force_ev_angstrom": relaxed.max_force_ev_angstrom,
            "n_candidates": len(relaxed.candidates),
            "kept_candidate": relaxed.kept,
            "candidates": relaxed.candidate_record(),
        }

    inputs = {"boundaries": boundaries_csv, "potential": potential_json}
    provenance = Provenance.of(settings.model_dump(mode="json"), code, inputs, settings.seed)
    compute_shard(out, ids, relax, provenance, what="boundaries relaxed")
