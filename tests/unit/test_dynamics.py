"""Molecular dynamics of slabs: conserved energy, temperature, equipartition, rigid ends, repeatability."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from gbscape.config.dynamics import Dynamics
from gbscape.config.survey import Potential
from gbscape.simulate.dynamics import BOLTZMANN_EV_K, Langevin, SlabDynamics, SlabState
from gbscape.simulate.potentials import ReadyPotential, prepare_potential
from gbscape.simulate.session import LammpsError
from gbscape.simulate.slab import FIXED, FREE, SLIDING

CELLS = 2  # conventional cells along y and z
LAYERS_EACH_SIDE = 12  # of (2 0 0), half a lattice constant apart
RIGID_LAYERS = 6


@pytest.fixture(scope="module")
def nickel(tmp_path_factory: pytest.TempPathFactory) -> ReadyPotential:
    return prepare_potential(Potential(), "fcc", tmp_path_factory.mktemp("nickel"))


@pytest.fixture(scope="module")
def crystal(nickel: ReadyPotential) -> NDArray[np.float64]:
    """Positions (n, 3) of a perfect fcc slab."""
    a = nickel.lattice_constant_angstrom
    return np.array(
        [
            (i * a / 2, j * a / 2, k * a / 2)
            for i in range(-LAYERS_EACH_SIDE, LAYERS_EACH_SIDE + 1)
            for j in range(2 * CELLS)
            for k in range(2 * CELLS)
            if (i + j + k) % 2 == 0
        ]
    )


@pytest.fixture(scope="module")
def dynamics(nickel: ReadyPotential, crystal: NDArray[np.float64]) -> SlabDynamics:
    a = nickel.lattice_constant_angstrom
    inner = (LAYERS_EACH_SIDE - RIGID_LAYERS + 0.5) * a / 2
    layers = np.full(len(crystal), FREE)
    layers[crystal[:, 0] < -inner] = FIXED
    layers[crystal[:, 0] > inner] = SLIDING
    length = float(crystal[:, 0].max()) + 6
    return SlabDynamics(nickel, layers, length, (CELLS * a, CELLS * a), Dynamics().timestep_fs / 1000)


@pytest.fixture(scope="module")
def warm(dynamics: SlabDynamics, crystal: NDArray[np.float64]) -> SlabState:
    """The crystal in equilibrium at 100 K."""
    start = dynamics.state(crystal, dynamics.thermal_velocities(200.0, 1))
    return dynamics.advance(start, 500, Langevin(100.0, 0.2, 1))


def _fluctuation_ev(dynamics: SlabDynamics, state: SlabState, timestep_ps: float) -> float:
    """Standard deviation of the total energy per free atom over 2 ps without a thermostat."""
    dynamics = replace(dynamics, timestep_ps=timestep_ps)
    totals = []
    for _ in range(20):
        state = dynamics.advance(state, round(0.1 / timestep_ps), None)
        totals.append(state.energies_ev.sum() + dynamics.kinetic_energy_ev(state))
    return float(np.std(totals)) / int((dynamics.layers == FREE).sum())


def test_energy_is_conserved_at_the_default_time_step(dynamics: SlabDynamics, warm: SlabState) -> None:
    default = Dynamics().timestep_fs / 1000
    fluctuation = _fluctuation_ev(dynamics, warm, default)
    assert fluctuation < 1e-5
    # Velocity Verlet is of second order: twice the step, four times the error.
    assert 2.5 < _fluctuation_ev(dynamics, warm, 2 * default) / fluctuation < 6


def test_temperature_and_potential_energy_follow_from_equipartition(
    dynamics: SlabDynamics, crystal: NDArray[np.float64], warm: SlabState
) -> None:
    kelvin, free = 100.0, int((dynamics.layers == FREE).sum())
    at_rest = dynamics.state(crystal, np.zeros_like(crystal)).energies_ev.sum()
    temperatures, springs = [], []
    state = warm
    for number in range(60):
        state = dynamics.advance(state, 50, Langevin(kelvin, 0.1, 100 + number))
        temperatures.append(dynamics.temperature_kelvin(state))
        springs.append((state.energies_ev.sum() - at_rest) / (1.5 * free * BOLTZMANN_EV_K))
    # One sample scatters by sqrt(2 / (3 n)), and samples two damping times apart are nearly independent.
    error = kelvin * np.sqrt(2 / (3 * free)) / np.sqrt(len(temperatures) / 2)
    assert np.mean(temperatures) == pytest.approx(kelvin, abs=4 * error)
    assert np.mean(springs) == pytest.approx(kelvin, abs=4 * error)


def test_kinetic_energy_is_that_of_the_temperature(dynamics: SlabDynamics, warm: SlabState) -> None:
    still_ends = warm.velocities * (dynamics.layers == FREE)[:, None]
    state = replace(warm, velocities=still_ends)
    free = int((dynamics.layers == FREE).sum())
    expected = 1.5 * free * BOLTZMANN_EV_K * dynamics.temperature_kelvin(state)
    assert dynamics.kinetic_energy_ev(state) == pytest.approx(expected, rel=1e-12)


def test_thermal_velocities_are_those_of_the_temperature(dynamics: SlabDynamics, crystal: NDArray[np.float64]) -> None:
    free = dynamics.layers == FREE
    kelvin = [
        dynamics.temperature_kelvin(
            SlabState(crystal, dynamics.thermal_velocities(300.0, seed), np.zeros(len(crystal)))
        )
        for seed in range(50)
    ]
    error = 300.0 * np.sqrt(2 / (3 * free.sum() * 50))
    assert np.mean(kelvin) == pytest.approx(300.0, abs=4 * error)
    assert not dynamics.thermal_velocities(300.0, 0)[~free].any()


def test_one_end_rests_and_the_other_moves_as_a_body(
    dynamics: SlabDynamics, crystal: NDArray[np.float64], warm: SlabState
) -> None:
    periods = np.array([np.inf, *dynamics.periods_angstrom])
    moved = warm.positions - crystal
    moved[:, 1:] -= periods[1:] * np.round(moved[:, 1:] / periods[1:])
    np.testing.assert_allclose(moved[dynamics.layers == FIXED], 0, atol=1e-12)
    sliding = moved[dynamics.layers == SLIDING]
    np.testing.assert_allclose(sliding, np.broadcast_to(sliding[0], sliding.shape), atol=1e-9)
    assert np.abs(sliding[0]).max() > 1e-4


def test_equal_arguments_give_equal_bits_whatever_ran_before(dynamics: SlabDynamics, warm: SlabState) -> None:
    thermostat = Langevin(100.0, 0.5, 7)
    first = dynamics.advance(warm, 60, thermostat)
    dynamics.advance(first, 60, Langevin(500.0, 0.5, 8))
    again = dynamics.advance(warm, 60, thermostat)
    for name in ("positions", "velocities", "energies_ev"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    other = dynamics.advance(warm, 60, replace(thermostat, seed=9))
    assert np.abs(other.positions - first.positions).max() > 1e-3


def test_a_run_goes_on_where_it_was_cut(dynamics: SlabDynamics, warm: SlabState) -> None:
    """Without a thermostat, nothing but rounding tells a run from its two halves: the whole state is handed on."""
    whole = dynamics.advance(warm, 80, None)
    halves = dynamics.advance(dynamics.advance(warm, 40, None), 40, None)
    np.testing.assert_allclose(halves.positions, whole.positions, atol=1e-9)
    np.testing.assert_allclose(halves.velocities, whole.velocities, atol=1e-8)
    without_velocities = dynamics.advance(
        replace(dynamics.advance(warm, 40, None), velocities=0 * warm.velocities), 40, None
    )
    assert np.abs(without_velocities.positions - whole.positions).max() > 1e-3


def test_atoms_outside_the_period_are_brought_back(dynamics: SlabDynamics, warm: SlabState) -> None:
    shifted = warm.positions + np.array([0, dynamics.periods_angstrom[0], -3 * dynamics.periods_angstrom[1]])
    shifted[0, 1] = -1e-17
    state = dynamics.state(shifted, warm.velocities)
    assert (state.positions[:, 1:] >= 0).all()
    assert (state.positions[:, 1:] < np.array(dynamics.periods_angstrom)).all()


def test_atoms_outside_the_box_are_an_error(dynamics: SlabDynamics, warm: SlabState) -> None:
    outside = warm.positions.copy()
    outside[0, 0] = dynamics.half_length_angstrom + 1
    with pytest.raises(LammpsError, match="atoms lie inside the simulation box"):
        dynamics.state(outside, warm.velocities)
