"""The cheap potential of a round, fitted to the energies and forces of all batches before."""

from collections.abc import Sequence
from pathlib import Path

from gbscape.alloy.energies import labelled
from gbscape.config.alloy import CheapPotential
from gbscape.simulate.snap import fit_snap
from gbscape.store.shards import open_shard


def fit_cheap_potential(
    batches_h5: Sequence[str | Path], out_json: str | Path, species: tuple[str, str], settings: CheapPotential
) -> None:
    """Fit a potential to gathered batches of structures with energies and forces, and write it."""
    structures = []
    for path in batches_h5:
        with open_shard(path) as batch:
            structures += labelled(batch)
    fit_snap(structures, species, settings).write(out_json)
