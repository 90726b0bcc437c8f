"""Liquid metals by molecular dynamics in LAMMPS."""

import numpy as np
from ase import Atoms

from gbscape.simulate.dynamics import LARGEST_SEED
from gbscape.simulate.potentials import ReadyPotential
from gbscape.simulate.session import LammpsError, lammps_errors, lammps_session, positions_by_id

_ATOMS_OF_CELL = {"fcc": 4, "bcc": 2, "sc": 1}
_TIMESTEP_PS = 0.002
_DAMPING_PS, _PRESSURE_DAMPING_PS = 0.1, 1.0
_SUPERHEATING = 2.0


def liquid(
    potential: ReadyPotential,
    n_atoms: int,
    temperature_kelvin: float,
    seed: int,
    *,
    snapshots: int = 1,
    melting_ps: float = 4.0,
    cooling_ps: float = 4.0,
    apart_ps: float = 2.0,
) -> list[Atoms]:
    """Melt a crystal, cool the liquid, and take snapshots of it at zero pressure.

    The crystal is heated to twice the temperature, at which a metal that is above its melting point melts at once and
    diffuses over several nearest-neighbour distances, then cooled linearly and held. It must stay above the temperature at
    which it freezes again within picoseconds, for which any above the melting point will do.

    Args:
        potential: with its crystal.
        n_atoms: at least so many atoms, in a cube of whole unit cells.
        temperature_kelvin: of the snapshots.
        seed: of the velocities.
        snapshots: how many.
        melting_ps, cooling_ps, apart_ps: duration of each stage, and from snapshot to snapshot.

    Returns:
        the snapshots, periodic, atoms wrapped into the cube.

    Raises:
        ValueError: numbers that are not positive, or a seed out of range.
        LammpsError: LAMMPS stopped, or the sample is not finite.
    """
    durations = (melting_ps, cooling_ps, apart_ps)
    if not (n_atoms > 0 and snapshots > 0 and temperature_kelvin > 0 and min(durations) > 0):
        raise ValueError(
            f"atoms, snapshots, temperature and durations must be positive, got {n_atoms}, {snapshots}, "
            f"{temperature_kelvin:g} and {durations}"
        )
    if not 1 <= seed <= LARGEST_SEED:
        raise ValueError(f"the seed must be from 1 to {LARGEST_SEED}, got {seed}")
    cells = 1
    while _ATOMS_OF_CELL[potential.lattice] * cells**3 < n_atoms:
        cells += 1
    hot, cold = _SUPERHEATING * temperature_kelvin, temperature_kelvin
    found = []
    with lammps_session() as instance:

        def run(start_kelvin: float, stop_kelvin: float, duration_ps: float) -> None:
            instance.commands_list(
                [
                    f"fix move all npt temp {start_kelvin:.17g} {stop_kelvin:.17g} {_DAMPING_PS} "
                    f"iso 0 0 {_PRESSURE_DAMPING_PS}",
                    f"run {max(round(duration_ps / _TIMESTEP_PS), 1)} post no",
                ]
            )

        instance.commands_list(
            [
                "boundary p p p",
                f"lattice {potential.lattice} {potential.lattice_constant_angstrom:.17g}",
                f"region box block 0 {cells} 0 {cells} 0 {cells}",
                "create_box 1 box",
                "create_atoms 1 box",
                *potential.commands(1),
                f"timestep {_TIMESTEP_PS}",
                "thermo 1000000000",
                # half of it goes into the vibrations' potential energy
                f"velocity all create {2 * hot:.17g} {seed} mom yes rot yes dist gaussian",
            ]
        )
        run(hot, hot, melting_ps)
        run(hot, cold, cooling_ps)
        for _ in range(snapshots):
            run(cold, cold, apart_ps)
            with lammps_errors():
                low, high = np.array(instance.extract_box()[:2])
                found.append(_snapshot(positions_by_id(instance) - low, high - low, potential.species))
    return found


def _snapshot(positions: np.ndarray, lengths: np.ndarray, species: str) -> Atoms:
    if not (np.isfinite(positions).all() and np.isfinite(lengths).all()):
        raise LammpsError("positions or the cell of the liquid are not finite")
    return Atoms([species] * len(positions), positions=positions % lengths, cell=lengths, pbc=True)
