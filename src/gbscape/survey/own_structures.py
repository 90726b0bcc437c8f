"""Relaxed slabs from files of the user's own, in place of enumeration and relaxation."""

import math
from collections.abc import Sequence
from pathlib import Path

from gbscape.config.survey import BoundaryAtoms, Lattice
from gbscape.features.checks import check_slab
from gbscape.store.provenance import Provenance
from gbscape.store.records import Record, atoms_to_record
from gbscape.store.shards import OnFailure, check_failures, compute_shard
from gbscape.structure.boundary_atoms import select_boundary_atoms
from gbscape.structure.structure_file import read_structure

_KEPT_ARRAYS = ("grain", "energy_ev")


def import_structures(
    files: Sequence[str | Path],
    out: str | Path,
    lattice: Lattice,
    code: str,
    on_failure: OnFailure = "stop",
) -> None:
    """Read structure files into a survey; the file name without its ending is the id.

    Slabs are shifted along x so that the boundary lies at x = 0. A positive `energy_j_m2` of an extended XYZ's comment
    line is taken over as the boundary's energy, and so are the arrays `grain` and `energy_ev`.

    Args:
        files: any plain format that ASE reads and that stores periodicity; one slab each.
        out: survey (.h5), as the gathered relaxations.
        lattice: lattice of the grains.
        code: hash of the code that computes this.
        on_failure: what happens when files cannot be used.

    Raises:
        ValueError: no files, or two files of one name.
        ShardError: files could not be used, and `on_failure` is "stop".
    """
    if not files:
        raise ValueError("there are no structure files")
    by_id = {Path(path).stem: Path(path) for path in files}
    if len(by_id) < len(files):
        twice = sorted(str(p) for p in files if by_id[Path(p).stem] != Path(p))
        raise ValueError(f"structure files differ in nothing but their endings: {', '.join(twice)}")
    provenance = Provenance.of({"lattice": lattice}, code, inputs={path.name: path for path in by_id.values()})
    failures = compute_shard(out, list(by_id), lambda item: _read(by_id[item], lattice), provenance, "structures read")
    check_failures(failures, "run again", on_failure)


def _read(path: Path, lattice: Lattice) -> Record:
    atoms = read_structure(path)
    for name in set(atoms.arrays) - {"numbers", "positions", *_KEPT_ARRAYS}:
        del atoms.arrays[name]
    check_slab(atoms)
    boundary = select_boundary_atoms(atoms, BoundaryAtoms(buffer_angstrom=0.0), lattice).mask
    atoms.positions[:, 0] -= atoms.positions[boundary, 0].mean()
    record: dict[str, object] = {"structure": atoms_to_record(atoms)}
    if "energy_j_m2" in atoms.info:
        energy = float(atoms.info["energy_j_m2"])
        if not (math.isfinite(energy) and energy > 0):
            raise ValueError(f"energy_j_m2 = {energy} in {path.name}; it must be positive")
        record["energy_j_m2"] = energy
    return record
