"""DFT settings and what is refused before GPAW is started; none of it needs GPAW."""

from importlib.metadata import PackageNotFoundError

import pytest
from ase import Atoms
from ase.build import bulk
from pydantic import ValidationError

from gbscape.config.dft import DftSettings
from gbscape.energies import gpaw_version
from gbscape.energies.atomic_energy import BackendMissing
from gbscape.energies.gpaw_backend import atomic_energy, reference_energy
from gbscape.energies.gpaw_cycle import scf_input

IRON = bulk("Fe", "bcc", a=2.83, cubic=True)
SETTINGS = DftSettings()


@pytest.fixture
def gpaw(monkeypatch):
    """As if the right GPAW were installed, and none may be started."""
    monkeypatch.setattr(gpaw_version, "version", lambda name: "26.7.0")
    monkeypatch.setattr(
        "gbscape.energies.gpaw_cycle.subprocess.run", lambda *_, **__: pytest.fail("a process was started")
    )


def test_defaults_are_the_papers_where_it_gives_them():
    assert SETTINGS.cutoff_ev == 544
    assert SETTINGS.xc == "PBE"
    assert SETTINGS.partition == "charge_neutral"
    assert all(field.description for field in DftSettings.model_fields.values())


@pytest.mark.parametrize(
    "wrong",
    [
        {"cutoff_ev": 0},
        {"xc": "LDA"},
        {"kpoint_grid": (0, 1, 1)},
        {"refinements": ()},
        {"refinements": (2, 1)},
        {"refinements": (3,)},
        {"mean_moment_range_bohr": (3, 1)},
        {"ranks": 0},
        {"unknown": 1},
    ],
)
def test_settings_that_are_refused(wrong):
    with pytest.raises(ValidationError):
        DftSettings(**wrong)


def test_settings_that_are_accepted():
    for right in ({"refinements": (2,)}, {"refinements": [1, 2]}, {"kpoint_grid": [2, 2, 2]}, {"kpoint_grid": None}):
        DftSettings(**right)


@pytest.mark.parametrize("found", ["26.6.0", "26.8.1", "25.1.0", "27.7.0", "26.70.0"])
def test_another_gpaw_is_refused(monkeypatch, tmp_path, found):
    monkeypatch.setattr(gpaw_version, "version", lambda name: found)
    for call in (
        lambda: atomic_energy(IRON, 0, SETTINGS, tmp_path),
        lambda: reference_energy("Fe", "bcc", 2.83, SETTINGS, tmp_path),
    ):
        with pytest.raises(BackendMissing, match=rf"GPAW 26\.7 .*GPAW {found}.*make setup-dft"):
            call()


def test_without_gpaw(monkeypatch, tmp_path):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(gpaw_version, "version", missing)
    with pytest.raises(BackendMissing, match="not installed: make setup-dft"):
        atomic_energy(IRON, 0, SETTINGS, tmp_path)


@pytest.mark.usefixtures("gpaw")
def test_cells_that_are_refused(tmp_path):
    slab = IRON.copy()
    slab.pbc = (True, True, False)
    close = Atoms("Fe2", positions=[[0, 0, 0], [0, 0, 4.0]], cell=[5.0, 5.0, 5.1], pbc=True)  # 1.1 through the face
    for cell, target, message in (
        (IRON, 2, "from 0 to 1, got 2"),
        (IRON, -1, "from 0 to 1, got -1"),
        (slab, 0, r"\[True, True, False\]"),
        (close, 0, "1.10 Angstrom apart"),
        (Atoms(cell=[3, 3, 3], pbc=True), 0, "needs atoms"),
        (Atoms("X", cell=[3, 3, 3], pbc=True), 0, "known species"),
        (Atoms("Fe", cell=[3, 3, 0], pbc=True), 0, "volume"),
    ):
        with pytest.raises(ValueError, match=message):
            atomic_energy(cell, target, SETTINGS, tmp_path)
    with pytest.raises(ValueError, match="lattice must be one of"):
        reference_energy("Fe", "hcp", 2.83, SETTINGS, tmp_path)
    assert not list(tmp_path.iterdir())


def test_key_changes_with_all_that_determines_the_cycle_and_with_nothing_else():
    def key(cell=IRON, kpoints=(2, 2, 2), version="26.7.0", symmetric=False, **changed):
        settings = SETTINGS.model_copy(update=changed)
        return scf_input(cell, settings, {"size": list(kpoints)}, version, symmetric)["key"]

    moved = IRON.copy()
    moved.positions[0, 0] += 1e-9
    other = IRON.copy()
    other.set_initial_magnetic_moments([1.0, -1.0])  # a cell's own moments do not count
    same = [key(), key(cell=other), key(ranks=4, max_gauge_error_ev=1.0, keep_wave_functions=True, partition="bader")]
    different = [
        key(cell=moved),
        key(cell=IRON[[0]]),
        key(kpoints=(2, 2, 1)),
        key(version="26.7.1"),
        key(symmetric=True),
        key(cutoff_ev=300),
        key(smearing_ev=0.2),
        key(initial_moments_bohr={"Fe": 2.0}),
        key(bands_percent=150),
        key(energy_change_ev_per_electron=1e-5),
        key(density_change_per_electron=1e-5),
        key(residual_ev2_per_electron=1e-6),
        key(max_iterations=10),
    ]
    assert len(set(same)) == 1
    assert len({same[0], *different}) == 1 + len(different)
