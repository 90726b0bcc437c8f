"""Lowest-energy structure of one boundary: many cheap trials in a thin slab of one period or a few, few full minimisations.

As in M. A. Tschopp and D. L. McDowell, Philosophical Magazine 87, 3147 (2007), and D. L. Olmsted, S. M. Foiles, E. A. Holm,
Acta Materialia 57, 3694 (2009), one grain is displaced, atoms that are too close are removed, and the slab is minimised.
Here displacements are sampled only where they are distinct, and poor candidates are given up early. The best are then
displaced more finely, shaken, deprived of an atom, and annealed, which finds minima that no displacement leads to.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from gbscape.config.survey import Relaxation
from gbscape.simulate.potentials import ReadyPotential
from gbscape.simulate.session import LammpsError
from gbscape.simulate.slab import FIXED, FREE, ROOM_ANGSTROM, SLIDING, SlabMinimiser
from gbscape.structure.bicrystal import (
    LEFT,
    RIGHT,
    BoundaryGeometry,
    Removal,
    build_bicrystal,
    distinct_translations_cell_angstrom,
    overlapping_pairs,
    remove_overlaps,
    repeat_in_plane,
)
from gbscape.structure.units import EV_PER_ANGSTROM2_IN_J_M2

_SAME_ENERGY_J_M2 = 5e-4  # candidates this close in energy are taken for one structure
_SHAKEN_DEPTH_ANGSTROM = 6.0  # atoms this close to the boundary plane are shaken
_VACANCY_CHOICE = 8  # atoms of highest energy from which one is removed
_LARGEST_LAMMPS_SEED = 900_000_000
_SEED_OFFSET = 2**31  # makes indices of either sign a seed
_START = "x_before_angstrom"  # array of a slab: where its atoms were before minimisation
LOWEST_J_M2 = -0.01  # a boundary cannot be lower than the perfect crystal


class RelaxationError(RuntimeError):
    """No structure of a boundary could be found."""


@dataclass
class Candidate:
    """One trial structure and what became of it."""

    translation_angstrom: NDArray[np.float64]
    """(2,) displacement of the right grain along y and z before minimisation."""
    overlap_cutoff_angstrom: float
    removal: Removal
    removed_atoms: int
    """Atoms removed from the search slab."""
    search_slab: Atoms = field(repr=False)
    shaken_angstrom: float = 0.0
    """Random displacement of the atoms of an earlier candidate from which it was minimised; 0 for none."""
    annealed_kelvin: float = 0.0
    """Temperature from which the candidate was annealed before minimisation; 0 for none."""
    energies_j_m2: list[float] = field(default_factory=list)
    """Energy after each stage of the search that the candidate reached."""
    finished: bool = False
    """Whether the candidate went through the whole search."""
    final_energy_j_m2: float | None = None
    """Energy in the full slab, of finalists."""
    failure: str = ""
    """Why LAMMPS gave up, if it did."""

    @property
    def energy_j_m2(self) -> float:
        """The latest energy; infinite for a failed candidate."""
        if self.failure or not self.energies_j_m2:
            return math.inf
        return self.energies_j_m2[-1] if self.final_energy_j_m2 is None else self.final_energy_j_m2


@dataclass(frozen=True)
class RelaxedBoundary:
    """The lowest-energy structure found, and every candidate that was tried."""

    atoms: Atoms
    """Full slab with the arrays `grain` (1 left, 2 right) and `energy_ev`; ends within the potential's cut-off of the
    free surfaces are cut away."""
    energy_j_m2: float
    converged: bool
    """Whether every residual force is within the tolerance."""
    max_force_ev_angstrom: float
    kept: int
    """Index of the candidate that gave the result."""
    candidates: tuple[Candidate, ...]

    def candidate_record(self) -> dict[str, Any]:
        """All candidates as arrays, one row each, every number finite.

        `search_energy_j_m2` is flat: the energies of candidate i are the `stages_reached[i]` values after those of the
        candidates before it. `final_energy_j_m2` holds one value for each True of `finalist`.
        """
        tried = self.candidates
        return {
            "translation_angstrom": np.array([c.translation_angstrom for c in tried]),
            "overlap_cutoff_angstrom": np.array([c.overlap_cutoff_angstrom for c in tried]),
            "removal": [c.removal for c in tried],
            "removed_atoms": np.array([c.removed_atoms for c in tried]),
            "shaken_angstrom": np.array([c.shaken_angstrom for c in tried]),
            "annealed_kelvin": np.array([c.annealed_kelvin for c in tried]),
            "stages_reached": np.array([len(c.energies_j_m2) for c in tried]),
            "search_energy_j_m2": np.array([energy for c in tried for energy in c.energies_j_m2]),
            "finalist": np.array([c.final_energy_j_m2 is not None for c in tried]),
            "final_energy_j_m2": np.array([c.final_energy_j_m2 for c in tried if c.final_energy_j_m2 is not None]),
            "failure": [c.failure for c in tried],
        }


def relax_boundary(boundary: BoundaryGeometry, potential: ReadyPotential, settings: Relaxation) -> RelaxedBoundary:
    """Find the lowest-energy structure of a boundary. Deterministic.

    The energy is the excess over the perfect crystal of the atoms further than the potential's cut-off from the free
    surfaces, per area.

    Raises:
        RelaxationError: every candidate failed; the message holds the first failure.
        ValueError: the boundary's rows do not describe a periodic bicrystal.
    """
    search = _Search(boundary, potential, settings)
    candidates = search.run()
    finalists = _distinct(search.finished(candidates))[: settings.finalists]
    if not finalists:
        failures = [c.failure for c in candidates if c.failure]
        raise RelaxationError(
            f"all {len(candidates)} candidates of the boundary {boundary.left} | {boundary.right} failed, the first with: "
            f"{failures[0] if failures else 'no candidate'}"
        )
    best: tuple[float, Atoms, float, Candidate] | None = None
    for candidate in finalists:
        try:
            atoms, energy, force = search.final(candidate)
        except LammpsError as error:
            candidate.failure = str(error)
            continue
        candidate.final_energy_j_m2 = energy
        if best is None or energy < best[0]:
            best = (energy, atoms, force, candidate)
    if best is None:
        raise RelaxationError(
            f"every finalist of the boundary {boundary.left} | {boundary.right} failed in the full slab"
        )
    energy, atoms, force, candidate = best
    return RelaxedBoundary(
        atoms=atoms,
        energy_j_m2=energy,
        converged=force <= settings.force_tolerance_ev_angstrom,
        max_force_ev_angstrom=force,
        kept=next(index for index, other in enumerate(candidates) if other is candidate),
        candidates=tuple(candidates),
    )


class _Search:
    """One boundary's trial structures, sharing a LAMMPS instance."""

    def __init__(self, boundary: BoundaryGeometry, potential: ReadyPotential, settings: Relaxation) -> None:
        self.boundary, self.potential, self.settings = boundary, potential, settings
        self.search_half = settings.search_half_thickness_angstrom + potential.cutoff_angstrom
        # Atoms of an embedded-atom crystal feel their neighbours' neighbours: with twice the cut-off, no atom that
        # relaxes feels the free surface.
        self.full_half = settings.half_thickness_angstrom + 2 * potential.cutoff_angstrom
        self.ends: float | None = None
        self.seen: set[tuple[Any, ...]] = set()
        rows = [index + _SEED_OFFSET for grain in (boundary.left, boundary.right) for row in grain for index in row]
        self.random = np.random.default_rng([settings.seed, *rows])

    def run(self) -> list[Candidate]:
        """All candidates, minimised as far as the search took them."""
        settings = self.settings
        edges, translations, spacing = self.coarse_grid()
        candidates = self.candidates_at(translations)
        periods = self.slab(self.search_half, np.zeros(2)).cell.lengths()[1:]
        with SlabMinimiser(self.potential, self.search_half + ROOM_ANGSTROM, (periods[0], periods[1])) as minimiser:
            self.successive_halving(minimiser, candidates, settings.stage_steps)
            for _ in range(settings.refine_rounds):
                spacing = spacing / 2
                around = _distinct(self.finished(candidates))[: settings.refine_best]
                finer: list[Candidate] = []
                for candidate in around:
                    steps = [
                        i * spacing[0] * edges[0] + j * spacing[1] * edges[1] for i in (-1, 0, 1) for j in (-1, 0, 1)
                    ]
                    finer += self.candidates_at([candidate.translation_angstrom + step for step in steps if step.any()])
                self.successive_halving(minimiser, finer, settings.stage_steps)
                candidates += finer
            for _ in range(settings.shaking_rounds):
                shaken = [
                    self.shaken(candidate, displacement)
                    for candidate in self.starts(candidates, settings.shake_best)
                    for displacement in settings.shaking_angstrom
                ]
                for candidate in self.starts(candidates, settings.shake_best):
                    shaken += self.with_vacancy(candidate, settings.vacancies)
                # What was shaken starts from high energies, so that the first stage would tell nothing.
                self.successive_halving(minimiser, shaken, _merged_first_stages(settings.stage_steps))
                candidates += shaken
            for _ in range(settings.annealing_rounds):
                candidates += [
                    self.annealed(minimiser, candidate, kelvin)
                    for candidate in self.starts(candidates, settings.anneal_best)
                    for kelvin in settings.annealing_kelvin
                ]
        return candidates

    def finished(self, candidates: list[Candidate]) -> list[Candidate]:
        """Ranked candidates that went through every stage or were annealed; all that have an energy if there are none."""
        ranked = _ranked(candidates)
        return [c for c in ranked if c.finished] or ranked

    def starts(self, candidates: list[Candidate], number: int) -> list[Candidate]:
        """The best distinct candidates to go on from, over again until there are `number`; none if all failed."""
        distinct = _distinct(self.finished(candidates))
        return [distinct[index % len(distinct)] for index in range(number)] if distinct else []

    def shaken(self, candidate: Candidate, displacement_angstrom: float) -> Candidate:
        """A new candidate, not minimised: the given one with random displacements near the boundary."""
        slab = candidate.search_slab.copy()
        near = np.abs(slab.arrays[_START]) < _SHAKEN_DEPTH_ANGSTROM
        slab.positions[near] += self.random.normal(0.0, displacement_angstrom, (int(near.sum()), 3))
        return _successor(candidate, slab, shaken_angstrom=displacement_angstrom, annealed_kelvin=0.0)

    def with_vacancy(self, candidate: Candidate, number: int) -> list[Candidate]:
        """New candidates, not minimised: the given one without an atom, one of those of highest energy."""
        slab = candidate.search_slab
        energies = np.where(np.abs(slab.arrays[_START]) < _SHAKEN_DEPTH_ANGSTROM, slab.arrays["energy_ev"], -np.inf)
        highest = np.argsort(-energies, kind="stable")[:_VACANCY_CHOICE]
        fewer = []
        for atom in self.random.choice(highest, min(number, len(highest)), replace=False):
            kept = np.arange(len(slab)) != atom
            new = _successor(candidate, slab[kept], shaken_angstrom=0.0, annealed_kelvin=0.0)
            new.removed_atoms += 1
            fewer.append(new)
        return fewer

    def annealed(self, minimiser: SlabMinimiser, candidate: Candidate, kelvin: float) -> Candidate:
        """A new candidate: the given one annealed, then minimised with the steps of all stages."""
        slab = candidate.search_slab.copy()
        new = _successor(candidate, slab, shaken_angstrom=0.0, annealed_kelvin=kelvin)
        layers = _layers(slab, self.settings.search_half_thickness_angstrom)
        seed = int(self.random.integers(1, _LARGEST_LAMMPS_SEED))
        try:
            slab.positions = minimiser.anneal(
                slab.positions, layers, kelvin, kelvin / 3, self.settings.annealing_steps, seed
            )
        except LammpsError as error:
            new.failure = str(error)
            return new
        self.minimise(minimiser, new, sum(self.settings.stage_steps))
        new.finished = True
        return new

    def coarse_grid(self) -> tuple[NDArray[np.float64], list[NDArray[np.float64]], NDArray[np.float64]]:
        """Edges (2, 2) of the cell of distinct displacements, the grid's displacements, and its spacing in edges (2,)."""
        settings = self.settings
        edges = distinct_translations_cell_angstrom(
            self.boundary, self.potential.lattice, self.potential.lattice_constant_angstrom
        )
        lengths = np.linalg.norm(edges, axis=1)
        counts = np.maximum(1, np.ceil(lengths / settings.translation_spacing_angstrom - 1e-9)).astype(int)
        while counts.prod() < settings.min_translations:
            counts[np.argmax(lengths / counts)] += 1
        while counts.prod() > settings.max_translations:
            counts[np.argmin(np.where(counts > 1, lengths / counts, np.inf))] -= 1
        grid = [i / counts[0] * edges[0] + j / counts[1] * edges[1] for i in range(counts[0]) for j in range(counts[1])]
        return edges, grid, 1 / counts

    def candidates_at(self, translations: list[NDArray[np.float64]]) -> list[Candidate]:
        """Distinct structures at the displacements: every removal, at cut-offs in the gaps of the pair distances."""
        settings, nearest = self.settings, self.potential.nearest_neighbour_angstrom
        low, high = (fraction * nearest for fraction in settings.overlap_cutoffs)
        candidates = []
        for translation in translations:
            slab = self.slab(self.search_half, translation)
            _, distances = overlapping_pairs(slab, high)
            for cutoff in _cutoffs_in_gaps(distances, low, high, settings.max_overlap_cutoffs):
                for removal in settings.removals:
                    trial = remove_overlaps(slab, cutoff, removal)
                    key = (*np.round(translation, 6), len(trial), *np.round(trial.positions.sum(axis=0), 4))
                    if key in self.seen:
                        continue
                    self.seen.add(key)
                    candidates.append(Candidate(translation, cutoff, removal, len(slab) - len(trial), trial))
        return candidates

    def slab(self, half_thickness: float, translation: NDArray[np.float64]) -> Atoms:
        potential = self.potential
        slab = build_bicrystal(
            self.boundary,
            potential.lattice,
            potential.lattice_constant_angstrom,
            potential.species,
            half_thickness,
            translation,
            self.settings.search_min_period_angstrom,
        )
        slab.set_array(_START, slab.positions[:, 0].copy())
        return slab

    def successive_halving(
        self, minimiser: SlabMinimiser, candidates: list[Candidate], stage_steps: tuple[int, ...]
    ) -> None:
        """Minimise all a little, the better share of them further, and so on."""
        settings, contenders, last = self.settings, candidates, len(stage_steps) - 1
        for stage, steps in enumerate(stage_steps):
            if stage:
                ranked = _ranked(contenders)
                # Before the last stage energies are converged enough to tell which candidates are the same.
                ranked = _distinct(ranked) if stage == last else ranked
                contenders = ranked[: max(settings.keep_at_least, math.ceil(len(contenders) * settings.keep_fraction))]
            for candidate in contenders:
                self.minimise(minimiser, candidate, steps)
                candidate.finished = stage == last

    def minimise(self, minimiser: SlabMinimiser, candidate: Candidate, steps: int) -> None:
        slab = candidate.search_slab
        layers = _layers(slab, self.settings.search_half_thickness_angstrom)
        try:
            result = minimiser.minimise(slab.positions, layers, steps, self.settings.force_tolerance_ev_angstrom)
        except LammpsError as error:
            candidate.failure = str(error)
            return
        # The ends are the same for all candidates, so the energy counts every atom less what the ends contribute. A window
        # would favour structures whose boundary has moved out of it.
        energy = excess_energy_j_m2(result.energies_ev, slab, self.potential) - self.ends_j_m2(minimiser)
        if energy < LOWEST_J_M2:
            candidate.failure = f"unphysical energy of {energy:.4f} J/m^2"
            return
        slab.positions = result.positions
        slab.set_array("energy_ev", result.energies_ev)
        candidate.energies_j_m2.append(energy)

    def ends_j_m2(self, minimiser: SlabMinimiser) -> float:
        """Excess energy of the atoms that feel the free surfaces of the search slab, which never relax."""
        if self.ends is None:
            slab = self.slab(self.search_half, np.zeros(2))
            energies = minimiser.energies_ev(
                slab.positions, _layers(slab, self.settings.search_half_thickness_angstrom)
            )
            self.ends = excess_energy_j_m2(
                energies[~_inside(slab, self.potential.cutoff_angstrom)], slab, self.potential
            )
        return self.ends

    def final(self, candidate: Candidate) -> tuple[Atoms, float, float]:
        """The candidate minimised in the full slab: structure, energy in J/m^2, largest force in eV/Angstrom."""
        settings, cutoff = self.settings, self.potential.cutoff_angstrom
        slab = repeat_in_plane(self.thickened(candidate), settings.min_period_angstrom)
        periods = slab.cell.lengths()[1:]
        inside = _inside(slab, cutoff)
        with SlabMinimiser(self.potential, self.full_half + ROOM_ANGSTROM, (periods[0], periods[1])) as minimiser:
            result = minimiser.minimise(
                slab.positions,
                _layers(slab, settings.half_thickness_angstrom),
                settings.max_steps,
                settings.force_tolerance_ev_angstrom,
            )
        energy = excess_energy_j_m2(result.energies_ev[inside], slab, self.potential)
        slab.positions = result.positions
        slab.set_array("energy_ev", result.energies_ev)
        slab.set_array(_START, None)
        return slab[inside], energy, result.max_force_ev_angstrom

    def thickened(self, candidate: Candidate) -> Atoms:
        """The relaxed search slab with perfect crystal added to both ends, the right one displaced as its rigid layer."""
        thin = candidate.search_slab.copy()
        start = self.slab(self.search_half, candidate.translation_angstrom)
        full = self.slab(self.full_half, candidate.translation_angstrom)
        # The outermost atom of the right grain comes last, and it moves with the rigid layer.
        shift = thin.positions[-1] - start.positions[-1]
        x = full.arrays[_START]
        left_end = full[x < start.arrays[_START][0] - 1e-6]
        right_end = full[x > start.arrays[_START][-1] + 1e-6]
        right_end.positions += shift
        del thin.arrays["energy_ev"]
        return left_end + thin + right_end


