"""The tabulated nickel potential, potentials of other metals, and what is refused."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.eam import EAM

from gbscape.config.survey import Potential
from gbscape.simulate import foiles_hoyt
from gbscape.simulate.potentials import PotentialError, ReadyPotential, prepare_potential, shipped_potentials

GPA = 160.2176634  # GPa in one eV/Angstrom^3


@pytest.fixture(scope="module")
def nickel(tmp_path_factory: pytest.TempPathFactory) -> ReadyPotential:
    return prepare_potential(Potential(), "fcc", tmp_path_factory.mktemp("nickel"))


def test_lammps_measures_what_the_formula_was_given(nickel: ReadyPotential) -> None:
    assert nickel.lattice_constant_angstrom == pytest.approx(3.52, abs=1e-6)
    assert nickel.cohesive_energy_ev == pytest.approx(-4.45, abs=1e-8)
    assert nickel.bulk_modulus_gpa == pytest.approx(180.37, abs=0.05)
    assert nickel.cutoff_angstrom == pytest.approx(4.85)
    assert (nickel.species, nickel.pair_style) == ("Ni", "eam/alloy")


def test_ase_reads_the_table_and_agrees(nickel: ReadyPotential) -> None:
    def energy_ev(a: float) -> float:
        atoms = bulk("Ni", "fcc", a=a, cubic=True)
        atoms.calc = EAM(potential=str(nickel.file))
        return atoms.get_potential_energy() / 4

    assert energy_ev(3.52) == pytest.approx(-4.45, abs=1e-6)
    step = 0.01
    low, middle, high = (energy_ev(3.52 * (1 + s)) for s in (-step, 0, step))
    assert (low - 2 * middle + high) / step**2 / (9 * 3.52**3 / 4) * GPA == pytest.approx(180.37, rel=0.01)
    assert middle < low
    assert middle < high


@pytest.mark.parametrize("a", [3.2, 3.4, 3.6, 4.0, 4.6])
def test_strained_crystal_follows_roses_equation(nickel: ReadyPotential, a: float) -> None:
    stretch = (a / 3.52 - 1) / np.sqrt(4.45 / (9 * 180.37 / GPA * 3.52**3 / 4))
    atoms = bulk("Ni", "fcc", a=a, cubic=True)
    atoms.calc = EAM(potential=str(nickel.file))
    assert atoms.get_potential_energy() / 4 == pytest.approx(-4.45 * (1 + stretch) * np.exp(-stretch), abs=2e-5)


def test_functions_end_smoothly_at_the_cutoff() -> None:
    for function in (foiles_hoyt.pair_energy_ev, foiles_hoyt.density):
        assert function(np.array([4.85, 5.0])).tolist() == [0.0, 0.0]
        assert abs(function(np.array([4.849]))[0]) < 1e-5


def test_density_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="host densities must lie between 0 and"):
        foiles_hoyt.embedding_energy_ev(np.array([1e6]))


def test_description_travels_with_its_file(nickel: ReadyPotential, tmp_path: Path) -> None:
    description = nickel.file.parent / "potential.json"
    nickel.write(description)
    assert ReadyPotential.read(description) == nickel
    moved = tmp_path / "moved"
    nickel.file.parent.rename(moved)
    try:
        assert ReadyPotential.read(moved / "potential.json").file == moved / nickel.file.name
    finally:
        moved.rename(nickel.file.parent)
    with pytest.raises(ValueError, match="must be in the folder of the potential file"):
        nickel.write(tmp_path / "potential.json")


def test_changed_or_missing_file_is_noticed(tmp_path: Path) -> None:
    potential = prepare_potential(Potential(name="Cu_u3.eam", species="Cu"), "fcc", tmp_path)
    potential.write(tmp_path / "potential.json")
    potential.file.write_text(potential.file.read_text() + "\n")
    with pytest.raises(PotentialError, match="SHA-256 differs"):
        ReadyPotential.read(tmp_path / "potential.json")
    potential.file.unlink()
    with pytest.raises(PotentialError, match="which is not there"):
        ReadyPotential.read(tmp_path / "potential.json")


def test_tabulation_is_reproducible(nickel: ReadyPotential, tmp_path: Path) -> None:
    foiles_hoyt.write_setfl(tmp_path / "again.eam.alloy")
    assert hashlib.sha256((tmp_path / "again.eam.alloy").read_bytes()).hexdigest() == nickel.file_sha256
    assert [path.name for path in tmp_path.iterdir()] == ["again.eam.alloy"]


@pytest.mark.parametrize(
    ("name", "species", "lattice", "a", "energy_ev"),
    [("Cu_mishin1.eam.alloy", "Cu", "fcc", 3.615, -3.54), ("Fe_mm.eam.fs", "Fe", "bcc", 2.8553, -4.1224)],
)
def test_shipped_potentials_give_their_published_crystals(
    tmp_path: Path, name: str, species: str, lattice: str, a: float, energy_ev: float
) -> None:
    assert name in shipped_potentials()
    potential = prepare_potential(Potential(name=name, species=species), lattice, tmp_path)
    assert potential.lattice_constant_angstrom == pytest.approx(a, abs=2e-4)
    assert potential.cohesive_energy_ev == pytest.approx(energy_ev, abs=5e-4)


def test_own_file_with_a_space_in_its_path(nickel: ReadyPotential, tmp_path: Path) -> None:
    own = tmp_path / "my potentials" / "Ni.alloy"
    own.parent.mkdir()
    own.write_bytes(nickel.file.read_bytes())
    settings = Potential(name=None, file=str(own), pair_style="eam/alloy", species="Ni")
    potential = prepare_potential(settings, "fcc", tmp_path / "ready for use")
    assert potential.cohesive_energy_ev == pytest.approx(-4.45, abs=1e-8)


def test_odd_names_of_files_and_folders(
    nickel: ReadyPotential, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LAMMPS crashes on paths that are not ASCII, and replaces variables where it is not told of text."""
    folder = tmp_path / 'Σ5 "$(x)"'
    folder.mkdir()
    monkeypatch.chdir(folder)
    own = Path("my ${HOME} # & it's $(1+1).eam.alloy")
    own.write_bytes(nickel.file.read_bytes())
    settings = Potential(name=None, file=str(own), pair_style="eam/alloy", species="Ni")
    assert prepare_potential(settings, "fcc", "ready").cohesive_energy_ev == pytest.approx(-4.45, abs=1e-8)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PotentialError, match="ASCII characters without double quotes"):
        prepare_potential(settings.model_copy(update={"file": str(folder / own)}), "fcc", folder / "ready")


