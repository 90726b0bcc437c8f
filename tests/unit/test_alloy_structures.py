"""Amorphous structures: packings, the cheap potential, heating."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gbscape.alloy.packing import PackingError, are_apart, closest_allowed, packing_seeds, random_packing
from gbscape.alloy.structures import heat_structures, pack_structures
from gbscape.config.alloy import Alloy, AmorphousStructures, CheapPotential, Heating, Packing
from gbscape.simulate import snap
from gbscape.simulate.snap import LabelledStructure, SnapDynamics, SnapPotential, energy_and_forces, fit_snap
from gbscape.store.records import atoms_from_record
from gbscape.store.shards import open_shard

SMALL = AmorphousStructures(
    concentrations=(0.5, 3.0),
    packed=2,
    heated=3,
    packing=Packing(n_atoms=(8, 12)),
    heating=Heating(steps=(1, 2), step_ps=0.005, temperatures_kelvin=(0.0, 300.0), relaxation_steps=5),
)
PAIR = ("Li", "Si")


@given(ratio=st.floats(0.05, 10), seed=st.integers(0, 2**31), fewest=st.integers(2, 20), fraction=st.floats(0.5, 0.97))
@settings(max_examples=25)
def test_packings_have_the_nearest_whole_atoms_the_volume_and_no_close_pairs(ratio, seed, fewest, fraction):
    wanted = Packing(n_atoms=(fewest, fewest + 10), closest_fraction=fraction)
    atoms = random_packing(PAIR, ratio, wanted, np.random.default_rng(seed))
    n, silicon = len(atoms), int((atoms.numbers == 14).sum())
    assert fewest <= n <= fewest + 10
    assert silicon == min(max(round(n / (1 + ratio)), 1), n - 1)
    relative = atoms.get_volume() / (20 * silicon + 15 * (n - silicon))
    assert 0.9 <= relative <= 1.2
    distances = atoms.get_all_distances(mic=True) + 100 * np.eye(n)
    assert (distances >= closest_allowed(atoms.numbers, fraction) - 1e-9).all()
    assert are_apart(atoms, fraction - 1e-9)
    assert not are_apart(atoms, 3.0)


def test_structures_depend_on_seed_and_name_alone():
    some = packing_seeds(SMALL, "packed")
    more = packing_seeds(SMALL.model_copy(update={"packed": 5, "concentrations": (0.5, 1.0, 3.0)}), "packed")
    assert set(some) < set(more)
    for name in some:
        first, again = (
            random_packing(PAIR, seeds[name][0], SMALL.packing, np.random.default_rng(seeds[name][1]))
            for seeds in (some, more)
        )
        assert first == again
    states = {tuple(seed.generate_state(2)) for _, seed in more.values()}
    assert len(states) == len(more)
    other = packing_seeds(SMALL.model_copy(update={"seed": 1}), "packed")
    assert all(other[name][1].generate_state(1) != some[name][1].generate_state(1) for name in some)


GERMANIDES = {"packing": {"volume_angstrom3": {"Li": 15.0, "Na": 25.0, "Ge": 22.0}}}


def test_default_paths_can_be_taken_away():
    paths = {"interstitial_in_si": None, "vacancy_in_lisi": None}
    its = Alloy(species=("Na", "Ge"), structures=GERMANIDES, crystals="mine.csv", migration={"paths": paths})
    assert its.path_names == []


def test_rounds_add_to_what_is_known():
    assert AmorphousStructures(rounds=2).batches == ["packed", "round_1", "round_2"]
    assert AmorphousStructures(known="cells.xyz", first_round=4, rounds=2).batches == ["known", "round_4", "round_5"]


def test_what_cannot_be_packed_says_what_to_change():
    tight = Packing(n_atoms=(30, 30), closest_fraction=1.2, volume_angstrom3={"Li": 5.0, "Si": 5.0})
    with pytest.raises(PackingError, match=r"30 atoms of Li1Si .*lower structures\.packing\.closest_fraction"):
        random_packing(PAIR, 1.0, tight, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"species": ("Li", "Ge")}, r"volume_angstrom3 lacks Ge"),
        (
            {"species": ("Li", "Ge"), "structures": GERMANIDES},
            r"crystals = '.*' are of Li and Si, and species are Li and Ge",
        ),
        (
            {"species": ("Na", "Ge"), "structures": GERMANIDES, "crystals": "my_crystals.csv"},
            r"migration\.paths\.interstitial_in_si moves Li, .* set the path to null",
        ),
        ({"species": ("Li", "Li")}, "species must be two"),
        (
            {"structures": {"known": "cells.xyz", "rounds": 0}},
            r"structures\.rounds = 0 adds nothing to structures\.known",
        ),
        ({"structures": {"packing": {"n_atoms": (30, 20)}}}, "n_atoms\n.*the least and the most"),
        ({"structures": {"heating": {"steps": (0, 2)}}}, "heating.steps.0\n.*greater than or equal to 1"),
        ({"structures": {"concentrations": ()}}, "at least 1 item"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong, message):
    with pytest.raises(ValidationError, match=message):
        Alloy(**wrong)


@pytest.fixture(scope="module")
def true():
    """A potential whose energies are what another is fitted to."""
    weights = np.random.default_rng(1).normal(0, 0.01, (2, 30))
    return SnapPotential(PAIR, CheapPotential(), (-1.0, -4.0), weights)


@pytest.fixture(scope="module")
def packings():
    seeds = packing_seeds(SMALL.model_copy(update={"packed": 6}), "packed")
    return [random_packing(PAIR, ratio, SMALL.packing, np.random.default_rng(seed)) for ratio, seed in seeds.values()]


@pytest.fixture(scope="module")
def sheared(packings):
    """In a cell without right angles."""
    atoms = packings[0].copy()
    strain = np.array([[1.0, 0.05, 0.02], [0.01, 1.0, 0.03], [0.0, 0.04, 1.0]])
    atoms.set_cell(atoms.cell.array @ strain, scale_atoms=True)
    return atoms


def test_forces_are_the_derivative_of_the_energy_in_cells_of_any_shape(sheared, true):
    _, forces = energy_and_forces(sheared, true)
    assert np.abs(forces.sum(axis=0)).max() < 1e-8
    for atom, axis in ((0, 0), (3, 1), (5, 2)):
        energies = []
        for step in (1e-4, -1e-4):
            moved = sheared.copy()
            moved.positions[atom, axis] += step
            energies.append(energy_and_forces(moved, true)[0])
        assert forces[atom, axis] == pytest.approx(-(energies[0] - energies[1]) / 2e-4, abs=1e-5)


def test_energy_does_not_depend_on_the_coordinates(sheared, true):
    energy, forces = energy_and_forces(sheared, true)
    turned = sheared.copy()
    turned.rotate(37, (1, 2, 3), rotate_cell=True)
    turned.translate([0.3, 0.4, 0.5])
    order = np.random.default_rng(2).permutation(len(turned))
    again, its_forces = energy_and_forces(turned[order], true)
    assert again == pytest.approx(energy, abs=1e-9)
    assert np.linalg.norm(its_forces, axis=1) == pytest.approx(np.linalg.norm(forces, axis=1)[order], abs=1e-8)
    doubled, _ = energy_and_forces(sheared.repeat((2, 1, 1)), true)
    assert doubled == pytest.approx(2 * energy, abs=1e-8)


def test_a_fit_finds_the_potential_that_made_the_energies(packings, true):
    structures = [LabelledStructure(atoms, *energy_and_forces(atoms, true)) for atoms in packings]
    fitted = fit_snap(structures, PAIR, CheapPotential(ridge_lambda=1e-12))
    assert fitted.constants_ev == pytest.approx(true.constants_ev, abs=1e-4)
    assert fitted.weights == pytest.approx(true.weights, abs=1e-6)


def test_the_file_keeps_the_potential(true, tmp_path):
    true.write(tmp_path / "potential.json")
    again = SnapPotential.read(tmp_path / "potential.json")
    assert again.species == true.species
    assert again.settings == true.settings
    assert np.array_equal(again.weights, true.weights)


def test_the_potential_that_lammps_reads_is_the_one_that_was_fitted(packings, true, tmp_path):
    """By `pair_style snap` on the one hand, by the bispectrum on the other: no force left where the former says so."""
    dynamics = SnapDynamics(true, tmp_path)
    before, _ = energy_and_forces(packings[0], true)
    relaxed = dynamics.relaxed(packings[0], 300)
    after, forces = energy_and_forces(relaxed, true)
    assert after < before
    assert np.abs(forces).max() < 0.02
    assert relaxed.cell == pytest.approx(packings[0].cell)


def test_motion_is_the_same_again_and_goes_on_where_it_was(packings, true, tmp_path):
    dynamics = SnapDynamics(true, tmp_path)
    first, again = (dynamics.moved(packings[0], 300, 0.01, 0.5, seed=7) for _ in range(2))
    assert np.array_equal(first.positions, again.positions)
    later = dynamics.moved(first, 300, 0.01, 0.5, seed=8)
    assert not np.array_equal(first.positions, later.positions)
    moved = later.positions - first.positions
    moved -= later.cell.lengths() * np.round(moved / later.cell.lengths())
    # Some 0.01 ps of thermal motion, begun with the velocities that were there.
    along = (moved * first.arrays["velocities"]).sum()
    assert along > 0.8 * np.linalg.norm(moved) * np.linalg.norm(first.arrays["velocities"])


def test_batches_of_structures(tmp_path, packings, true):
    pack_structures(tmp_path / "packed.h5", PAIR, SMALL, "code")
    true.write(tmp_path / "potential.json")
    heat_structures(tmp_path / "potential.json", tmp_path / "round_1.h5", "round_1", SMALL, "code")
    with open_shard(tmp_path / "packed.h5") as packed, open_shard(tmp_path / "round_1.h5") as heated:
        assert packed.ids == ["packed_0.5_0", "packed_0.5_1", "packed_3_0", "packed_3_1"]
        assert len(heated.ids) + len(heated.failures) == 6
        assert heated.ids
        for item, record in heated:
            number = int(item[-1])
            assert record["temperature_kelvin"] == (0.0, 300.0, 0.0)[number]
            assert record["steps"] == 0 if number in (0, 2) else record["steps"] <= 2
            assert are_apart(atoms_from_record(record["structure"]), 0.75)


def test_a_structure_that_comes_apart_is_a_failure_of_its_own(tmp_path, monkeypatch):
    def collapsed(self, atoms, steps):
        return Atoms(atoms.numbers, atoms.positions * 0.1, cell=atoms.cell * 0.1, pbc=True)

    monkeypatch.setattr(snap.SnapDynamics, "relaxed", collapsed)
    SnapPotential(PAIR, CheapPotential(), (0.0, 0.0), np.zeros((2, 30))).write(tmp_path / "potential.json")
    heat_structures(tmp_path / "potential.json", tmp_path / "round_1.h5", "round_1", SMALL, "code")
    with open_shard(tmp_path / "round_1.h5") as heated:
        assert not heated.ids
        assert all("the potential has seen too little" in reason for reason in heated.failures.values())


def test_repulsion_keeps_atoms_apart():
    """Without any weights there is only the pair repulsion: none beyond 2 Angstrom, strong within."""
    nothing = SnapPotential(PAIR, CheapPotential(), (0.0, 0.0), np.zeros((2, 30)))
    assert energy_and_forces(bulk("Si", cubic=True), nothing)[0] == 0
    pair = Atoms("LiSi", [[0, 0, 0], [1.2, 0, 0]], cell=[8, 8, 8], pbc=True)
    energy, forces = energy_and_forces(pair, nothing)
    assert energy > 5
    assert forces[1, 0] > 5
