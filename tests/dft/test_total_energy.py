"""Energies, forces and stress of whole cells by GPAW: they agree with each other, and finished cycles are not repeated.

Needs GPAW (make setup-dft), about a minute.
"""

from importlib.util import find_spec

import numpy as np
import pytest
from ase.build import bulk

from gbscape.config.dft import TotalEnergyDft
from gbscape.energies import gpaw_cycle
from gbscape.energies.total_energy import DftCalculator, kpoint_grid_of, total_energy

pytestmark = [
    pytest.mark.dft,
    pytest.mark.skipif(find_spec("gpaw") is None, reason="needs GPAW: make setup-dft"),
]

SETTINGS = TotalEnergyDft(
    cutoff_ev=350,
    smearing_ev=0.01,  # forces and stress are those of the free energy, which then is the energy
    energy_change_ev_per_electron=1e-7,
    density_change_per_electron=1e-6,
    residual_ev2_per_electron=1e-9,
)
GRID = (3, 3, 3)


@pytest.fixture(scope="module")
def silicon():
    """With a displaced atom, so that there are forces."""
    cell = bulk("Si", "diamond", a=5.47)
    cell.positions[1] += [0.05, 0.02, -0.03]
    return cell


@pytest.fixture(scope="module")
def found(silicon, tmp_path_factory):
    return total_energy(silicon, SETTINGS, tmp_path_factory.mktemp("silicon"), GRID, stress=True)


def test_forces_are_the_derivative_of_the_energy(silicon, found, tmp_path):
    energies = []
    for step in (0.01, -0.01):
        moved = silicon.copy()
        moved.positions[0, 0] += step
        energies.append(total_energy(moved, SETTINGS, tmp_path / str(step), GRID).energy_ev)
    assert found.forces_ev_angstrom[0, 0] == pytest.approx(-(energies[0] - energies[1]) / 0.02, abs=5e-3)
    assert np.abs(found.forces_ev_angstrom.sum(axis=0)).max() < 5e-3


def test_stress_is_the_derivative_of_the_energy(silicon, found, tmp_path):
    """Of a shear: that keeps the volume, and with it the number of plane waves, to first order."""
    energies = []
    for size in (0.005, -0.005):
        shear = np.eye(3)
        shear[0, 1] = shear[1, 0] = size
        strained = silicon.copy()
        strained.set_cell(silicon.cell.array @ shear, scale_atoms=True)
        energies.append(total_energy(strained, SETTINGS, tmp_path / str(size), GRID).energy_ev)
    derivative = (energies[0] - energies[1]) / 0.01 / (2 * silicon.cell.volume)
    assert found.stress_ev_angstrom3[0, 1] == pytest.approx(derivative, abs=3e-4)


def test_finished_cycles_are_not_repeated_and_no_wave_functions_are_kept(silicon, tmp_path, monkeypatch):
    calculator = DftCalculator(TotalEnergyDft(), tmp_path, (1, 1, 1))
    silicon = silicon.copy()
    silicon.calc = calculator
    energy, forces = silicon.get_potential_energy(), silicon.get_forces()
    assert "stress" not in calculator.results  # it takes longer than the forces, and nothing has asked for it
    (folder,) = tmp_path.iterdir()
    assert {path.name for path in folder.iterdir()} == {"scf.json", "scf.txt", "scf_input.json"}
    monkeypatch.setattr(gpaw_cycle.subprocess, "run", (lambda *_, **__: pytest.fail("a finished cycle was repeated")))
    silicon.calc = DftCalculator(TotalEnergyDft(), tmp_path, (1, 1, 1))
    assert silicon.get_potential_energy() == energy
    assert np.array_equal(silicon.get_forces(), forces)
    monkeypatch.undo()
    assert np.isfinite(silicon.get_stress()).all()


def test_cells_of_all_sizes_are_sampled_alike(silicon):
    settings = TotalEnergyDft(kpoint_spacing_per_angstrom=0.4)
    assert kpoint_grid_of(bulk("Si", "diamond", a=5.47, cubic=True), settings) == (3, 3, 3)
    assert kpoint_grid_of(bulk("Si", "diamond", a=5.47, cubic=True).repeat((1, 1, 3)), settings) == (3, 3, 1)
    assert kpoint_grid_of(silicon, settings) == (5, 5, 5)
