"""The search for a boundary's lowest-energy structure: energies, records, failures."""

import math
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest
from pydantic import ValidationError

from gbscape.config.survey import Potential, Relaxation
from gbscape.simulate.potentials import ReadyPotential, prepare_potential
from gbscape.simulate.session import LammpsError
from gbscape.simulate.slab import FIXED, FREE, SLIDING, SlabMinimiser
from gbscape.store.records import read_record, write_record
from gbscape.structure.bicrystal import LEFT, RIGHT, Rows, build_bicrystal
from gbscape.survey.relaxation import RelaxationError, relax_boundary


@dataclass(frozen=True)
class Rowed:
    left: Rows
    right: Rows


SIGMA3_TWIN = Rowed(((2, 2, 2), (1, -1, 0), (1, 1, -2)), ((2, 2, 2), (-1, 1, 0), (-1, -1, 2)))
SIGMA5_TILT = Rowed(((3, 1, 0), (0, 0, 2), (1, -3, 0)), ((3, 1, 0), (0, 0, -2), (-1, 3, 0)))
SIGMA5_TWIST = Rowed(((2, 0, 0), (0, 3, 1), (0, -1, 3)), ((2, 0, 0), (0, 3, -1), (0, 1, 3)))
PERFECT = Rowed(((2, 0, 0), (0, 2, 0), (0, 0, 2)), ((2, 0, 0), (0, 2, 0), (0, 0, 2)))

QUICK = Relaxation(
    min_period_angstrom=3,
    half_thickness_angstrom=20,
    translation_spacing_angstrom=1.5,
    min_translations=2,
    max_overlap_cutoffs=3,
    refine_rounds=0,
    shaking_rounds=0,
    annealing_rounds=0,
)


@pytest.fixture(scope="module")
def nickel(tmp_path_factory: pytest.TempPathFactory) -> ReadyPotential:
    return prepare_potential(Potential(), "fcc", tmp_path_factory.mktemp("nickel"))


def test_perfect_crystal_has_no_boundary_energy(nickel: ReadyPotential) -> None:
    relaxed = relax_boundary(PERFECT, nickel, QUICK)
    assert relaxed.energy_j_m2 == pytest.approx(0, abs=1e-5)


def test_result_is_the_lowest_candidate_and_adds_up(nickel: ReadyPotential) -> None:
    relaxed = relax_boundary(SIGMA5_TILT, nickel, QUICK)
    assert relaxed.converged
    assert relaxed.max_force_ev_angstrom <= QUICK.force_tolerance_ev_angstrom
    finals = [c.final_energy_j_m2 for c in relaxed.candidates if c.final_energy_j_m2 is not None]
    assert relaxed.energy_j_m2 == min(finals) == relaxed.candidates[relaxed.kept].final_energy_j_m2
    atoms = relaxed.atoms
    area = atoms.cell.lengths()[1:].prod()
    excess = (atoms.arrays["energy_ev"] - nickel.cohesive_energy_ev).sum() / area * 16.02176634
    assert excess == pytest.approx(relaxed.energy_j_m2, abs=1e-9)
    grain, x = atoms.arrays["grain"], atoms.positions[:, 0]
    assert set(grain.tolist()) == {LEFT, RIGHT}
    assert x[grain == LEFT].mean() < -5 < 5 < x[grain == RIGHT].mean()
    assert set(atoms.arrays) == {"numbers", "positions", "grain", "energy_ev"}


def test_ends_are_perfect_crystal(nickel: ReadyPotential) -> None:
    atoms = relax_boundary(SIGMA5_TILT, nickel, QUICK).atoms
    outer = np.abs(atoms.positions[:, 0]) > 15
    assert outer.sum() > 20
    np.testing.assert_allclose(atoms.arrays["energy_ev"][outer], nickel.cohesive_energy_ev, atol=1e-3)


