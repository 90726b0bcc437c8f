"""Mark the boundary atoms of every relaxed boundary of the survey."""

from pathlib import Path

from gbscape.config.survey import BoundaryAtoms, Lattice
from gbscape.store.provenance import Provenance
from gbscape.store.records import Record, atoms_from_record, atoms_to_record
from gbscape.store.shards import OnFailure, check_failures, compute_shard, open_shard
from gbscape.structure.boundary_atoms import select_boundary_atoms


def select_survey_atoms(
    survey_h5: str | Path,
    out: str | Path,
    settings: BoundaryAtoms,
    lattice: Lattice,
    code: str,
    on_failure: OnFailure = "stop",
) -> None:
    """Add to every structure of a gathered survey the arrays `boundary` (bool) and `structure_type` (int, as OVITO).

    The candidates' record and structures before a local search stay behind in `survey_h5`; everything else is carried over.

    Raises:
        ShardError: boundaries failed, and `on_failure` is "stop".
    """
    with open_shard(survey_h5) as survey:

        def select(item: str) -> Record:
            record = survey.read(item)
            record.pop("candidates", None)  # structures of one's own have none
            record.get("local_search", {}).pop("structure_before", None)
            return record | {"structure": marked_structure(record["structure"], settings, lattice)}

        provenance = Provenance.of(settings.model_dump(mode="json"), code, inputs={"survey": survey_h5})
        failures = compute_shard(out, survey.ids, select, provenance, what="boundaries selected")
    check_failures(failures, "run again", on_failure)


def marked_structure(structure: Record, settings: BoundaryAtoms, lattice: Lattice | None) -> Record:
    """The record of a structure with the arrays `boundary` (bool) and `structure_type` (int, as OVITO)."""
    atoms = atoms_from_record(structure)
    selection = select_boundary_atoms(atoms, settings, lattice)
    atoms.set_array("boundary", selection.mask)
    atoms.set_array("structure_type", selection.structure_type)
    return atoms_to_record(atoms)
