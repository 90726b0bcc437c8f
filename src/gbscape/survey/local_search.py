"""Lower the energy of a relaxed boundary by local moves: displace atoms in a small sphere, remove an atom, insert one.

Displacing a whole boundary at random finds the minima of small cells. In a large one many places would have to come right
at once; moves of one place at a time, kept when the energy falls, mend them one after the other. As the number of atoms
may change, this is a grand-canonical search at zero temperature, in the manner of T. Frolov, D. L. Olmsted, M. Asta, Y.
Mishin, Nature Communications 4, 1899 (2013), and Q. Zhu et al., ibid. 9, 467 (2018), with local moves in place of
molecular dynamics and evolution.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from ase import Atoms

from gbscape.config.survey import LocalSearch
from gbscape.simulate.potentials import ReadyPotential
from gbscape.simulate.session import LammpsError
from gbscape.simulate.slab import FREE, SLIDING, SlabMinimiser, box_around
from gbscape.structure.bicrystal import LEFT, RIGHT
from gbscape.structure.units import EV_PER_ANGSTROM2_IN_J_M2
from gbscape.survey.relaxation import LOWEST_J_M2, excess_energy_j_m2, rigid_ends

Move = Literal["displace", "remove", "insert"]

# arrays of a slab
_THIN, _FULL, _ENDS, _ORIGIN = "layer_of_thin_slab", "layer_of_full_slab", "ends", "given_position"
_FIRST_STEPS, _LAST_STEPS = 60, 250  # of conjugate gradients: for every move, and for those that promise something
_PROMISING_EV = 1.0  # a move this much above the best after its first steps is minimised further
_LOWER_EV = 1e-3  # what counts as lower
_INSERTION_SPREAD_ANGSTROM = 1.2  # standard deviation, along each axis, about the chosen atom
_SPHERE_ANGSTROM = (3.0, 6.5)  # radius of the sphere whose atoms are displaced
_DISPLACEMENTS_ANGSTROM = (0.2, 0.5, 0.8)  # standard deviations along each axis
_NEAR_ANGSTROM = 4.5  # moves are centred on atoms this close to the boundary plane


@dataclass(frozen=True)
class AcceptedMove:
    """A move that lowered the energy."""

    number: int
    """Counted from 1 over all moves tried."""
    kind: Move
    energy_j_m2: float
    """Of the boundary after the move, in the search slab."""


@dataclass(frozen=True)
class ImprovedBoundary:
    """The structure after the local search; the one given where nothing lower was found."""

    atoms: Atoms
    """Slab as it was given (`grain`, `energy_ev`, thickness, cell), with more or fewer atoms at the boundary."""
    energy_j_m2: float
    max_force_ev_angstrom: float | None
    """Largest residual force; None where the structure given is returned."""
    tried: int
    """Number of moves."""
    accepted: tuple[AcceptedMove, ...]

    def record(self, before_j_m2: float) -> dict[str, Any]:
        """The search as plain data: energy before, moves tried, and one entry for each accepted move."""
        return {
            "before_j_m2": before_j_m2,
            "tried": self.tried,
            "accepted": np.array([move.number for move in self.accepted], dtype=int),
            "kinds": [move.kind for move in self.accepted],
            "energies_j_m2": np.array([move.energy_j_m2 for move in self.accepted], dtype=float),
        }


def search_locally(
    start: Atoms,
    potential: ReadyPotential,
    settings: LocalSearch,
    force_tolerance_ev_angstrom: float,
    max_steps: int,
    name: str,
    known_j_m2: float = math.inf,
) -> ImprovedBoundary:
    """Try local moves until none has lowered the energy for long enough. Deterministic.

    Moves are tried in a thin slab with rigid ends; the best structure is then minimised in the slab as given.

    Args:
        start: relaxed slab with the arrays `grain` (1 left, 2 right) and `energy_ev` (per-atom energies, those at its ends as
            of atoms inside a crystal), periodic in y and z.
        potential: the interatomic potential.
        settings: moves and patience.
        force_tolerance_ev_angstrom: largest force on any atom of a converged structure.
        max_steps: conjugate-gradient steps allowed to the last minimisation.
        name: of the boundary; with the seed it decides the moves.
        known_j_m2: energy that some structure of the boundary is known to have; above it the search is more patient.

    Raises:
        LammpsError: the structure given cannot be minimised.
    """
    search = _LocalSearch(start, potential, settings, force_tolerance_ev_angstrom, max_steps, name, known_j_m2)
    return search.run()


class _LocalSearch:
    def __init__(
        self,
        start: Atoms,
        potential: ReadyPotential,
        settings: LocalSearch,
        force_tolerance_ev_angstrom: float,
        max_steps: int,
        name: str,
        known_j_m2: float,
    ) -> None:
        self.start, self.potential, self.settings = start, potential, settings
        self.force_tolerance, self.max_steps = force_tolerance_ev_angstrom, max_steps
        self.periods = start.cell.lengths()[1:]
        self.area = float(self.periods.prod())
        self.energy_j_m2 = self.excess_j_m2(start)
        self.known_j_m2 = known_j_m2
        self.random = np.random.default_rng([settings.seed, *name.encode()])

    def run(self) -> ImprovedBoundary:
        full = self.start.copy()
        full.set_array(_ORIGIN, full.positions.copy())
        # Free atoms keep two cut-offs from the slab's ends, so that all atoms whose energy they change have neighbours on
        # all sides.
        x, cutoff = full.positions[:, 0], self.potential.cutoff_angstrom
        grain = full.arrays["grain"]
        full.set_array(_FULL, rigid_ends(x, grain, x.min() + 2 * cutoff, x.max() - 2 * cutoff))
        full.set_array(_ENDS, (x < x.min() + cutoff) | (x > x.max() - cutoff))
        half = self.settings.half_thickness_angstrom
        thin = np.abs(x) < half + cutoff
        slab = full[thin]
        slab.set_array(_THIN, rigid_ends(x[thin], grain[thin], -half, half))
        best, tried, accepted = self.search(slab)
        if accepted:
            mended = self.between_ends(best, full[~thin])
            with SlabMinimiser(self.potential, *box_around(full)) as minimiser:
                try:
                    mended, force = self.minimised(minimiser, mended, _FULL, self.max_steps)
                except LammpsError:
                    return ImprovedBoundary(self.start, self.energy_j_m2, None, tried, ())
            energy_j_m2 = self.excess_j_m2(mended)
            if energy_j_m2 < self.energy_j_m2:
                return ImprovedBoundary(_as_given(mended), energy_j_m2, force, tried, accepted)
        return ImprovedBoundary(self.start, self.energy_j_m2, None, tried, ())

    def search(self, slab: Atoms) -> tuple[Atoms, int, tuple[AcceptedMove, ...]]:
        """The best thin slab found, the number of moves tried, and those accepted."""
        limit = math.ceil(self.settings.max_moves_per_angstrom2 * self.area)
        lower = _LOWER_EV * EV_PER_ANGSTROM2_IN_J_M2 / self.area
        promising = _PROMISING_EV * EV_PER_ANGSTROM2_IN_J_M2 / self.area
        accepted: list[AcceptedMove] = []
        tried = last = 0
        with SlabMinimiser(self.potential, *box_around(slab)) as minimiser:
            slab, _ = self.minimised(minimiser, slab, _THIN, _LAST_STEPS)
            # Rigid ends raise the energy of the thin slab a little.
            best = self.excess_j_m2(slab)
            offset = self.energy_j_m2 - best
            while tried < limit and tried - last < self.patience(best + offset, bool(accepted)):
                tried += 1
                kind, moved = self.move(slab)
                try:
                    moved, _ = self.minimised(minimiser, moved, _THIN, _FIRST_STEPS)
                    if self.excess_j_m2(moved) < best + promising:
                        moved, _ = self.minimised(minimiser, moved, _THIN, _LAST_STEPS)
                except LammpsError:
                    continue  # an atom was thrown out of the box
                energy = self.excess_j_m2(moved)
                if LOWEST_J_M2 < energy + offset < best + offset - lower:
                    slab, best, last = moved, energy, tried
                    accepted.append(AcceptedMove(tried, kind, energy + offset))
        return slab, tried, tuple(accepted)

    def patience(self, energy_j_m2: float, improved: bool) -> int:
        """Moves without success after which the search ends."""
        settings = self.settings
        per_area = settings.patience_after_success_per_angstrom2 if improved else settings.patience_per_angstrom2
        if energy_j_m2 > self.known_j_m2:
            per_area = max(per_area, settings.patience_above_published_per_angstrom2)
        return math.ceil(per_area * self.area)

    def excess_j_m2(self, slab: Atoms) -> float:
        return excess_energy_j_m2(slab.arrays["energy_ev"], slab, self.potential)

    def move(self, slab: Atoms) -> tuple[Move, Atoms]:
        """A random move about an atom, chosen by its excess energy, near the boundary plane."""
        excess = np.clip(slab.arrays["energy_ev"] - self.potential.cohesive_energy_ev, 1e-6, None)
        excess[(np.abs(slab.positions[:, 0]) > _NEAR_ANGSTROM) | (slab.arrays[_THIN] != FREE)] = 0.0
        chosen = int(self.random.choice(len(slab), p=excess / excess.sum()))
        centre = slab.positions[chosen].copy()
        kinds: Sequence[Move] = ("displace", "remove", "insert")
        weights = [
            1 - self.settings.removals - self.settings.insertions,
            self.settings.removals,
            self.settings.insertions,
        ]
        kind = kinds[int(self.random.choice(3, p=weights))]
        if kind == "remove":
            slab = slab[np.arange(len(slab)) != chosen]
        elif kind == "insert":
            new = slab[[chosen]]
            new.positions += self.random.normal(0.0, _INSERTION_SPREAD_ANGSTROM, 3)
            slab = new + slab
        else:
            slab = slab.copy()
        separation = slab.positions - centre
        separation[:, 1:] -= self.periods * np.round(separation[:, 1:] / self.periods)
        radius = self.random.uniform(*_SPHERE_ANGSTROM)
        inside = (np.linalg.norm(separation, axis=1) < radius) & (slab.arrays[_THIN] == FREE)
        spread = self.random.choice(_DISPLACEMENTS_ANGSTROM)
        slab.positions[inside] += self.random.normal(0.0, spread, (int(inside.sum()), 3))
        return kind, slab

    def minimised(self, minimiser: SlabMinimiser, slab: Atoms, layers: str, steps: int) -> tuple[Atoms, float]:
        """The slab minimised, and the largest force."""
        result = minimiser.minimise(slab.positions, slab.arrays[layers], steps, self.force_tolerance)
        slab = slab.copy()
        slab.positions = result.positions
        # Atoms at the ends of the slab as given lack neighbours here, which they had when their energy was computed.
        slab.arrays["energy_ev"] = np.where(slab.arrays[_ENDS], slab.arrays["energy_ev"], result.energies_ev)
        return slab, result.max_force_ev_angstrom

    def between_ends(self, thin: Atoms, ends: Atoms) -> Atoms:
        """The thin slab between the ends of the full one, the right end displaced as the thin slab's rigid layer."""
        rigid = thin[thin.arrays[_THIN] == SLIDING]
        shift = rigid.positions[0] - rigid.arrays[_ORIGIN][0]
        left, right = ends[ends.arrays["grain"] == LEFT], ends[ends.arrays["grain"] == RIGHT]
        left.positions = left.arrays[_ORIGIN]
        right.positions = right.arrays[_ORIGIN] + shift
        del thin.arrays[_THIN]
        return left + thin + right


def _as_given(slab: Atoms) -> Atoms:
    for name in (_ORIGIN, _FULL, _ENDS):
        del slab.arrays[name]
    return slab
