"""The run: equilibrate a relaxed boundary, then one segment after the other, each a job that ends with a restart state."""

from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from gbscape.config.dynamics import Dynamics
from gbscape.simulate.dynamics import LARGEST_SEED, Langevin, SlabDynamics, SlabState
from gbscape.simulate.potentials import ReadyPotential
from gbscape.simulate.slab import FIXED, FREE, SLIDING, box_around
from gbscape.snapshots.energy import boundary_energy_j_m2
from gbscape.store.progress import progress
from gbscape.store.provenance import Provenance, check_agreement
from gbscape.store.records import Record, atoms_from_record, atoms_to_record
from gbscape.store.shards import open_shard, write_shard
from gbscape.structure.bicrystal import repeat_in_plane

START = "start"
"""Item of the file that `equilibrate` writes."""
STATE = "state"
"""Item of the file with the state at the end of a segment."""

_VELOCITY_STREAM, _THERMOSTAT_STREAM = 0, 1


def snapshot_id(number: int) -> str:
    """Id of a snapshot, counted from 1: `snapshot_0001`."""
    return f"snapshot_{number:04d}"


def slab_dynamics(slab: Atoms, potential: ReadyPotential, timestep_fs: float) -> SlabDynamics:
    """The dynamics of a slab whose array `layer` says which atoms are rigid."""
    return SlabDynamics(potential, slab.arrays["layer"].astype(int), *box_around(slab), timestep_fs / 1000)


def rigid_layers(slab: Atoms, cutoff_angstrom: float) -> NDArray[np.int_]:
    """Layer (n,) of each atom: two cut-offs at both ends of x are rigid, at rest on the left, sliding as a body on the right.

    So no atom that moves feels a free surface, which would add its own vibrations.

    Raises:
        ValueError: a boundary atom would be rigid.
    """
    x, boundary = slab.positions[:, 0], slab.arrays["boundary"]
    layers = np.full(len(slab), FREE)
    layers[x < x.min() + 2 * cutoff_angstrom] = FIXED
    layers[x > x.max() - 2 * cutoff_angstrom] = SLIDING
    if (layers[boundary] != FREE).any():
        raise ValueError(
            f"the slab, from {x.min():.1f} to {x.max():.1f} Angstrom, is too thin: its ends of {2 * cutoff_angstrom:.1f} "
            f"Angstrom are held rigid, and boundary atoms lie from {x[boundary].min():.1f} to {x[boundary].max():.1f}"
        )
    return layers


def equilibrate(
    survey_h5: str | Path,
    potential_json: str | Path,
    out: str | Path,
    boundary: str,
    min_length_angstrom: float,
    settings: Dynamics,
    code: str,
) -> None:
    """Bring the relaxed boundary to its temperature.

    Args:
        survey_h5: gathered survey with boundary atoms.
        potential_json: description of the potential, its file beside it.
        out: file (.h5) with the one item `START`: the relaxed `structure` with the arrays `boundary` and `layer`, its
            `energy_j_m2` (of the boundary atoms), and positions and velocities at the end of the equilibration.
        boundary: id of the boundary.
        min_length_angstrom: the slab is repeated in y and z until its periods are at least this long.
        settings: temperature and times.
        code: hash of the code that computes this.

    Raises:
        ValueError: the survey has no such boundary, or its slab is too thin.
        LammpsError: LAMMPS stopped.
    """
    potential = ReadyPotential.read(potential_json)
    with open_shard(survey_h5) as survey:
        if boundary not in survey.ids:
            reason = survey.failures.get(boundary, f"it has {len(survey.ids)} others, e.g. {survey.ids[:3]}")
            raise ValueError(f"snapshots.boundary: the survey has no boundary {boundary!r}: {reason}")
        slab = atoms_from_record(survey.read(boundary)["structure"])
    slab = repeat_in_plane(slab, min_length_angstrom)
    for name in set(slab.arrays) - {"numbers", "positions", "grain", "boundary"}:
        del slab.arrays[name]
    slab.set_array("layer", rigid_layers(slab, potential.cutoff_angstrom).astype(np.uint8))
    dynamics = slab_dynamics(slab, potential, settings.timestep_fs)
    relaxed = dynamics.state(slab.positions, np.zeros((len(slab), 3)))
    # Half of the kinetic energy of a structure at rest in its minimum goes into the springs.
    velocities = dynamics.thermal_velocities(2 * settings.temperature_kelvin, _seed(settings.seed, _VELOCITY_STREAM, 0))
    warm = dynamics.advance(
        SlabState(slab.positions, velocities, relaxed.energies_ev),
        settings.equilibration_steps,
        _thermostat(settings, interval=0),
    )
    record = {
        "structure": atoms_to_record(slab),
        "energy_j_m2": _energy_j_m2(relaxed, slab, potential),
        "cohesive_energy_ev": potential.cohesive_energy_ev,
        "positions": warm.positions,
        "velocities": warm.velocities,
    }
    parameters = settings.model_dump(mode="json") | {"boundary": boundary, "min_length_angstrom": min_length_angstrom}
    inputs = {"survey": survey_h5, "potential": potential_json}
    write_shard(out, {START: record}, Provenance.of(parameters, code, inputs, settings.seed), {})


