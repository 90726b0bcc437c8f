"""Energies, forces and stress of the structures of a batch by DFT: shards that resume structure by structure, and all together."""

from collections.abc import Sequence
from pathlib import Path

from gbscape.config.dft import TotalEnergyDft
from gbscape.energies.total_energy import total_energy
from gbscape.planning import costs
from gbscape.simulate.snap import LabelledStructure
from gbscape.store.balance import balance
from gbscape.store.provenance import Provenance
from gbscape.store.records import Record, atoms_from_record
from gbscape.store.shards import OnFailure, Shard, compute_shard, gather_shards, open_shard


def compute_energies(
    structures_h5: str | Path,
    out: str | Path,
    shard: int,
    n_shards: int,
    dft: TotalEnergyDft,
    code: str,
    workdir: str | Path,
    stress: bool = False,
) -> None:
    """Compute one shard of a batch's structures.

    Args:
        structures_h5: of `gbscape.alloy.structures` or `gbscape.alloy.unseen`; a record may have its own `kpoint_grid`.
        out: the shard (.h5): each structure's record with `energy_ev`, `forces_ev_angstrom`, maybe `stress_ev_angstrom3`, and how they
            were computed. Structures that fail are listed in it with their reasons.
        shard: its number.
        n_shards: of how many; structures are dealt out by what they cost.
        dft: settings.
        code: hash of the code that computes this.
        workdir: for files of the backend, from which a job that is killed goes on.
        stress: is wanted, too.
    """
    with open_shard(structures_h5) as structures:

        def compute(item: str) -> Record:
            record = structures.read(item)
            grid = record.get("kpoint_grid")
            kpoint_grid = None if grid is None else (int(grid[0]), int(grid[1]), int(grid[2]))
            atoms = atoms_from_record(record["structure"])
            found = total_energy(atoms, dft, Path(workdir) / item, kpoint_grid, stress)
            results = {"energy_ev": found.energy_ev, "forces_ev_angstrom": found.forces_ev_angstrom}
            if found.stress_ev_angstrom3 is not None:
                results["stress_ev_angstrom3"] = found.stress_ev_angstrom3
            return record | results | {"dft": found.provenance}

        provenance = Provenance.of(
            {"dft": dft.model_dump(mode="json", exclude={"ranks"}), "stress": stress},
            code,
            {"structures": structures_h5},
        )
        items = balance(
            {item: costs.structure(structures.value(item, "structure/numbers")) for item in structures.ids}, n_shards
        )[shard]
        compute_shard(out, items, compute, provenance, what="DFT energies")


def gather_energies(
    shards: Sequence[str | Path], structures_h5: str | Path, out: str | Path, on_failure: OnFailure
) -> None:
    """Join the shards of a batch.

    Raises:
        ProvenanceMismatch: the shards were not made alike.
        ShardError: structures are missing, or failed and `on_failure` is "stop".
    """
    with open_shard(structures_h5) as structures:
        expected = list(structures.ids)
    gather_shards(shards, out, expected, on_failure)


def labelled(batch: Shard) -> list[LabelledStructure]:
    """The structures of a gathered batch with their energies and forces."""
    return [
        LabelledStructure(atoms_from_record(record["structure"]), record["energy_ev"], record["forces_ev_angstrom"])
        for _, record in batch
    ]
