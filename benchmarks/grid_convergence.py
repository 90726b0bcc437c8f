"""How far vectors of scattering by orbitals are from those of a fine grid: `python benchmarks/grid_convergence.py [--cells N]`.

Prints the table of docs/alloy.md. Differences are in units of what the cells differ by: root mean square over the cells of the
difference from the fine grid, divided by the standard deviation over the cells, of each number; those that are the same of all cells
are left out.
"""

import argparse
from pathlib import Path

import ase.io
import numpy as np

from gbscape.config.orbital_scattering import OrbitalScattering
from gbscape.features.orbital_scattering import feature_names, orbital_scattering
from gbscape.store.progress import progress

DATASET = Path(__file__).resolve().parent.parent / "resources" / "lisi" / "dataset.xyz"
SPACINGS_ANGSTROM = (0.4, 0.35, 0.3, 0.25, 0.2)
FINE_ANGSTROM = 0.12
SAME = 1e-9
"""Relative deviation of a number that differs by rounding only."""
SPECIES = ("Li", "Si")
ORDERS = ("zeroth", "first", "second")


def vectors(cells: list[ase.Atoms], spacing_angstrom: float) -> np.ndarray:
    """(n, d) of all cells on one grid."""
    settings = OrbitalScattering(spacing_angstrom=spacing_angstrom)
    its = progress(cells, len(cells), f"cells at {spacing_angstrom:g} Angstrom")
    return np.array([orbital_scattering(cell, SPECIES, settings) for cell in its])


def order_of(name: str) -> str:
    """Order of a feature, by the number of orbitals in its name."""
    return ORDERS[name.count("@")]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=10, help="of the dataset, evenly taken")
    frames = ase.io.read(DATASET, ":")
    n = parser.parse_args().cells
    cells = [frames[i] for i in np.linspace(0, len(frames) - 1, n).astype(int)]
    fine = vectors(cells, FINE_ANGSTROM)
    orders = np.array([order_of(name) for name in feature_names(SPECIES, OrbitalScattering())])
    varies = fine.std(axis=0) > SAME * np.abs(fine).mean(axis=0)
    columns = [f"{order}, {which}" for order in ORDERS for which in ("median", "99 %")]
    print(f"| grid (Å) | {' | '.join(columns)} |")
    print("|---" * (len(columns) + 1) + "|")
    for spacing in SPACINGS_ANGSTROM:
        difference = np.sqrt(((vectors(cells, spacing) - fine) ** 2).mean(axis=0))
        off = {order: (difference / fine.std(axis=0))[varies & (orders == order)] for order in ORDERS}
        cell = [f"{np.percentile(off[order], share):.1g}" for order in ORDERS for share in (50, 99)]
        print(f"| {spacing:g} | {' | '.join(cell)} |", flush=True)
