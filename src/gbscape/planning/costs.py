"""Work of one item of each step that is cut into shards, in units of which the rates are measured (resources/costs.csv).

Work follows from the item and the settings alone, never from measured rates: what a shard holds does not depend on where or
when it was planned. Only what a step's shards differ in matters for their balance; the rest makes rates of one run good for
others with other settings.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gbscape.config.dft import DftSettings
from gbscape.config.survey import LocalSearch, Relaxation
from gbscape.energies.valence import valence_electrons

Array = NDArray[np.float64]

_AREA_OF_A_STEP_A0 = 12.5  # measured: a step takes the time of this area, in a0^2, plus that of the boundary
_A0_ANGSTROM = 3.5  # of a typical metal, where settings in Angstrom meet areas in a0^2 and only ratios matter
_CUTOFF_ANGSTROM = 5.5  # of a typical potential, by which slabs are thicker than what relaxes of them
_FINAL_STEPS = 500  # that a finalist takes, unless allowed fewer
_MOVE_STEPS = 100  # of a local move, of which few are minimised further
_PASSES_AS_ATOMS = (
    0.87  # measured: a pass of the network through a box takes as long as describing so many of its atoms
)
_REFERENCE_CUTOFF_EV = 400.0


def relaxation_candidates(settings: Relaxation) -> dict[str, float]:
    """Candidates of a typical boundary by where they come from: grid of displacements, refinement, shaking, annealing."""
    at_each = settings.max_overlap_cutoffs * len(settings.removals)
    grid = (settings.min_translations + settings.max_translations) / 2
    shaken = settings.shake_best * (len(settings.shaking_angstrom) + settings.vacancies)
    return {
        "grid": grid * at_each,
        "refined": settings.refine_rounds * settings.refine_best * 8 * at_each,
        "shaken": settings.shaking_rounds * shaken,
        "annealed": settings.annealing_rounds * settings.anneal_best * len(settings.annealing_kelvin),
    }


def relaxation(area_a0_squared: ArrayLike, settings: Relaxation) -> Array:
    """Work of relaxing boundaries: steps of all its candidates x area (with an offset for what every step costs), in 1e6 a0^2.

    Args:
        area_a0_squared: (n,) areas of their periodic cells, in a0^2.
        settings: how they are relaxed.
    """
    candidates, stages = relaxation_candidates(settings), settings.stage_steps
    thickness = settings.search_half_thickness_angstrom + _CUTOFF_ANGSTROM
    steps = candidates["annealed"] * (settings.annealing_steps + sum(stages))
    for source in ("grid", "refined", "shaken"):
        # What is shaken goes through the first two stages at once.
        merged = (sum(stages[:2]), *stages[2:]) if source == "shaken" else stages
        contenders = candidates[source]
        for stage in merged:
            steps += contenders * stage
            contenders = min(contenders, max(settings.keep_at_least, contenders * settings.keep_fraction))
    full = (settings.half_thickness_angstrom + 2 * _CUTOFF_ANGSTROM) / thickness
    steps += settings.finalists * min(settings.max_steps, _FINAL_STEPS) * full
    scale = thickness / 19.5  # of the slab with the default thickness
    return 1e-6 * steps * scale * (_AREA_OF_A_STEP_A0 + _array(area_a0_squared))


def local_search(area_angstrom2: ArrayLike, settings: LocalSearch, above: ArrayLike = False) -> Array:
    """Work of improving boundaries by local moves, whose number and cost each grow with the area: steps x area, in 1e6 A^2.

    Args:
        area_angstrom2: (n,) of the slabs, in which periods may be repeated.
        settings: of the search.
        above: (n,) whether the energy is above the published one, for which the search has more patience.
    """
    area = _array(area_angstrom2)
    least = settings.patience_per_angstrom2
    patience = np.where(above, max(least, settings.patience_above_published_per_angstrom2), least)
    moves = np.maximum(1.0, patience * area)
    return 1e-6 * _MOVE_STEPS * moves * (_AREA_OF_A_STEP_A0 * _A0_ANGSTROM**2 + area)


def description(boundary_atoms: ArrayLike) -> Array:
    """Work of describing boundaries or snapshots: their boundary atoms (n,), one at least."""
    return np.maximum(_array(boundary_atoms), 1.0)


def boxes(n_atoms: ArrayLike, passes: int, fewest_atoms: int) -> NDArray[np.int64]:
    """Work of classifying boxes, as atoms: those that are described and, for the network's passes, the equivalent number.

    Args:
        n_atoms: (n,) atoms of each box.
        passes: of the network, for each box.
        fewest_atoms: boxes with fewer are not classified, and cost next to nothing.

    Returns:
        (n,) whole numbers, at least 1.
    """
    atoms = np.asarray(n_atoms, dtype=np.int64).ravel()
    return np.where(atoms < fewest_atoms, 1, atoms + round(_PASSES_AS_ATOMS * passes))


def crystal_class(atoms_of_hosts: Sequence[int], n_species: int) -> float:
    """Work of describing one class: the atoms of its structures, for every species."""
    return float(n_species * sum(atoms_of_hosts))


def cell(n_atoms: float, backend: str, dft: DftSettings, electrons_per_atom: float = 8.0) -> float:
    """Work of the energy of one replica cell: with a potential its atoms; with DFT its valence electrons, cubed, in units of 256.

    Args:
        n_atoms: of the cell.
        backend: `eam`, `tblite` or `gpaw`.
        dft: whose cut-off and k-points count.
        electrons_per_atom: valence electrons; 8 of iron.
    """
    if backend == "eam":
        return n_atoms
    electrons = (n_atoms * electrons_per_atom / 256) ** 3
    if backend == "tblite":
        return electrons
    points = math.prod(dft.kpoint_grid) / 2 if dft.kpoint_grid else 1  # time reversal halves them
    return electrons * (dft.cutoff_ev / _REFERENCE_CUTOFF_EV) ** 1.5 * max(points, 1)


def structure(numbers: ArrayLike) -> float:
    """Work of energy, forces and stress of a cell by DFT: what its valence electrons take, and what any cell takes.

    Args:
        numbers: (n,) atomic numbers.
    """
    return self_consistent_cycle(sum(valence_electrons(int(number)) for number in np.asarray(numbers)))


def self_consistent_cycle(electrons: float) -> float:
    """Work of a cell of so many valence electrons: their number, cubed, in units of 100, and half of one for the start."""
    return (electrons / 100) ** 3 + 0.5


def _array(values: ArrayLike) -> Array:
    return np.asarray(values, dtype=np.float64)