def excess_energy_j_m2(energies_ev: NDArray[np.float64], slab: Atoms, potential: ReadyPotential) -> float:
    """Excess over the perfect crystal of the atoms with these energies (n,), per area of the slab's boundary."""
    periods = slab.cell.lengths()[1:]
    excess = float((energies_ev - potential.cohesive_energy_ev).sum())
    return excess / float(periods.prod()) * EV_PER_ANGSTROM2_IN_J_M2


def rigid_ends(
    x_angstrom: NDArray[np.float64], grain: NDArray[np.int_], left_angstrom: float, right_angstrom: float
) -> NDArray[np.int_]:
    """Layer (n,) of each atom: those of the ends are rigid, at rest on the left, sliding on the right; the others free."""
    layers = np.full(len(x_angstrom), FREE)
    layers[(grain == LEFT) & (x_angstrom < left_angstrom)] = FIXED
    layers[(grain == RIGHT) & (x_angstrom >= right_angstrom)] = SLIDING
    return layers


def _successor(candidate: Candidate, slab: Atoms, *, shaken_angstrom: float, annealed_kelvin: float) -> Candidate:
    return replace(
        candidate,
        search_slab=slab,
        shaken_angstrom=shaken_angstrom,
        annealed_kelvin=annealed_kelvin,
        energies_j_m2=[],
        final_energy_j_m2=None,
        finished=False,
        failure="",
    )