@pytest.mark.parametrize("boundary", [SIGMA3_TWIN, SIGMA5_TILT, SIGMA5_TWIST])
def test_energy_does_not_depend_on_the_slab(boundary: Rowed, nickel: ReadyPotential) -> None:
    tight = QUICK.model_copy(update={"force_tolerance_ev_angstrom": 1e-4})
    sizes = [
        {},
        {"half_thickness_angstrom": 40.0},
        {"min_period_angstrom": 10.0},
        {"search_half_thickness_angstrom": 18.0},
        {"search_min_period_angstrom": 4.5},
    ]
    energies = [relax_boundary(boundary, nickel, tight.model_copy(update=size)).energy_j_m2 for size in sizes]
    assert np.ptp(energies) < 3e-4


def test_the_search_can_be_in_several_periods(nickel: ReadyPotential) -> None:
    settings = QUICK.model_copy(update={"search_min_period_angstrom": 7.0, "min_period_angstrom": 10.0})
    relaxed = relax_boundary(SIGMA5_TILT, nickel, settings)
    single = np.array([3.52, 3.52 / 2 * math.sqrt(10)])
    np.testing.assert_allclose(relaxed.candidates[0].search_slab.cell.lengths()[1:], single * 2)
    np.testing.assert_allclose(relaxed.atoms.cell.lengths()[1:], single * (4, 2))  # whole numbers of what was searched


def test_same_result_every_time(nickel: ReadyPotential) -> None:
    settings = QUICK.model_copy(
        update={"shaking_rounds": 1, "shake_best": 2, "annealing_rounds": 1, "annealing_steps": 200}
    )
    first, second = (relax_boundary(SIGMA5_TILT, nickel, settings) for _ in range(2))
    assert first.energy_j_m2 == second.energy_j_m2
    np.testing.assert_array_equal(first.atoms.positions, second.atoms.positions)
    here, there = first.candidate_record(), second.candidate_record()
    for name, values in here.items():
        np.testing.assert_array_equal(values, there[name])
    assert (here["annealed_kelvin"] > 0).sum() == settings.anneal_best * len(settings.annealing_kelvin)
    assert (here["shaken_angstrom"] > 0).sum() == settings.shake_best * len(settings.shaking_angstrom)


def test_seed_changes_the_annealing_only(nickel: ReadyPotential) -> None:
    settings = QUICK.model_copy(update={"annealing_rounds": 1, "annealing_steps": 50})
    records = [
        relax_boundary(SIGMA5_TWIST, nickel, settings.model_copy(update={"seed": seed})).candidate_record()
        for seed in (1, 2)
    ]
    annealed = records[0]["annealed_kelvin"] > 0
    np.testing.assert_array_equal(records[0]["translation_angstrom"], records[1]["translation_angstrom"])
    split = [np.cumsum(r["stages_reached"]) for r in records]
    last = [r["search_energy_j_m2"][s[annealed] - 1] for r, s in zip(records, split, strict=True)]
    assert not np.array_equal(last[0], last[1])


def test_candidate_record_survives_hdf5(nickel: ReadyPotential, tmp_path: Path) -> None:
    record = relax_boundary(SIGMA5_TILT, nickel, QUICK).candidate_record()
    number = len(record["removal"])
    assert number > 5
    assert record["translation_angstrom"].shape == (number, 2)
    assert record["stages_reached"].sum() == len(record["search_energy_j_m2"])
    assert (record["stages_reached"] >= 1).all()
    assert record["finalist"].sum() == len(record["final_energy_j_m2"])
    with h5py.File(tmp_path / "record.h5", "w") as file:
        write_record(file.create_group("candidates"), record)
        back = read_record(file["candidates"])
    np.testing.assert_array_equal(back["search_energy_j_m2"], record["search_energy_j_m2"])
    assert back["removal"] == record["removal"]


def test_one_failing_candidate_does_not_stop_the_others(
    nickel: ReadyPotential, monkeypatch: pytest.MonkeyPatch
) -> None:
    minimise, calls = SlabMinimiser.minimise, []

    def fail_the_second(self, *args, **kwargs):
        calls.append(None)
        if len(calls) == 2:
            raise LammpsError("Lost atoms: original 60 current 59")
        return minimise(self, *args, **kwargs)

    monkeypatch.setattr(SlabMinimiser, "minimise", fail_the_second)
    relaxed = relax_boundary(SIGMA3_TWIN, nickel, QUICK)
    failures = [c.failure for c in relaxed.candidates]
    assert failures.count("Lost atoms: original 60 current 59") == 1
    assert failures[relaxed.kept] == ""
    assert relaxed.candidates[1].energy_j_m2 == math.inf


