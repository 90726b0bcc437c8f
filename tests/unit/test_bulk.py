"""Periodic samples in LAMMPS: energies, minimisation with the cell, dynamics at zero pressure."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk

from gbscape.config.survey import Potential
from gbscape.energies import eam
from gbscape.simulate.bulk import BulkState, advance, minimise, thermal_state
from gbscape.simulate.potentials import ReadyPotential, prepare_potential


@pytest.fixture(scope="module")
def iron(tmp_path_factory: pytest.TempPathFactory) -> ReadyPotential:
    return prepare_potential(Potential(name="Fe_mm.eam.fs", species="Fe"), "bcc", tmp_path_factory.mktemp("potential"))


def _sample(potential: ReadyPotential, strain: float, rattle: float = 0.0, n: int = 6) -> tuple[np.ndarray, np.ndarray]:
    atoms = bulk("Fe", "bcc", a=potential.lattice_constant_angstrom * (1 + strain), cubic=True) * (n, n, n)
    atoms.rattle(rattle, seed=0)
    return atoms.positions, atoms.cell.lengths()


def test_a_crystal_has_the_energy_of_the_potential(iron: ReadyPotential) -> None:
    found = minimise(*_sample(iron, 0.0), iron, 0, 1e-3, relax_cell=False)
    assert found.energies_ev == pytest.approx(iron.cohesive_energy_ev, abs=1e-8)
    assert abs(found.pressure_gpa) < 1e-3


def test_minimisation_finds_the_crystal_and_its_cell(iron: ReadyPotential) -> None:
    found = minimise(*_sample(iron, 0.01, rattle=0.1), iron, 500, 1e-4)
    assert found.energies_ev == pytest.approx(iron.cohesive_energy_ev, abs=1e-5)
    assert found.edges == pytest.approx(6 * iron.lattice_constant_angstrom, rel=1e-5)
    assert found.max_force_ev_angstrom <= 1e-4
    assert abs(found.pressure_gpa) < 0.01


def test_the_cell_stays_where_it_is_told_to(iron: ReadyPotential) -> None:
    positions, edges = _sample(iron, 0.01, rattle=0.05)
    found = minimise(positions, edges, iron, 200, 1e-3, relax_cell=False)
    assert found.edges == pytest.approx(edges)
    assert found.pressure_gpa < -1


def test_zero_steps_leave_the_positions(iron: ReadyPotential) -> None:
    positions, edges = _sample(iron, 0.0, rattle=0.1)
    found = minimise(positions, edges, iron, 0, 1e-3, relax_cell=False)
    assert found.positions == pytest.approx(positions % edges, abs=1e-10)
    assert found.max_force_ev_angstrom > 0.1


def test_dynamics_keeps_the_temperature_and_lets_the_crystal_expand(iron: ReadyPotential) -> None:
    positions, edges = _sample(iron, 0.0)
    state = thermal_state(positions, edges, iron, 1200.0, seed=1)
    assert state.temperature_kelvin(iron.mass_u) == pytest.approx(1200, rel=0.1)
    assert state.velocities.mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-12)
    for _ in range(4):
        state = advance(state, iron, 600.0, 600.0, 250, 0.002)
    assert state.temperature_kelvin(iron.mass_u) == pytest.approx(600, rel=0.15)
    assert 1.001 < state.edges[0] / edges[0] < 1.03


def test_atoms_that_are_held_only_follow_the_cell(iron: ReadyPotential) -> None:
    positions, edges = _sample(iron, 0.0)
    held = np.arange(0, len(positions), 3)
    before = thermal_state(positions, edges, iron, 1200.0, seed=1)
    after = advance(before, iron, 600.0, 600.0, 50, 0.002, held=held)
    moved = after.positions / after.edges - positions / edges
    moved -= np.round(moved)
    assert not np.array_equal(after.edges, edges)
    assert np.abs(moved[held]).max() < 1e-12
    assert np.abs(np.delete(moved, held, axis=0)).max() > 1e-3
    assert np.array_equal(after.velocities[held], before.velocities[held])
    free = advance(before, iron, 600.0, 600.0, 50, 0.002)
    none = advance(before, iron, 600.0, 600.0, 50, 0.002, held=np.array([], dtype=int))
    assert np.array_equal(free.positions, none.positions)


def test_segments_follow_from_their_state_alone(iron: ReadyPotential) -> None:
    state = thermal_state(*_sample(iron, 0.0, n=4), iron, 600.0, seed=2)
    middle = advance(state, iron, 300.0, 300.0, 20, 0.002)
    again = advance(
        BulkState(middle.positions.copy(), middle.velocities.copy(), middle.edges.copy()), iron, 300, 300, 20, 0.002
    )
    assert np.array_equal(advance(middle, iron, 300, 300, 20, 0.002).positions, again.positions)


def test_the_energy_of_one_atom_is_that_of_the_sample(iron: ReadyPotential) -> None:
    atoms = bulk("Fe", "bcc", a=iron.lattice_constant_angstrom, cubic=True) * (4, 4, 4)
    atoms.rattle(0.1, seed=4)
    found = eam.atomic_energy(atoms, 17, iron)
    whole = minimise(atoms.positions, atoms.cell.lengths(), iron, 0, 1.0, relax_cell=False).energies_ev
    assert found.energy_ev == whole[17]
    assert found.total_ev == pytest.approx(whole.sum())
    assert eam.reference_energy(iron) == pytest.approx(-4.1224, abs=1e-4)  # Mendelev et al. 2003


_RANKS = """
import sys
import numpy as np
from mpi4py import MPI
from gbscape.simulate.bulk import minimise
from gbscape.simulate.potentials import ReadyPotential
sample = np.load(sys.argv[1])
found = minimise(sample["positions"], sample["edges"], ReadyPotential.read(sys.argv[2]), 0, 1.0, relax_cell=False)
np.save(f"{sys.argv[3]}/{MPI.COMM_WORLD.rank}.npy", found.energies_ev)
"""


def test_every_rank_gets_all_atoms(iron: ReadyPotential, tmp_path: Path) -> None:
    positions, edges = _sample(iron, 0.0, rattle=0.1)
    np.savez(tmp_path / "sample.npz", positions=positions, edges=edges)
    iron.write(iron.file.parent / "potential.json")
    arguments = [tmp_path / "sample.npz", iron.file.parent / "potential.json", tmp_path]
    command = [Path(sys.executable).parent / "mpiexec", "-n", "2", sys.executable, "-c", _RANKS, *arguments]
    subprocess.run(list(map(str, command)), check=True)
    expected = minimise(positions, edges, iron, 0, 1.0, relax_cell=False).energies_ev
    for rank in range(2):
        assert np.load(tmp_path / f"{rank}.npy") == pytest.approx(expected, abs=1e-10)
