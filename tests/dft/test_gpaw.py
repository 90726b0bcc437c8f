"""Atomic energies of small iron cells by GPAW: they add up, are alike where atoms are, and do not hang on grid or gauge.

Needs GPAW (make setup-dft), about five minutes.
"""

import json
import subprocess
from importlib.util import find_spec

import numpy as np
import pytest
from ase.build import bulk

from gbscape.config.dft import DftSettings
from gbscape.energies import gpaw_backend, gpaw_cycle
from gbscape.energies.atomic_energy import EnergyRejected

pytestmark = [
    pytest.mark.dft,
    pytest.mark.skipif(find_spec("gpaw") is None, reason="needs GPAW: make setup-dft"),
]

A = 2.83
OFF_GRID = np.array([0.03, 0.041, 0.017])
SETTINGS = DftSettings(
    cutoff_ev=300,
    kpoint_grid=(2, 2, 2),
    reference_kpoint_grid=(4, 4, 4),
    density_change_per_electron=3e-5,
    residual_ev2_per_electron=1e-7,
    keep_wave_functions=True,
)


def changed(**values):
    return DftSettings(**SETTINGS.model_dump() | values)


def iron(*repeat):
    cell = bulk("Fe", "bcc", a=A, cubic=True).repeat(repeat or 1)
    cell.positions += OFF_GRID
    return cell


def all_energies(cell, settings, folder):
    """Of every atom; the cycle and the partition run once."""
    return [gpaw_backend.atomic_energy(cell, target, settings, folder) for target in range(len(cell))]


@pytest.fixture
def no_processes(monkeypatch):
    monkeypatch.setattr(gpaw_cycle.subprocess, "run", (lambda *_, **__: pytest.fail("a finished step was repeated")))


@pytest.fixture
def started(monkeypatch):
    """Names of the modules that are run, in their order."""
    names, real = [], subprocess.run

    def run(command, **others):
        names.append(command[command.index("-m") + 1].rsplit(".", 1)[1])
        return real(command, **others)

    monkeypatch.setattr(gpaw_cycle.subprocess, "run", run)
    return names


@pytest.fixture(scope="module")
def rattled():
    cell = iron(2, 1, 1)
    cell.rattle(0.1, seed=3)
    return cell


@pytest.fixture(scope="module")
def rattled_folder(rattled, tmp_path_factory):
    """With the finished cycle and partition of the rattled cell."""
    folder = tmp_path_factory.mktemp("rattled")
    gpaw_backend.atomic_energy(rattled, 0, SETTINGS, folder)
    return folder


@pytest.fixture(scope="module")
def rattled_energies(rattled, rattled_folder):
    return all_energies(rattled, SETTINGS, rattled_folder)


def test_perfect_crystal_is_the_reference(tmp_path):
    """The reference divides by symmetry, the other shares out the volume of a cell that lies askew to the grid."""
    settings = changed(kpoint_grid=(4, 4, 4))
    energies = all_energies(iron(), settings, tmp_path / "cell")
    reference = gpaw_backend.reference_energy("Fe", "bcc", A, settings, tmp_path / "crystal")
    assert -9.5 < reference < -8.0  # GPAW's iron with PBE, against spin-paired spherical atoms
    for energy in energies:
        assert abs(energy.energy_ev - energies[0].energy_ev) < 1e-3
        assert abs(energy.energy_ev - reference) < 1e-3
        assert abs(energy.charge_e) < 1e-3
        assert abs(energy.volume_angstrom3 - A**3 / 2) < 1e-2
        assert 2.1 < energy.magnetic_moment_bohr < 2.3  # 2.2 in experiment


def test_atoms_about_a_vacancy_are_alike_by_shells(tmp_path):
    cell = iron(2, 2, 1)
    distances = cell.get_distances(0, range(1, len(cell)), mic=True)
    del cell[0]
    energies = np.array([its.energy_ev for its in all_energies(cell, SETTINGS, tmp_path)])
    near, second, far = (np.abs(distances - radius) < 0.01 for radius in A * np.sqrt([0.75, 1, 2]))
    assert [near.sum(), second.sum(), far.sum()] == [4, 2, 1]
    assert np.ptp(energies[near]) < 1e-3
    assert np.ptp(energies[second]) < 1e-3
    assert energies[near].mean() - energies[far].mean() > 0.05  # a bond is missing


