"""Paths of moving atoms: their ends, and a barrier against the saddle point that symmetry gives."""

import time
from pathlib import Path
from threading import Lock

import ase.io
import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from ase.optimize import BFGS

from gbscape.alloy.crystals import read_crystals
from gbscape.alloy.migration import MigrationError, distances_along, ends_of_path, relaxed_path, save_images
from gbscape.config.alloy import Migration, MigrationPath

CRYSTALS = read_crystals(Path(__file__).resolve().parents[2] / "resources" / "lisi" / "crystals.csv")
COPPER = bulk("Cu", "fcc", a=3.6)
HOP = MigrationPath(crystal="Cu", repeat=(3, 3, 3), species="Cu", start=(0, 0, 0), end=(1, 0, 0))


def test_a_vacancy_hop_has_one_atom_less_and_moves_one():
    start, end = ends_of_path(COPPER, HOP)
    assert len(start) == len(end) == 26
    moved = np.linalg.norm(start.positions - end.positions, axis=1)
    assert moved[:-1] == pytest.approx(np.zeros(25))
    assert moved[-1] == pytest.approx(3.6 / np.sqrt(2))


def test_default_paths_are_between_sites_that_are_alike():
    for name, path in Migration().paths.items():
        ends = ends_of_path(CRYSTALS[path.crystal], path)
        surroundings = [np.sort(atoms.get_distances(-1, range(len(atoms) - 1), mic=True))[:10] for atoms in ends]
        assert surroundings[0] == pytest.approx(surroundings[1], abs=1e-6), name
        n_host = len(CRYSTALS[path.crystal]) * int(np.prod(path.repeat))
        assert len(ends[0]) == n_host + (1 if name == "interstitial_in_si" else -1)
        assert surroundings[0][0] > 2.3
    tetrahedral = ends_of_path(CRYSTALS["Si"], Migration().paths["interstitial_in_si"])[0]
    distances = np.sort(tetrahedral.get_distances(-1, range(len(tetrahedral) - 1), mic=True))
    assert distances[:4] == pytest.approx([5.469 * np.sqrt(3) / 4] * 4, abs=1e-3)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"end": (0, 0, 3)}, "are the same site"),
        ({"species": "Au"}, "there is Cu at the start"),
    ],
)
def test_paths_that_make_no_sense(changed, message):
    with pytest.raises(MigrationError, match=message):
        ends_of_path(COPPER, HOP.model_copy(update=changed))


@pytest.fixture(scope="module")
def found():
    settings = Migration(images=3, force_tolerance_ev_angstrom=0.02, most_steps=200)
    return relaxed_path(ends_of_path(COPPER, HOP), EMT, settings)


def test_the_barrier_is_that_of_the_saddle_point(found):
    images, energies = found[0], found[1] - found[1][0]
    assert len(images) == 5
    assert energies[-1] == pytest.approx(0, abs=2e-3)
    assert energies.argmax() == 2
    assert energies[1] == pytest.approx(energies[3], abs=5e-3)
    # The saddle is half way: the atom held there, all others relaxed.
    saddle, end = ends_of_path(COPPER, HOP)
    saddle.positions[-1] = (saddle.positions[-1] + end.positions[-1]) / 2
    saddle.set_constraint(FixAtoms([len(saddle) - 1]))
    saddle.calc = EMT()
    BFGS(saddle, logfile=None).run(fmax=0.01)
    expected = saddle.get_potential_energy() - images[0].get_potential_energy()
    assert energies.max() == pytest.approx(expected, abs=5e-3)
    assert 0.5 < expected < 0.9


def test_the_path_is_written(found, tmp_path):
    images, energies = found
    save_images("hop", images, energies, tmp_path / "path.xyz", {"code": "emt"})
    again = ase.io.read(tmp_path / "path.xyz", index=":")
    assert [atoms.info["name"] for atoms in again] == [f"hop:{number}" for number in range(5)]
    assert [atoms.get_potential_energy() for atoms in again] == pytest.approx(energies, abs=1e-7)
    assert [atoms.info["relative_energy_ev"] for atoms in again] == pytest.approx(energies - energies[0], abs=1e-7)
    assert again[2].get_forces() == pytest.approx(images[2].get_forces(), abs=1e-7)
    assert np.linalg.norm(again[2].get_forces(), axis=1).max() <= 0.02  # at the saddle nothing pulls
    assert again[2].info["code"] == "emt"
    assert again[2].positions == pytest.approx(images[2].positions, abs=1e-7)


class Slow(EMT):
    """One that is at work for a while, and fails if it is told to."""

    at_work, most_at_work, fails_after = 0, 0, 10**6
    lock = Lock()

    def calculate(self, *arguments, **options):
        with Slow.lock:
            Slow.at_work += 1
            Slow.most_at_work = max(Slow.most_at_work, Slow.at_work)
            Slow.fails_after -= 1
            fails = Slow.fails_after < 0
        time.sleep(0.01)
        with Slow.lock:
            Slow.at_work -= 1
        if fails:
            raise RuntimeError("not converged")
        super().calculate(*arguments, **options)


def test_images_at_once_are_the_same_path(found, monkeypatch):
    settings = Migration(images=3, force_tolerance_ev_angstrom=0.02, most_steps=200)
    images, energies = relaxed_path(ends_of_path(COPPER, HOP), Slow, settings, at_once=2)
    assert np.array_equal(energies, found[1])
    assert all(np.array_equal(image.positions, its.positions) for image, its in zip(images, found[0], strict=True))
    assert Slow.most_at_work == 2
    monkeypatch.setattr(Slow, "fails_after", 60)  # the ends take fewer
    with pytest.raises(RuntimeError, match="not converged"):
        relaxed_path(ends_of_path(COPPER, HOP), Slow, settings, at_once=2)


def test_distances_along_a_path_grow(found):
    distances = distances_along(found[0])
    assert distances[0] == 0
    assert (np.diff(distances) > 0).all()
    # The atom moves to the next site; its neighbours move a little too.
    assert 3.6 / np.sqrt(2) < distances[-1] < 1.3 * 3.6 / np.sqrt(2)


def test_what_does_not_converge_says_so():
    with pytest.raises(MigrationError, match=r"the start of the path did not converge to 0\.0001 .* in 2 steps"):
        relaxed_path(ends_of_path(COPPER, HOP), EMT, Migration(force_tolerance_ev_angstrom=1e-4, most_steps=2))
