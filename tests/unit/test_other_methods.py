"""Established methods: right on the pristine classes that they are made for, and scored as the thesis does."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from gbscape.crystal.other_methods import (
    METHODS,
    SPACE_GROUPS,
    Score,
    accuracy,
    classify_by,
    is_made_for,
    score,
    space_group,
)
from gbscape.crystal.prototypes import Crystal, build, load_prototypes

RESOURCES = Path(__file__).parents[2] / "resources" / "prototypes"
PROTOTYPES = load_prototypes(RESOURCES)
LOCAL = ("ptm", "cna", "a-cna", "baa")
GLOBAL = ("spglib_loose", "spglib_tight")


def made_for(method):
    return [p for p in PROTOTYPES.values() if is_made_for(method, p.label, p.category)]


def test_labels_and_space_groups_are_those_of_the_prototypes():
    for label, group in SPACE_GROUPS.items():
        prototype = PROTOTYPES[label]
        assert isinstance(prototype, Crystal)
        assert prototype.space_group == group


@pytest.mark.parametrize(("method", "count"), [("spglib_loose", 38), ("ptm", 12), ("cna", 3), ("a-cna", 3), ("baa", 3)])
def test_methods_are_made_for_the_published_classes(method, count):
    assert len(made_for(method)) == count


@pytest.mark.parametrize("method", METHODS)
def test_pristine_structures_are_recognised(method):
    """Table 5.1: all, but hcp by CNA, whose default cut-off does not suit it."""
    for prototype in made_for(method):
        assert isinstance(prototype, Crystal)
        cell = build(prototype)
        result = score(
            method, cell.repeat([2 if along else 1 for along in cell.pbc]), prototype.label, prototype.space_group
        )
        expected = 0 if (method, prototype.label) == ("cna", "hcp") else result.answers
        assert result.right_space_group == expected, prototype.label
        if method in LOCAL:
            assert result.right_class == expected, prototype.label
            assert result.answers == len(cell) * 2 ** cell.pbc.sum()
        else:
            assert result.answers == 1


@pytest.mark.parametrize("method", LOCAL)
def test_a_liquid_like_structure_has_no_class(method):
    rng = np.random.default_rng(0)
    gas = Atoms("Cu100", positions=rng.random((100, 3)) * 12, cell=[12] * 3, pbc=True)
    answers = classify_by(method, gas)
    assert (answers.label == "").mean() > 0.9
    assert ((answers.space_group == 0) == (answers.label == "")).all()


def test_template_matching_sees_order_and_the_others_do_not():
    ordered = build(PROTOTYPES["L1_2"]).repeat(3)
    assert set(classify_by("ptm", ordered).label) == {"L1_2"}
    assert set(classify_by("a-cna", ordered).label) == {"fcc"}
    assert score("a-cna", ordered, "L1_2", 221) == Score(0, 0, len(ordered))
    # The same space group, but another class.
    assert score("ptm", build(PROTOTYPES["hexagonal_diamond"]), "hcp", 194) == Score(4, 0, 4)


def test_tolerances_of_spglib():
    """A displacement of 0.01 Angstrom is within the loose tolerance and beyond the tight one."""
    iron = bulk("Fe", "bcc", 2.8553, cubic=True).repeat(2)
    iron.positions[0, 0] += 0.01
    assert classify_by("spglib_loose", iron).space_group.tolist() == [229]
    assert classify_by("spglib_tight", iron).space_group.tolist() != [229]
    iron.positions += np.random.default_rng(0).uniform(-0.2, 0.2, iron.positions.shape)
    assert classify_by("spglib_loose", iron).space_group.tolist() == [1]
    assert space_group(bulk("Cu"), 1e-5, -1.0) == 225
    # Where spglib gives up there is no space group.
    assert space_group(Atoms("Cu2", cell=[3] * 3, pbc=True), 0.1, 5.0) == 0


def test_the_accuracy_is_the_share_of_all_atoms():
    right = score("ptm", bulk("Cu").repeat(4), "fcc", 225)
    wrong = score("ptm", bulk("Fe").repeat(2), "fcc", 225)
    assert accuracy([right, wrong]) == pytest.approx(64 / 72)
    assert accuracy([right, wrong], by_class=True) == pytest.approx(64 / 72)
    with pytest.raises(ValueError, match="at least one answer"):
        accuracy([])


@pytest.mark.parametrize("method", METHODS)
def test_all_answers_for_nanotubes_are_wrong(method):
    tube = next(p for p in PROTOTYPES.values() if p.category == "nanotube")
    atoms = build(tube)
    assert score(method, atoms, tube.label, None) == Score(0, 0, len(atoms) if method in LOCAL else 1)


def test_to_find_no_symmetry_is_not_to_recognise_a_class():
    sheet = PROTOTYPES["PbS"]
    assert sheet.space_group == 1
    assert score("spglib_loose", build(sheet), "PbS", 1) == Score(0, 0, 1)


@pytest.mark.parametrize(
    ("method", "atoms", "message"),
    [
        ("neural", bulk("Cu"), "unknown method 'neural'; allowed: spglib_loose"),
        ("ptm", Atoms(), "needs atoms"),
        ("cna", Atoms("Cu", positions=[[np.nan] * 3], cell=[3] * 3), "finite positions"),
        ("spglib_tight", Atoms("Cu2", positions=[[0, 0, 0], [2, 0, 0]]), "cell of three vectors"),
    ],
)
def test_bad_input_is_refused(method, atoms, message):
    with pytest.raises(ValueError, match=message):
        classify_by(method, atoms)


def test_ovito_and_spglib_are_silent_and_need_no_display():
    code = (
        "from ase.build import bulk; from gbscape.crystal.other_methods import METHODS, classify_by; "
        "print([classify_by(method, bulk('Cu')).space_group.tolist() for method in METHODS]); "
        "from gbscape.crystal.defects import make_defects; from gbscape.crystal.prototypes import build, load_prototypes; "
        f"arsenic = load_prototypes({str(RESOURCES)!r})['alpha_As']; "
        "cell = build(arsenic).repeat(4); "
        # One whose symmetry spglib calls incomplete, in a line on standard error.
        "classify_by('spglib_loose', make_defects(cell, 0.01, 0, (arsenic.number, 0)))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:spglib.spg", "-c", code], capture_output=True, text=True,
        check=True, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    assert done.stdout.strip() == str([[225]] * len(METHODS))
    assert done.stderr == ""