def test_sum_rule_and_gauges(rattled, rattled_energies):
    for energy in rattled_energies:
        assert abs(energy.sum_rule_error_ev) < 1e-4
        assert energy.total_ev == rattled_energies[0].total_ev
        assert abs(energy.provenance["electrons_of_electrostatic_volume"]) < 1e-3
        assert set(energy.gauge_errors_ev) == {"kinetic", "electrostatic"}
        assert max(map(abs, energy.gauge_errors_ev.values())) < 5e-3
        assert max(map(abs, energy.gauge_errors_ev.values())) > 1e-6  # it is measured
        assert abs(energy.provenance["grid_correction_ev"]) < 5e-3
    energies = np.array([its.energy_ev for its in rattled_energies])
    assert abs(energies.sum() - rattled_energies[0].total_ev) < 1e-4
    assert np.ptp(energies) > 0.05  # they differ
    assert abs(sum(its.charge_e for its in rattled_energies)) < 1e-3
    assert sum(its.volume_angstrom3 for its in rattled_energies) == pytest.approx(rattled.get_volume())


def test_what_comes_with_an_energy(rattled_energies, rattled_folder):
    energy = rattled_energies[0]
    scf = json.loads((rattled_folder / "scf.json").read_text())
    assert sum(its.magnetic_moment_bohr for its in rattled_energies) == pytest.approx(scf["moment_bohr"], abs=1e-3)
    assert energy.total_ev == scf["total_ev"]
    assert energy.converged
    assert energy.provenance["code"].startswith("gpaw 26.7")
    assert energy.provenance["n_atoms"] == 4
    assert DftSettings.model_validate_json(energy.provenance["settings"]) == SETTINGS
    assert json.loads(energy.provenance["kpoints"]) == {"size": [2, 2, 2]}
    assert energy.provenance["scf_seconds"] > 0
    assert (rattled_folder / "scf.txt").exists()
    assert not list(rattled_folder.glob(".*"))


def test_energies_hardly_move_with_the_grid(rattled, rattled_energies, tmp_path):
    """All atoms by a third of the fine grid's spacing, another third across."""
    moved = rattled.copy()
    moved.positions += [0.04, 0.04, 0.02]
    energies = all_energies(moved, SETTINGS, tmp_path)
    change = [a.energy_ev - b.energy_ev for a, b in zip(energies, rattled_energies, strict=True)]
    assert np.sqrt(np.mean(np.square(change))) < 4e-3
    assert max(map(abs, change)) < 8e-3
    assert max(map(abs, change)) > 0  # it is another calculation


def test_bader_volumes_of_the_electrostatics_depend_on_the_gauge(rattled, rattled_folder, rattled_energies, started):
    """Only the partition runs again; what is integrated over Bader volumes anyway stays."""
    energies = all_energies(rattled, changed(partition="bader"), rattled_folder)
    assert started == ["gpaw_partition"]
    assert abs(sum(its.energy_ev for its in energies) - energies[0].total_ev) < 1e-4
    for bader, neutral in zip(energies, rattled_energies, strict=True):
        assert abs(bader.gauge_errors_ev["electrostatic"]) > 0.05
        assert abs(bader.energy_ev - neutral.energy_ev) > 0.05
        assert bader.gauge_errors_ev["kinetic"] == pytest.approx(neutral.gauge_errors_ev["kinetic"], abs=1e-9)
        assert bader.charge_e == pytest.approx(neutral.charge_e, abs=1e-9)
    gpaw_backend.atomic_energy(rattled, 0, SETTINGS, rattled_folder)  # for the other tests


