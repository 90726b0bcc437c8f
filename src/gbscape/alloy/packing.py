"""Random packings of two species: where amorphous structures begin."""

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, covalent_radii
from numpy.typing import NDArray

from gbscape.config.alloy import AmorphousStructures, Packing

Array = NDArray[np.float64]
_MOST_STEPS = 5000


class PackingError(RuntimeError):
    """Atoms could not be kept apart; the message says in which cell, and what to change."""


def packing_seeds(settings: AmorphousStructures, batch: str) -> dict[str, tuple[float, np.random.SeedSequence]]:
    """Names of a batch's structures, with their concentrations and the seeds of all that is random.

    They depend on nothing but the settings' seed and the names, so that more of them leave those before as they are.
    """
    return {
        f"{batch}_{concentration:g}_{number}": (
            concentration,
            np.random.SeedSequence([settings.seed, *f"{batch}_{concentration:g}_{number}".encode()]),
        )
        for concentration in settings.concentrations
        for number in range(settings.of_each(batch))
    }


def random_packing(
    species: tuple[str, str], concentration: float, settings: Packing, rng: np.random.Generator
) -> Atoms:
    """Atoms at random places of a periodic cube, pushed apart until none are too close.

    Args:
        species: the two.
        concentration: atoms of the first for one of the second; that of the cell is the nearest that whole atoms allow, with one
            at least of each.
        settings: numbers, volumes, distances.
        rng: of the number of atoms, the volume and the places.

    Raises:
        PackingError: they could not be pushed apart.
    """
    n_atoms = int(rng.integers(settings.n_atoms[0], settings.n_atoms[1] + 1))
    second = min(max(round(n_atoms / (1 + concentration)), 1), n_atoms - 1)
    symbols = [species[0]] * (n_atoms - second) + [species[1]] * second
    volume = sum(settings.volume_angstrom3[symbol] for symbol in symbols) * rng.uniform(*settings.volume_range)
    edge = float(volume ** (1 / 3))
    closest = closest_allowed([atomic_numbers[symbol] for symbol in symbols], settings.closest_fraction)
    positions = _pushed_apart(rng.random((n_atoms, 3)) * edge, edge, closest)
    if positions is None:
        raise PackingError(
            f"{n_atoms} atoms of {species[0]}{concentration:g}{species[1]} could not be kept {closest.max():.2f} Angstrom apart in "
            f"a cube of {edge:.2f}: lower structures.packing.closest_fraction or raise structures.packing.volume_angstrom3"
        )
    return Atoms(symbols, positions, cell=[edge] * 3, pbc=True)


def closest_allowed(numbers: list[int] | NDArray[np.integer], fraction: float) -> Array:
    """(n, n) distances in Angstrom, a fraction of the sum of two atoms' covalent radii."""
    radii = covalent_radii[np.asarray(numbers)]
    return fraction * (radii[:, None] + radii)


def are_apart(atoms: Atoms, fraction: float) -> bool:
    """Whether no two atoms are closer than a fraction of the sum of their covalent radii."""
    distances = atoms.get_all_distances(mic=True) + 1e3 * np.eye(len(atoms))
    return bool((distances >= closest_allowed(atoms.numbers, fraction)).all())


def _pushed_apart(positions: Array, edge: float, closest: Array) -> Array | None:
    for _ in range(_MOST_STEPS):
        apart = positions[:, None] - positions
        apart -= edge * np.round(apart / edge)
        distances = np.linalg.norm(apart, axis=-1)
        np.fill_diagonal(distances, np.inf)
        overlap = np.maximum(closest - distances, 0.0)
        if not overlap.any():
            return positions % edge
        # A little more than half of the overlap each, or the last of it would take for ever.
        push = np.where(overlap > 0, 0.3 * overlap + 0.01, 0.0)
        positions = positions + (apart * (push / distances)[..., None]).sum(axis=1)
    return None