def run_segment(
    start_h5: str | Path,
    before_h5: str | Path,
    potential_json: str | Path,
    out: str | Path,
    state_out: str | Path,
    settings: Dynamics,
    first: int,
    last: int,
    code: str,
) -> None:
    """Run one segment from where the one before it ended.

    Every interval is a calculation of its own, from the state in double precision and a random stream that its number
    alone decides: the snapshots do not depend on how they are divided into segments.

    Args:
        start_h5: what `equilibrate` wrote.
        before_h5: state at the end of the segment before; `start_h5` again for the first segment.
        potential_json: description of the potential, its file beside it.
        out: shard (.h5) with an item for each snapshot, in the form of the gathered survey: `structure` with positions in
            single precision and the arrays `boundary` and `energy_ev`, `energy_j_m2`, `time_ps`, `temperature_kelvin`
            (of the free atoms).
        state_out: the state (.h5) at the end.
        settings: temperature and times.
        first, last: numbers of the segment's snapshots, counted from 1 over the whole run.
        code: hash of the code that computes this.

    Raises:
        ProvenanceMismatch: the segment before was made with other settings, inputs or code.
        LammpsError: LAMMPS stopped.
    """
    potential = ReadyPotential.read(potential_json)
    inputs = {"start": start_h5, "potential": potential_json}
    provenance = Provenance.of(settings.model_dump(mode="json"), code, inputs, settings.seed)
    with open_shard(start_h5) as file:
        slab = atoms_from_record(file.read(START)["structure"])
    with open_shard(before_h5) as file:
        if first > 1:
            check_agreement({str(before_h5): file.provenance, str(out): provenance})
        before = file.read(START if first == 1 else STATE)
    dynamics = slab_dynamics(slab, potential, settings.timestep_fs)
    state = SlabState(before["positions"], before["velocities"], np.zeros(len(slab)))
    records: dict[str, Record] = {}
    for number in progress(range(first, last + 1), last - first + 1, "snapshots"):
        state = dynamics.advance(state, settings.interval_steps, _thermostat(settings, interval=number))
        records[snapshot_id(number)] = {
            "structure": _snapshot_record(slab, state),
            "energy_j_m2": _energy_j_m2(state, slab, potential),
            "cohesive_energy_ev": potential.cohesive_energy_ev,
            "time_ps": round(number * settings.interval_ps, 9),
            "temperature_kelvin": dynamics.temperature_kelvin(state),
        }
    write_shard(out, records, provenance, {})
    write_shard(state_out, {STATE: {"positions": state.positions, "velocities": state.velocities}}, provenance, {})


def _snapshot_record(slab: Atoms, state: SlabState) -> dict[str, Any]:
    record = atoms_to_record(slab)
    record["positions"] = state.positions.astype(np.float32)
    arrays = {name: array for name, array in record["arrays"].items() if name in ("grain", "boundary")}
    record["arrays"] = arrays | {"energy_ev": state.energies_ev.astype(np.float32)}
    return record


def _energy_j_m2(state: SlabState, slab: Atoms, potential: ReadyPotential) -> float:
    area = float(slab.cell.lengths()[1:].prod())
    return boundary_energy_j_m2(state.energies_ev, slab.arrays["boundary"], potential.cohesive_energy_ev, area)


def _thermostat(settings: Dynamics, interval: int) -> Langevin:
    """The thermostat of an interval; number 0 is the equilibration."""
    seed = _seed(settings.seed, _THERMOSTAT_STREAM, interval)
    return Langevin(settings.temperature_kelvin, settings.damping_ps, seed)


def _seed(seed: int, stream: int, number: int) -> int:
    return int(np.random.default_rng([seed, stream, number]).integers(1, LARGEST_SEED))