def test_one_grid_is_near_the_extrapolated_one(rattled, rattled_folder, rattled_energies, started):
    fine = gpaw_backend.atomic_energy(rattled, 0, changed(refinements=(2,)), rattled_folder)
    assert started == ["gpaw_partition"]
    correction = rattled_energies[0].provenance["grid_correction_ev"]
    assert rattled_energies[0].energy_ev - fine.energy_ev == pytest.approx(correction, abs=1e-9)
    assert fine.provenance["grid_correction_ev"] == 0
    assert 0 < abs(correction) < 3e-3
    gpaw_backend.atomic_energy(rattled, 0, SETTINGS, rattled_folder)


@pytest.mark.usefixtures("rattled_energies", "no_processes")
@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"mean_moment_range_bohr": (2.5, 3.0)}, "mean magnetic moment, 2.0.*initial_moments_bohr"),
        ({"target_moment_range_bohr": (0.0, 1.0)}, "target magnetic moment, 1.*initial_moments_bohr"),
        ({"max_gauge_error_ev": 1e-6}, "kinetic gauge error.*max_gauge_error_ev = 1e-06.*finer grid"),
        ({"max_grid_correction_ev": 1e-6}, "extrapolation changes.*max_grid_correction_ev = 1e-06.*cutoff_ev"),
        ({"max_sum_rule_error_ev_per_atom": 1e-14}, "miss the cell's.*converge the cycle further"),
    ],
)
def test_limits_reject_without_a_new_calculation(rattled, rattled_folder, limits, message):
    with pytest.raises(EnergyRejected, match=message):
        gpaw_backend.atomic_energy(rattled, 0, changed(**limits), rattled_folder)


def test_finished_steps_are_not_repeated_and_the_large_file_goes(tmp_path, started):
    cell = bulk("Al", "fcc", a=4.05, cubic=True)
    settings = changed(kpoint_grid=(1, 1, 1), keep_wave_functions=False, refinements=(1,))
    first = gpaw_backend.atomic_energy(cell, 0, settings, tmp_path)
    assert started == ["gpaw_scf", "gpaw_partition"]
    assert first.magnetic_moment_bohr == 0  # no moment to start with, no spin polarisation
    assert abs(first.sum_rule_error_ev) < 1e-4
    assert not (tmp_path / "scf.gpw").exists()
    again = gpaw_backend.atomic_energy(cell, 0, settings, tmp_path)
    assert again == first
    assert len(started) == 2
    gpaw_backend.atomic_energy(cell, 0, changed(**settings.model_dump() | {"smearing_ev": 0.2}), tmp_path)
    assert started[2:] == ["gpaw_scf", "gpaw_partition"]
    cell.positions[0] += 0.05
    gpaw_backend.atomic_energy(cell, 0, settings, tmp_path)
    assert started[4:] == ["gpaw_scf", "gpaw_partition"]


def test_a_cycle_that_does_not_converge_leaves_nothing_finished(rattled, tmp_path):
    with pytest.raises(EnergyRejected, match=r"did not converge in 3 iterations.*max_iterations"):
        gpaw_backend.atomic_energy(rattled, 0, changed(max_iterations=3), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"scf.txt", "scf_input.json"}


def test_species_without_a_dataset(tmp_path):
    with pytest.raises(ValueError, match=r"no PAW dataset Pu\.PBE"):
        gpaw_backend.atomic_energy(bulk("Pu", "fcc", a=4.6, cubic=True), 0, SETTINGS, tmp_path)


def test_a_step_that_fails_says_why(rattled, tmp_path):
    (tmp_path / "scf.txt").mkdir()  # no log can be written
    with pytest.raises(RuntimeError, match=r"(?s)gpaw_scf failed with code .*scf\.txt"):
        gpaw_backend.atomic_energy(rattled, 0, SETTINGS, tmp_path)


def test_two_ranks_give_the_same(rattled, rattled_energies, tmp_path):
    if not gpaw_has_mpi():
        pytest.skip("GPAW is built without MPI")
    energy = gpaw_backend.atomic_energy(rattled, 0, changed(ranks=2), tmp_path)
    assert energy.provenance["scf_ranks"] == 2
    assert energy.energy_ev == pytest.approx(rattled_energies[0].energy_ev, abs=1e-5)


def gpaw_has_mpi():
    import _gpaw

    return hasattr(_gpaw, "Communicator")