@pytest.mark.parametrize(
    ("settings", "lattice", "message"),
    [
        ({"name": "Xx.eam.alloy"}, "fcc", "unknown potential 'Xx.eam.alloy'; shipped are: foiles-hoyt-ni, "),
        ({"name": "foiles-hoyt-ni", "species": "Cu"}, "fcc", "describes Ni, not Cu"),
        ({"name": "Fe_mm.eam.fs", "species": "Cu"}, "bcc", "does not describe Cu; it has Fe"),
        ({"name": "Cu_u3.eam", "species": "Ni"}, "fcc", "does not describe Ni; it has Cu"),
        ({"name": "Fe_mm.eam.fs", "species": "Fe"}, "sc", "sc Fe is not stable with Fe_mm.eam.fs"),
        ({"name": None, "file": "nowhere.eam.alloy", "pair_style": "eam/alloy"}, "fcc", "does not exist"),
        (
            {"name": "Cu_mishin1.eam.alloy", "species": "Cu", "pair_style": "pace"},
            "fcc",
            "has no pair style 'pace'",
        ),
        ({"name": "Cu_mishin1.eam.alloy", "species": "Cu", "pair_style": "tersoff"}, "fcc", "LAMMPS does not accept"),
        ({"name": "Si.meam.spline"}, "fcc", "unknown potential|needs a pair_style"),
    ],
)
def test_what_cannot_be_used_is_named(settings: dict, lattice: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(PotentialError, match=message):
        prepare_potential(Potential(**settings), lattice, tmp_path)