def test_all_candidates_failing_is_an_error(nickel: ReadyPotential, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self, *args, **kwargs):
        raise LammpsError("Non-numeric pressure")

    monkeypatch.setattr(SlabMinimiser, "minimise", fail)
    with pytest.raises(RelaxationError, match=r"all \d+ candidates .* failed, the first with: Non-numeric pressure"):
        relax_boundary(SIGMA3_TWIN, nickel, QUICK)


def test_lammps_error_is_an_exception_and_the_next_slab_works(nickel: ReadyPotential) -> None:
    slab = build_bicrystal(SIGMA3_TWIN, "fcc", nickel.lattice_constant_angstrom, "Ni", 15.0)
    x = slab.positions[:, 0]
    layers = np.where(x < -10, FIXED, np.where(x > 10, SLIDING, FREE))
    periods = tuple(slab.cell.lengths()[1:])
    with SlabMinimiser(nickel, 20.0, periods) as minimiser:
        outside = slab.positions.copy()
        outside[0, 0] = 50.0
        with pytest.raises(LammpsError, match=r"of \d+ atoms lie inside the simulation box"):
            minimiser.minimise(outside, layers, 10, 1e-3)
        blown = slab.positions.copy()
        blown[layers == FREE] += np.random.default_rng(0).normal(0, 1.0, (int((layers == FREE).sum()), 3))
        with pytest.raises(LammpsError):
            minimiser.anneal(blown, layers, 1e7, 1e7, 200, seed=1)
        result = minimiser.minimise(slab.positions, layers, 200, 1e-3)
    assert result.max_force_ev_angstrom <= 1e-3


def test_rigid_layers_stay_rigid(nickel: ReadyPotential) -> None:
    slab = build_bicrystal(SIGMA5_TILT, "fcc", nickel.lattice_constant_angstrom, "Ni", 15.0, (0.4, 0.9))
    x = slab.positions[:, 0]
    layers = np.where(x < -10, FIXED, np.where(x > 10, SLIDING, FREE))
    periods = slab.cell.lengths()[1:]
    with SlabMinimiser(nickel, 20.0, tuple(periods)) as minimiser:
        minimised = minimiser.minimise(slab.positions, layers, 100, 1e-4).positions
        annealed = minimiser.anneal(minimised, layers, 600.0, 300.0, 100, seed=3)
    for after in (minimised, annealed):
        moved = after - slab.positions
        moved[:, 1:] -= periods * np.round(moved[:, 1:] / periods)
        np.testing.assert_allclose(moved[layers == FIXED], 0, atol=1e-9)
        sliding = moved[layers == SLIDING]
        np.testing.assert_allclose(sliding, np.broadcast_to(sliding[0], sliding.shape), atol=1e-6)
        assert np.abs(moved[layers == FREE]).max() > 0.01
    assert np.abs(annealed - minimised)[layers == SLIDING].max() > 1e-4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"overlap_cutoffs": (0.9, 0.3)}, "overlap_cutoffs must rise"),
        ({"overlap_cutoffs": (0.3, 1.2)}, "overlap_cutoffs must rise"),
        ({"search_half_thickness_angstrom": 60.0}, "must not exceed half_thickness_angstrom"),
        ({"stage_steps": (30, 0)}, "stage_steps must be positive"),
        ({"shaking_angstrom": (0.5, 3.0)}, "shaking_angstrom must be positive"),
        ({"annealing_kelvin": (-5.0,)}, "annealing_kelvin must be positive"),
        ({"min_translations": 100, "max_translations": 10}, "min_translations must not exceed"),
    ],
)
def test_impossible_settings_are_refused(change: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Relaxation(**change)
