"""Was the run what it should be: temperature, drift, correlation of the snapshots, and whether the boundary is still the same."""

from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from gbscape.config.survey import Relaxation
from gbscape.simulate.dynamics import BOLTZMANN_EV_K
from gbscape.simulate.potentials import ReadyPotential
from gbscape.simulate.slab import FREE, SlabMinimiser
from gbscape.snapshots.correlation import autocorrelation, standard_error, statistical_inefficiency
from gbscape.snapshots.energy import boundary_energy_j_m2
from gbscape.snapshots.gathered import read_snapshots
from gbscape.snapshots.tables import CHECK_COLUMNS, TIME_COLUMNS
from gbscape.snapshots.trajectory import START, slab_dynamics
from gbscape.store.progress import progress
from gbscape.store.records import atoms_from_record
from gbscape.store.shards import open_shard
from gbscape.structure.units import EV_PER_ANGSTROM2_IN_J_M2


def time_series(
    snapshots_h5: str | Path, start_h5: str | Path, potential_json: str | Path, relaxation: Relaxation, quenched: int
) -> pd.DataFrame:
    """A row for each snapshot, columns `TIME_COLUMNS`; the last two are known of the snapshots that are minimised.

    `quenched_energy_j_m2` is the energy of the boundary atoms after minimisation: that of the relaxed boundary if its
    structure has not changed. `quenched_shift_angstrom` is how far the boundary plane, the mean x of all atoms weighted by
    their excess energy, has moved from where it is in the relaxed boundary.

    Args:
        quenched: number of snapshots that are minimised, evenly spread and the last among them.
        relaxation: tolerance and steps of the minimisation.
    """
    potential = ReadyPotential.read(potential_json)
    with open_shard(start_h5) as file:
        slab = atoms_from_record(file.read(START)["structure"])
    dynamics = slab_dynamics(slab, potential, timestep_fs=1.0)
    relaxed = dynamics.state(slab.positions, np.zeros((len(slab), 3)))
    plane = _plane_angstrom(slab.positions, relaxed.energies_ev, slab, potential.cohesive_energy_ev)
    area = float(slab.cell.lengths()[1:].prod())
    rows = []
    with open_shard(snapshots_h5) as file:
        total = len(file.ids)
    chosen = {total - 1 - (total * k) // quenched for k in range(quenched)}
    with SlabMinimiser(potential, dynamics.half_length_angstrom, dynamics.periods_angstrom) as minimiser:
        for number, snapshot in enumerate(progress(read_snapshots(snapshots_h5), total, "snapshots checked")):
            row = {
                "id": snapshot.id,
                "time_ps": snapshot.time_ps,
                "energy_j_m2": snapshot.energy_j_m2,
                "temperature_kelvin": snapshot.temperature_kelvin,
            }
            if number in chosen:
                still = minimiser.minimise(
                    snapshot.atoms.positions,
                    dynamics.layers,
                    relaxation.max_steps,
                    relaxation.force_tolerance_ev_angstrom,
                )
                row["quenched_energy_j_m2"] = boundary_energy_j_m2(
                    still.energies_ev, slab.arrays["boundary"], potential.cohesive_energy_ev, area
                )
                row["quenched_shift_angstrom"] = (
                    _plane_angstrom(still.positions, still.energies_ev, slab, potential.cohesive_energy_ev) - plane
                )
            rows.append(row)
    return pd.DataFrame(rows, columns=TIME_COLUMNS)


def summarise_run(series: pd.DataFrame, start_h5: str | Path, temperature_kelvin: float) -> pd.DataFrame:
    """What the time series says about the run, a row for each quantity, columns `CHECK_COLUMNS`.

    `expected` is empty where there is nothing to expect, `standard_error` where a value has none. Standard errors allow for
    the correlation of successive snapshots.

    Args:
        series: as `time_series` returns it, three snapshots or more.
        temperature_kelvin: of the thermostat.

    Raises:
        ValueError: fewer than three snapshots.
    """
    if len(series) < 3:
        raise ValueError(f"a run is checked by three snapshots or more, there are {len(series)}")
    with open_shard(start_h5) as file:
        start = file.read(START)
    slab = atoms_from_record(start["structure"])
    relaxed = float(start["energy_j_m2"])
    area, n_atoms = float(slab.cell.lengths()[1:].prod()), int(slab.arrays["boundary"].sum())
    energy = series["energy_j_m2"].to_numpy(float)
    kelvin = series["temperature_kelvin"].to_numpy(float)
    time_ns = series["time_ps"].to_numpy(float) / 1000
    still = series.dropna(subset=["quenched_energy_j_m2"])
    thermal_ev = (energy - relaxed) * area / EV_PER_ANGSTROM2_IN_J_M2 / n_atoms
    slope, slope_error = _slope(time_ns, energy)
    rows: list[tuple[str, str, float, float | None, float | None, str]] = [
        ("temperature", "K", kelvin.mean(), standard_error(kelvin), temperature_kelvin, "mean over the snapshots"),
        ("relaxed_energy", "J/m^2", relaxed, None, None, "energy of the boundary atoms at rest"),
        ("energy_mean", "J/m^2", energy.mean(), standard_error(energy), None, "mean over the snapshots"),
        ("energy_std", "J/m^2", energy.std(ddof=1), None, None, "standard deviation over the snapshots"),
        (
            "error_of_the_mean_prediction",
            "J/m^2",
            float(np.abs(energy - energy.mean()).mean()),
            None,
            None,
            "mean absolute error of predicting the mean: a model is of use as far as its error is smaller",
        ),
        (
            "thermal_energy_per_atom",
            "meV",
            1000 * thermal_ev.mean(),
            1000 * standard_error(thermal_ev),
            1500 * BOLTZMANN_EV_K * temperature_kelvin,
            "potential energy of a boundary atom above the relaxed boundary; expected: 3/2 kT of harmonic vibrations",
        ),
        ("energy_drift", "J/m^2/ns", slope, slope_error, 0.0, "slope of the energy with time"),
        (
            "autocorrelation",
            "1",
            float(autocorrelation(energy)[1]),
            1 / np.sqrt(len(energy)),
            0.0,
            "correlation of the energies of successive snapshots",
        ),
        (
            "independent_snapshots",
            "1",
            len(energy) / statistical_inefficiency(energy),
            None,
            float(len(energy)),
            "number of independent snapshots that tell as much about the mean energy",
        ),
        (
            "quenched_energy_difference",
            "J/m^2",
            float((still["quenched_energy_j_m2"] - relaxed).abs().max()),
            None,
            0.0,
            f"largest difference, over {len(still)} minimised snapshots, from the relaxed boundary",
        ),
        (
            "quenched_shift",
            "Angstrom",
            float(still["quenched_shift_angstrom"].abs().max()),
            None,
            0.0,
            "largest shift of the boundary plane in the minimised snapshots",
        ),
    ]
    return pd.DataFrame(rows, columns=CHECK_COLUMNS)


def _plane_angstrom(
    positions: NDArray[np.float64], energies_ev: NDArray[np.float64], slab: Atoms, cohesive_energy_ev: float
) -> float:
    """Mean x of the atoms that move, weighted by their excess energy."""
    free = slab.arrays["layer"] == FREE
    excess = energies_ev[free] - cohesive_energy_ev
    return float((positions[free, 0] * excess).sum() / excess.sum())


def _slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Slope of a straight line through points (n,), and its standard error."""
    centred = x - x.mean()
    slope = float((centred * y).sum() / (centred**2).sum())
    residuals = y - y.mean() - slope * centred
    variance = float((residuals**2).sum()) / (len(x) - 2)
    inefficiency = statistical_inefficiency(residuals) if variance > 0 else 1.0
    return slope, float(np.sqrt(variance * inefficiency / (centred**2).sum()))