def _merged_first_stages(stage_steps: tuple[int, ...]) -> tuple[int, ...]:
    return (sum(stage_steps[:2]), *stage_steps[2:])


def _layers(slab: Atoms, half_thickness: float) -> NDArray[np.int_]:
    """Atoms beyond `half_thickness` before minimisation are rigid."""
    return rigid_ends(slab.arrays[_START], slab.arrays["grain"], -half_thickness, half_thickness)


def _inside(slab: Atoms, cutoff: float) -> NDArray[np.bool_]:
    """Atoms whose neighbourhood the free surfaces do not reach."""
    x = slab.arrays[_START]
    return (x > x.min() + cutoff) & (x < x.max() - cutoff)


def _ranked(candidates: list[Candidate]) -> list[Candidate]:
    """Candidates that did not fail, lowest latest energy first; ties keep their order."""
    return sorted((c for c in candidates if math.isfinite(c.energy_j_m2)), key=lambda c: c.energy_j_m2)


def _distinct(ranked: list[Candidate]) -> list[Candidate]:
    """The ranked candidates without those whose energy is, within a hair, that of the one before."""
    kept: list[Candidate] = []
    for candidate in ranked:
        if not kept or candidate.energy_j_m2 - kept[-1].energy_j_m2 > _SAME_ENERGY_J_M2:
            kept.append(candidate)
    return kept


def _cutoffs_in_gaps(distances: NDArray[np.float64], low: float, high: float, at_most: int) -> list[float]:
    """Cut-offs between the distances that occur from `low` to `high`, so that each removes another set of pairs.

    The smallest resolves only the pairs below `low`; with more than `at_most` to choose from, evenly through the list.
    """
    inner = distances[(distances >= low) & (distances < high)]
    levels = np.concatenate([[low], inner, [high]])
    middles = (levels[:-1] + levels[1:])[np.diff(levels) > 1e-3] / 2
    if len(middles) > at_most:
        middles = middles[np.unique(np.round(np.linspace(0, len(middles) - 1, at_most)).astype(int))]
    return [float(middle) for middle in middles]
