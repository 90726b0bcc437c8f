"""What is not taken for an energy, with GPAW's answers put in its place: these run without GPAW."""

import json
import re
from pathlib import Path

import pytest
from ase.build import bulk

from gbscape.config.dft import DftSettings
from gbscape.config.model import load
from gbscape.energies import gpaw_backend, gpaw_cycle, installed
from gbscape.energies.atomic_energy import BackendMissing, EnergyRejected
from gbscape.energies.gpaw_cycle import check_cell, converge, scf_input

SETTINGS = DftSettings(reference_kpoint_grid=(2, 2, 2))


@pytest.fixture
def answer(monkeypatch):
    """What the process of the cycle leaves: `answer(outcome="unconverged")`."""

    def set_answer(**summary):
        def run_process(module: str, arguments: list[str], ranks: int) -> None:
            key = json.loads(Path(arguments[0]).read_text())["key"]
            Path(arguments[1]).write_text(json.dumps({"key": key, "ranks": ranks} | summary))
            Path(arguments[2]).write_bytes(b"waves")

        monkeypatch.setattr(gpaw_cycle, "run_process", run_process)

    monkeypatch.setattr(gpaw_backend, "require_gpaw", lambda: "26.7.0")
    return set_answer


def test_a_cycle_that_does_not_converge_leaves_nothing_finished(answer, tmp_path):
    answer(outcome="unconverged")
    given = scf_input(bulk("Fe", cubic=True), SETTINGS, {"size": [1, 1, 1]}, "26.7.0", symmetric=True)
    with pytest.raises(EnergyRejected, match=r"did not converge in 200 iterations.*scf\.txt.*max_iterations"):
        converge(given, SETTINGS, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"scf_input.json"}


@pytest.mark.parametrize(("moment_bohr", "is_rejected"), [(0.1, True), (4.4, False), (7.0, True)])
def test_a_magnetic_solution_that_is_not_irons(answer, tmp_path, moment_bohr, is_rejected):
    answer(outcome="converged", total_ev=-17.0, moment_bohr=moment_bohr)
    if is_rejected:
        with pytest.raises(EnergyRejected, match=r"mean magnetic moment.*\(1\.5, 3\.2\).*initial_moments_bohr"):
            gpaw_backend.reference_energy("Fe", "bcc", 2.83, SETTINGS, tmp_path)
    else:
        assert gpaw_backend.reference_energy("Fe", "bcc", 2.83, SETTINGS, tmp_path) == -8.5


def test_atoms_on_top_of_each_other_are_named():
    cell = bulk("Fe", cubic=True).repeat(2)
    cell.positions[3] = cell.positions[7] + [0, 0, 0.4]
    with pytest.raises(ValueError, match=r"atoms 3 and 7 of the cell are 0\.40 Angstrom apart, less than 1\.2"):
        check_cell(cell)


def test_a_cell_that_is_not_periodic_is_refused():
    cell = bulk("Fe", cubic=True)
    cell.pbc = (True, True, False)
    with pytest.raises(ValueError, match=r"periodic along all three vectors.*False"):
        check_cell(cell)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (
            {"parts": ["replica"], "replica": {"backend": "gpaw"}},
            ["replica.backend: DFT energies need GPAW.*setup-dft"],
        ),
        ({"parts": ["alloy"]}, ["alloy: DFT energies need GPAW.*setup-dft"]),
        ({"parts": ["survey"], "replica": {"backend": "gpaw"}}, []),
        ({"parts": ["replica"]}, []),
    ],
)
def test_backends_that_are_missing_are_said_beforehand(monkeypatch, raw, said):
    def missing() -> str:
        raise BackendMissing("DFT energies need GPAW, which is not installed: make setup-dft")

    monkeypatch.setattr(installed, "require_gpaw", missing)
    found = installed.missing_backends([load(raw, project=Path(__file__).resolve().parents[2])])
    assert len(found) == len(said)
    assert all(re.match(pattern, sentence) for pattern, sentence in zip(said, found, strict=True))
