"""The large model: what is refused, and that an interrupted anneal goes on."""

from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from scipy.spatial import cKDTree

from gbscape.config.replica import Anneal, ReplicaModel, Solidification
from gbscape.config.survey import Potential
from gbscape.replica import model
from gbscape.replica.model import ModelError, build_model, check_model, model_atoms, read_model, relax_model
from gbscape.simulate.potentials import prepare_potential
from gbscape.store.arrays import read_arrays
from gbscape.structure.polycrystal_of_size import polycrystal_of_size

SMALL = ReplicaModel(
    n_atoms=1500, n_grains=2, ranks=1, max_steps=20, anneal=Anneal(hold_ps=0.04, cool_ps=0.04, segment_ps=0.02)
)


@pytest.fixture(scope="module")
def potential(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("potential")
    prepare_potential(Potential(name="Fe_mm.eam.fs", species="Fe"), "bcc", folder).write(folder / "potential.json")
    return folder / "potential.json"


def _crystal() -> Atoms:
    return bulk("Fe", "bcc", a=2.8553, cubic=True) * (5, 5, 5)


@pytest.mark.parametrize("n_atoms", [1500, 1501, 20_000])
def test_a_polycrystal_has_the_number_of_atoms(n_atoms: int) -> None:
    atoms = polycrystal_of_size(bulk("Fe", "bcc", a=2.8553, cubic=True), n_atoms, 3, seed=1)
    assert len(atoms) == n_atoms
    assert set(atoms.arrays["grain"]) == {0, 1, 2}
    density = n_atoms / atoms.get_volume() * 2.8553**3 / 2
    assert 0.9 < density <= 1.0


def test_a_polycrystal_is_the_same_for_a_seed() -> None:
    crystal = bulk("Fe", "bcc", a=2.8553, cubic=True)
    one, again, other = (polycrystal_of_size(crystal, 1500, 2, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.positions, again.positions)
    assert not np.array_equal(one.positions, other.positions)


def test_the_area_of_the_boundaries_is_that_between_different_grains() -> None:
    atoms = polycrystal_of_size(bulk("Fe", "bcc", a=2.8553, cubic=True), 3000, 2, seed=1)
    edge, seeds = atoms.cell[0, 0], atoms.info["seeds_angstrom"]
    # By counting: points on either side of a plane, a small step apart along each axis in turn.
    rng = np.random.default_rng(0)
    tree = cKDTree(seeds % edge, boxsize=edge)
    points, step = rng.uniform(0, edge, (400_000, 3)), 0.02 * edge
    direction = rng.normal(size=points.shape)
    direction *= step / np.linalg.norm(direction, axis=1, keepdims=True)
    crossed = tree.query(points)[1] != tree.query((points + direction) % edge)[1]
    # A needle thrown at random crosses a surface of area A in a volume V with the probability A l / (2 V).
    expected = crossed.mean() * 2 * edge**3 / step
    assert atoms.info["boundary_area_angstrom2"] == pytest.approx(expected, rel=0.03)


def test_too_few_atoms_for_the_grains() -> None:
    with pytest.raises(ValueError, match="more atoms than grains"):
        polycrystal_of_size(bulk("Fe"), 3, 4, seed=0)


def _changed(change: str) -> Atoms:
    atoms = _crystal()
    match change:
        case "empty":
            return Atoms(cell=[10] * 3, pbc=True)
        case "nan":
            atoms.positions[7, 1] = np.nan
        case "species":
            atoms.symbols[3] = "Ni"
        case "outside":
            atoms.positions[5] += [0, 0, 40]
        case "same place":
            atoms.positions[9] = atoms.positions[4] + [0.1, 0, 0]
        case "oblique":
            atoms.set_cell(atoms.cell.array + np.array([[0, 2, 0], [0, 0, 0], [0, 0, 0]]))
        case "not periodic":
            atoms.pbc = [True, True, False]
    return atoms


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("empty", "there are no atoms"),
        ("nan", "the position of atom 7, .* is not finite"),
        ("species", "atom 3 is Ni, but the potential describes Fe: name another replica.potential"),
        ("outside", "1 atoms are outside the cell, the first is atom 5 .* wrap them"),
        ("same place", r"atoms 4 and 9 are at the same place, .* \(1 such pairs\): remove one of each"),
        ("oblique", "orthogonal cell .* cut an orthogonal sample"),
        ("not periodic", "periodic along all"),
    ],
)
def test_what_cannot_be_a_model_is_refused(change: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        check_model(_changed(change), "Fe")


def test_the_file_is_named(tmp_path: Path) -> None:
    ase.io.write(tmp_path / "mine.xyz", _changed("species"))
    with pytest.raises(ModelError, match=r"mine\.xyz: atom 3 is Ni"):
        read_model(tmp_path / "mine.xyz", "Fe")
    with pytest.raises(ModelError, match=r"there\.xyz cannot be read"):
        read_model(tmp_path / "not_there.xyz", "Fe")


def test_a_model_smaller_than_the_replica_cells_is_refused_first(potential: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"(?s)50.*edge_angstrom"):
        build_model(potential, tmp_path / "built.h5", SMALL, "code", least_edge_angstrom=50.0)
    assert not (tmp_path / "built.h5").exists()


def test_a_model_of_ones_own_is_taken_as_it_is(potential: Path, tmp_path: Path) -> None:
    atoms = _crystal()
    atoms.positions += [0, 0, 0.5]  # some atoms just outside the cell
    ase.io.write(tmp_path / "mine.xyz", atoms)
    settings = ReplicaModel(structure=str(tmp_path / "mine.xyz"), relax=False, anneal=None)
    build_model(potential, tmp_path / "built.h5", settings, "code")
    relax_model(tmp_path / "built.h5", potential, tmp_path / "model.h5", settings, "code")
    atoms.wrap()
    assert model_atoms(tmp_path / "model.h5").positions == pytest.approx(atoms.positions, abs=1e-6)
    assert read_arrays(tmp_path / "model.h5")["energies_ev"] == pytest.approx(-4.1224, abs=1e-4)


def test_an_interrupted_anneal_goes_on(potential: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_model(potential, tmp_path / "built.h5", SMALL, "code")
    relax_model(tmp_path / "built.h5", potential, tmp_path / "whole.h5", SMALL, "code")
    segments = []
    advance = model.advance

    def stopping(*arguments: object, **options: object) -> object:
        if len(segments) == 2:
            raise KeyboardInterrupt
        segments.append(1)
        return advance(*arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(model, "advance", stopping)
        with pytest.raises(KeyboardInterrupt):
            relax_model(tmp_path / "built.h5", potential, tmp_path / "model.h5", SMALL, "code")
    assert not (tmp_path / "model.h5").exists()
    assert int(read_arrays(tmp_path / "model.state.h5")["segments"]) == 2

    with monkeypatch.context() as patch:
        patch.setattr(model, "advance", lambda *a, **k: (segments.append(2), advance(*a, **k))[1])
        relax_model(tmp_path / "built.h5", potential, tmp_path / "model.h5", SMALL, "code")
    assert segments == [1, 1, 2, 2]
    assert not (tmp_path / "model.state.h5").exists()
    whole, resumed = (read_arrays(tmp_path / f"{name}.h5") for name in ("whole", "model"))
    assert np.array_equal(whole["positions"], resumed["positions"])


def test_grains_grow_from_the_melt(potential: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    melt = Solidification(nucleus_angstrom=5.0, melt_ps=1.0, cool_ps=0.5, grow_ps=0.5, segment_ps=0.5)
    settings = SMALL.model_copy(update={"solidify": melt, "anneal": None})
    build_model(potential, tmp_path / "built.h5", settings, "code")
    built = read_arrays(tmp_path / "built.h5")
    nuclei = built["nuclei"]
    assert not {"grain", "boundary_area_angstrom2"} & set(built)
    assert (
        2 * 40 < len(nuclei) <= 2 * 59
    )  # shells of 1, 8, 6, 12, 24 and 8 atoms, but for what the planes between grains cut off

    states = []
    advance = model.advance

    def watched(*arguments: object, **options: object) -> object:
        states.append((arguments[2], advance(*arguments, **options)))  # type: ignore[arg-type]
        return states[-1][1]

    monkeypatch.setattr(model, "advance", watched)
    relax_model(tmp_path / "built.h5", potential, tmp_path / "model.h5", settings, "code")
    assert [start for start, _ in states] == [3000, 3000, 3000, 1300]
    moved = [state.positions / state.edges - built["positions"] / built["edges"] for _, state in states]
    moved_angstrom = [np.linalg.norm((its - np.round(its)) * built["edges"], axis=1) for its in moved]
    assert max(its[nuclei].max() for its in moved_angstrom[:3]) < 1e-9
    assert moved_angstrom[3][nuclei].min() > 1e-3
    assert np.median(np.delete(moved_angstrom[2], nuclei)) > 1.5
    assert len(read_arrays(tmp_path / "model.h5")["positions"]) == SMALL.n_atoms


@pytest.mark.parametrize("change", [{"structure": "mine.xyz"}, {"relax": False}])
def test_only_a_polycrystal_can_solidify(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="solidify is for a polycrystal that is built and relaxed"):
        ReplicaModel(solidify=Solidification(), **change)  # type: ignore[arg-type]


def test_dynamics_comes_in_whole_segments() -> None:
    with pytest.raises(ValueError, match=r"grow_ps = 1\.5 must be a whole number of segment_ps = 1"):
        Solidification(grow_ps=1.5)
    with pytest.raises(ValueError, match=r"hold_ps = 0\.7 must be a whole number of segment_ps = 0\.5"):
        Anneal(hold_ps=0.7)


def test_a_state_of_other_settings_is_not_gone_on_from(potential: Path, tmp_path: Path) -> None:
    build_model(potential, tmp_path / "built.h5", SMALL, "code")
    relax_model(tmp_path / "built.h5", potential, tmp_path / "model.h5", SMALL, "code")
    expected = read_arrays(tmp_path / "model.h5")["positions"]
    (tmp_path / "model.state.h5").write_bytes((tmp_path / "built.h5").read_bytes())
    relax_model(tmp_path / "built.h5", potential, tmp_path / "model.h5", SMALL, "code")
    assert np.array_equal(read_arrays(tmp_path / "model.h5")["positions"], expected)
