"""What would make descriptors wrong without a sign of it."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, chemical_symbols
from ase.geometry import complete_cell
from numpy.typing import NDArray

from gbscape.config.soap import SoapParameters
from gbscape.structure.slab_cell import check_slab_cell, periodic_tree

CLOSEST_PAIR_ANGSTROM = 1.0
"""No two atoms of a relaxed metal are this close: such a pair is one atom stored twice, or an overlap left in."""
COINCIDENCE_ANGSTROM = 1e-3
"""Atoms nearer than this are one atom stored twice; the direction from one to the other means nothing."""


def check_slab(atoms: Atoms) -> None:
    """Refuse a slab that the descriptors cannot stand for.

    Raises:
        ValueError: not a slab (see `check_slab_cell`), not of one species, or with atoms that (nearly) coincide.
    """
    check_slab_cell(atoms)
    species = sorted(set(atoms.get_chemical_symbols()))
    if len(species) != 1:
        raise ValueError(f"the descriptors are for one species, the slab has {', '.join(species) or 'no atoms'}")
    distance, first, second = closest_pair(atoms)
    if distance < CLOSEST_PAIR_ANGSTROM:
        raise ValueError(
            f"atoms {first} and {second} are {distance:.3g} Angstrom apart; the least that is taken for two atoms is "
            f"{CLOSEST_PAIR_ANGSTROM:g}"
        )


def check_mask(atoms: Atoms, mask: NDArray[np.bool_]) -> None:
    """Refuse a selection that is not one truth value per atom, or selects none.

    Raises:
        ValueError: wrong type, wrong length, nothing selected.
    """
    if mask.dtype != np.bool_ or mask.shape != (len(atoms),):
        raise ValueError(f"the selection must be bool of shape ({len(atoms)},), got {mask.dtype} of shape {mask.shape}")
    if not mask.any():
        raise ValueError("the selection holds no atom")


def check_surroundings(atoms: Atoms, centres: NDArray[np.int_], cutoff_angstrom: float) -> None:
    """Refuse centres whose neighbourhood sticks out of a free surface, where it would see vacuum.

    Raises:
        ValueError: with the thickness of slab that is needed.
    """
    x = atoms.positions[:, 0]
    low, high = x[centres].min() - cutoff_angstrom, x[centres].max() + cutoff_angstrom
    if low < x.min() or high > x.max():
        raise ValueError(
            f"the neighbourhoods (cut-off {cutoff_angstrom:g} Angstrom) of the selected atoms, at x from "
            f"{x[centres].min():.1f} to {x[centres].max():.1f} Angstrom, reach beyond the slab's atoms, at x from "
            f"{x.min():.1f} to {x.max():.1f}: they would see vacuum. Build a slab with atoms from {low:.1f} to {high:.1f} "
            f"Angstrom (half_thickness_angstrom of at least {max(-low, high):.1f}), or choose a smaller cut-off"
        )


def closest_pair(atoms: Atoms) -> tuple[float, int, int]:
    """Smallest distance between two atoms, in Angstrom, images in y and z included, and their indices.

    An atom's own images are left out: they are a period away.
    """
    if len(atoms) < 2:
        return np.inf, 0, 0
    tree = periodic_tree(atoms)
    distances, neighbours = tree.query(tree.data, k=2)
    # Coinciding atoms may come in either order, so the neighbour is whichever of the two is not the atom itself.
    first = int(distances[:, 1].argmin())
    second = int(next(j for j in neighbours[first] if j != first))
    return float(distances[first, 1]), first, second


def neighbour_species(atoms: Atoms, parameters: SoapParameters) -> tuple[str, ...]:
    """The species that count as neighbours: those of the parameters, or the only one that the structure has.

    Raises:
        ValueError: several species, or none, where the parameters name none; a symbol that no element has.
    """
    if parameters.neighbour_species is not None:
        unknown = [symbol for symbol in parameters.neighbour_species if symbol not in atomic_numbers]
        if unknown:
            raise ValueError(f"neighbour_species: no element has the symbol {', '.join(unknown)}")
        return parameters.neighbour_species
    species = [chemical_symbols[number] for number in np.unique(atoms.numbers)]
    if len(species) != 1:
        raise ValueError(
            f"the structure has {', '.join(sorted(species)) or 'no atoms'}: neighbour_species must say which count as "
            "neighbours"
        )
    return (species[0],)


def neighbour_channels(atoms: Atoms, species: Sequence[str]) -> NDArray[np.int8]:
    """Number (n,) of each atom's species among those of the neighbours, -1 for others."""
    channels = np.full(len(atoms), -1, dtype=np.int8)
    for channel, symbol in enumerate(species):
        channels[atoms.numbers == atomic_numbers[symbol]] = channel
    return channels


def periodic_cell(atoms: Atoms) -> NDArray[np.float64]:
    """Cell (3, 3) with the periods as rows, and unit vectors perpendicular to them for directions that have none.

    Raises:
        ValueError: a periodic direction without a period, or periods that are linearly dependent.
    """
    periods = np.where(atoms.pbc[:, None], atoms.cell.array, 0.0)
    cell = np.asarray(complete_cell(periods), dtype=np.float64)
    lengths = np.linalg.norm(periods, axis=1)
    if (
        not np.isfinite(periods).all()
        or (lengths[atoms.pbc] == 0).any()
        or abs(np.linalg.det(cell)) <= 1e-9 * np.prod(np.linalg.norm(cell, axis=1))
    ):
        raise ValueError(
            f"the directions that are periodic (pbc {tuple(map(bool, atoms.pbc))}) need linearly independent cell vectors; "
            f"the cell is {atoms.cell.array.tolist()}"
        )
    return cell
