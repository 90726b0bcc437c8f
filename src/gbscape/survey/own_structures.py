"""Relaxed slabs from files of the user's own, in place of enumeration and relaxation."""

import math
from pathlib import Path

import ase.io
import pandas as pd
from ase import Atoms

from gbscape.config.survey import BoundaryAtoms, Lattice
from gbscape.features.checks import check_slab
from gbscape.store.provenance import Provenance
from gbscape.store.records import Record, atoms_to_record
from gbscape.store.shards import OnFailure, compute_shard, open_shard
from gbscape.store.tables import write_csv
from gbscape.structure.boundary_atoms import select_boundary_atoms

_KEPT_ARRAYS = ("grain", "energy_ev")


def import_structures(
    folder: str | Path,
    out: str | Path,
    failures_tsv: str | Path,
    lattice: Lattice,
    code: str,
    on_failure: OnFailure = "stop",
) -> None:
    """Read every structure file of `folder` into a survey; the file name without its ending is the id.

    Slabs are shifted along x so that the boundary lies at x = 0. A positive `energy_j_m2` of an extended XYZ's comment
    line is taken over as the boundary's energy, and so are the arrays `grain` and `energy_ev`.

    Args:
        folder: files of any format that ASE reads; files whose names begin with a dot are left out.
        out: survey (.h5), as the gathered relaxations.
        failures_tsv: which files could not be used, and why.
        lattice: lattice of the grains.
        code: hash of the code that computes this.
        on_failure: see `compute_shard`.

    Raises:
        ValueError: no files, or two files of one name.
        ShardError: files could not be used, and `on_failure` is "stop".
    """
    files = sorted(p for p in Path(folder).iterdir() if p.is_file() and not p.name.startswith("."))
    if not files:
        raise ValueError(f"{folder} holds no structure files")
    by_id = {path.stem: path for path in files}
    if len(by_id) < len(files):
        twice = sorted(str(p) for p in files if by_id[p.stem] != p)
        raise ValueError(f"files of {folder} differ in nothing but their endings: {', '.join(twice)}")
    provenance = Provenance.of({"lattice": lattice}, code, inputs={path.name: path for path in files})
    compute_shard(out, list(by_id), lambda item: _read(by_id[item], lattice), provenance, on_failure, "structures read")
    with open_shard(out) as survey:
        failures = pd.DataFrame(sorted(survey.failures.items()), columns=["id", "reason"])
    write_csv(failures_tsv, failures)


def _read(path: Path, lattice: Lattice) -> Record:
    atoms = ase.io.read(path)
    assert isinstance(atoms, Atoms)  # one structure, the last, is what ASE reads unless told otherwise
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
