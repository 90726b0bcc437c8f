"""The survey's structures as files that OVITO, ASE and ParaView users open."""

import shutil
from pathlib import Path

import ase.io

from gbscape.store.progress import progress
from gbscape.store.records import atoms_from_record
from gbscape.store.shards import open_shard


def export_structures(survey_h5: str | Path, folder: str | Path) -> None:
    """Write every relaxed boundary as extended XYZ, `<folder>/<id>.xyz`.

    Columns: species, position (Angstrom), grain (1 left, 2 right), energy_ev, boundary (T for boundary atoms),
    structure_type (as OVITO: 0 other, 1 fcc, 2 hcp, 3 bcc). The comment line has `energy_j_m2`.
    """
    folder = Path(folder)
    temporary = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    with open_shard(survey_h5) as survey:
        for item, record in progress(survey, len(survey.ids), "structures written"):
            atoms = atoms_from_record(record["structure"])
            atoms.info = {"id": item} | {k: record[k] for k in ("energy_j_m2",) if k in record}
            ase.io.write(temporary / f"{item}.xyz", atoms, format="extxyz")
    shutil.rmtree(folder, ignore_errors=True)
    temporary.rename(folder)
