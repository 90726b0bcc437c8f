"""All snapshots in one file, in the form of the gathered survey: join, read, export."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import ase.io
from ase import Atoms

from gbscape.snapshots.trajectory import snapshot_id
from gbscape.store.atomic import atomic_path
from gbscape.store.progress import progress
from gbscape.store.records import atoms_from_record
from gbscape.store.shards import gather_shards, open_shard


@dataclass(frozen=True)
class Snapshot:
    """One moment of the run."""

    id: str
    time_ps: float
    """Since the end of the equilibration."""
    energy_j_m2: float
    """Of the boundary atoms, see `gbscape.snapshots.energy.boundary_energy_j_m2`."""
    temperature_kelvin: float
    """Kinetic temperature of the free atoms at this moment."""
    atoms: Atoms
    """Slab with the arrays `boundary` (bool, the same atoms in every snapshot) and `energy_ev`; `grain` if the survey has it."""


def gather_segments(segments: Sequence[str | Path], out: str | Path, n_snapshots: int) -> None:
    """Join the shards of all segments, snapshots in the order of time.

    Raises:
        ProvenanceMismatch: segments were made from different settings, inputs or code.
        ShardError: a snapshot is missing.
    """
    gather_shards(segments, out, [snapshot_id(number) for number in range(1, n_snapshots + 1)], all_needed=True)


def read_snapshots(snapshots_h5: str | Path, ids: Sequence[str] | None = None) -> Iterator[Snapshot]:
    """Yield the snapshots of a gathered file in the order of `ids`, or all in the order of time; one in memory at a time.

    Raises:
        ShardError: the file is damaged or of another kind.
        KeyError: there is no such snapshot.
    """
    with open_shard(snapshots_h5) as shard:
        for item in shard.ids if ids is None else ids:
            record = shard.read(item)
            yield Snapshot(
                item,
                record["time_ps"],
                record["energy_j_m2"],
                record["temperature_kelvin"],
                atoms_from_record(record["structure"]),
            )


def export_trajectory(snapshots_h5: str | Path, out: str | Path) -> None:
    """Write all snapshots into one extended XYZ file, a trajectory that OVITO and ASE open.

    Columns: species, position (Angstrom), grain (where the survey has it), boundary (T for boundary atoms), energy_ev. The
    comment lines have `id`, `time_ps`, `energy_j_m2` and `temperature_kelvin`.
    """
    with open_shard(snapshots_h5) as shard:
        total = len(shard.ids)
    with atomic_path(out) as temporary, temporary.open("w") as file:
        for snapshot in progress(read_snapshots(snapshots_h5), total, "snapshots written"):
            atoms = snapshot.atoms
            atoms.info = {
                "id": snapshot.id,
                "time_ps": snapshot.time_ps,
                "energy_j_m2": snapshot.energy_j_m2,
                "temperature_kelvin": snapshot.temperature_kelvin,
            }
            ase.io.write(file, atoms, format="extxyz")
