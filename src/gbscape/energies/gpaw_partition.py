"""Partition of the energy of a finished self-consistent cycle: a process of its own, without MPI, started by
`gbscape.energies.gpaw_backend`.

`python -m gbscape.energies.gpaw_partition WAVES.gpw OUT.json KEY VOLUMES REFINEMENT [REFINEMENT]`
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from gbscape.energies.energy_density import Partition, energy_density, partition


def main(waves_gpw: str, out_json: str, key: str, volumes: Any, *refinements: str) -> None:
    """Write the partitions on grids of each refinement, with `key`."""
    from gpaw.new.ase_interface import GPAW

    start = time.monotonic()
    density = energy_density(GPAW(waves_gpw).dft)
    found = [_as_lists(partition(density, volumes, int(refinement))) for refinement in refinements]
    result = {"key": key, "partitions": found, "seconds": time.monotonic() - start}
    Path(out_json).write_text(json.dumps(result), encoding="utf-8")


def _as_lists(its: Partition) -> dict[str, Any]:
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in vars(its).items()}


if __name__ == "__main__":
    main(*sys.argv[1:])
